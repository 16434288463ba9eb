"""Request bodies: multipart uploads or JSON with base64, one shape for both, kept in memory and never on disk."""

from __future__ import annotations

import asyncio
import types
import typing
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, PlainValidator, ValidationError, WithJsonSchema
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sameface.errors import SamefaceError, UnsupportedMediaError
from sameface.service.json_body import decode_object, malformed, photo_bytes

Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True, slots=True, repr=False)
class Photo:
    """An upload: its bytes, and the file name that came with it, which is data and never a path."""

    data: bytes
    name: str = ""


def _to_photo(value: object) -> Photo:
    if isinstance(value, Photo):
        return value
    if not isinstance(value, str):
        raise ValueError("a photo is a file part, or base64 text in JSON")
    return Photo(photo_bytes(value))


#: A photo field: a file part in multipart, base64 text in JSON.
PhotoField = Annotated[
    Photo, PlainValidator(_to_photo), WithJsonSchema({"type": "string", "format": "byte", "contentEncoding": "base64"})
]


__all__ = ["Photo", "PhotoField", "body_of", "malformed", "read_form"]


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, without its temporary files: photos of faces do not belong on a disk."""

    spool_max_size = 2**62


async def read_form(request: Request, form: type[Form], *, max_parts: int = 64) -> Form:
    """The body of a request as a checked form. It is parsed and checked in a thread: nobody else waits for it.

    Raises:
        UnsupportedMediaError: neither JSON nor multipart.
        MalformedRequestError: fields missing, unknown, given twice, too many, or of another type.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        body = await request.body()
        return await asyncio.to_thread(lambda: _checked(form, decode_object(body)))
    if kind == "multipart/form-data":
        parts = await _from_multipart(request, max_parts)
        return await asyncio.to_thread(lambda: _checked(form, _fields_of(form, parts)))
    raise UnsupportedMediaError(
        expected="multipart/form-data or application/json",
        got=kind[:80] or "no content type",
        advice="send photos as file parts, or as base64 text in JSON",
    )


def _checked(form: type[Form], fields: dict[str, Any]) -> Form:
    unknown = [name for name in fields if name not in form.model_fields]
    if unknown:
        raise malformed([((name[:80],), "no such field") for name in unknown[:5]])
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        raise malformed(
            [(item["loc"], item["msg"]) for item in error.errors(include_url=False, include_input=False)]
        ) from None


def body_of(form: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """The ``requestBody`` of a form for the OpenAPI document: as multipart and as JSON."""
    schema = form.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": _as_files(schema)},
                "application/json": {"schema": schema, "example": example},
            },
        }
    }


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The same schema without references, which would lead nowhere from inside the document."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            return _inlined({**definitions[schema["$ref"].rsplit("/", 1)[1]], **rest}, definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    return [_inlined(item, definitions) for item in schema] if isinstance(schema, list) else schema


def _as_files(schema: Any) -> Any:
    """The same schema with photos as binary parts; parts are never null, and mappings travel as JSON text, which is OpenAPI's own rule."""
    if isinstance(schema, dict):
        if schema.get("contentEncoding") == "base64":
            return {"type": "string", "format": "binary"}
        if "anyOf" in schema:
            kinds = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
            return _as_files({**kinds[0], **rest} if len(kinds) == 1 else {**rest, "anyOf": kinds})
        return {key: _as_files(value) for key, value in schema.items()}
    return [_as_files(item) for item in schema] if isinstance(schema, list) else schema


async def _from_multipart(request: Request, max_parts: int) -> list[tuple[str, str | Photo]]:
    async def stream() -> AsyncGenerator[bytes, None]:
        async for piece in request.stream():
            yield piece
            await asyncio.sleep(0)  # others get their turn between the pieces

    parser = _InMemoryParser(
        request.headers, stream(), max_files=max_parts, max_fields=max_parts, max_part_size=1024 * 1024
    )
    try:
        data = await parser.parse()
    except MultiPartException as error:
        raise malformed([((), error.message[:200])]) from None
    except SamefaceError:  # the caps on the body
        raise
    except (KeyError, ValueError, UnicodeError):  # a boundary missing or broken
        raise malformed([((), "broken multipart")]) from None
    parts: list[tuple[str, str | Photo]] = []
    for name, part in data.multi_items():
        if isinstance(part, UploadFile):
            parts.append((name, Photo(await part.read(), part.filename or "")))
            await part.close()
        else:
            parts.append((name, part))
    return parts


def _fields_of(form: type[BaseModel], parts: list[tuple[str, str | Photo]]) -> dict[str, Any]:
    fields: dict[str, list[Any]] = {}
    for name, part in parts:
        fields.setdefault(name, []).append(part)
    return {name: _one_or_many(form, name, values) for name, values in fields.items()}


def _one_or_many(form: type[BaseModel], name: str, values: list[Any]) -> Any:
    annotation = form.model_fields[name].annotation if name in form.model_fields else None
    kinds = {typing.get_origin(kind) or kind for kind in _alternatives(annotation)}
    if list in kinds:
        return values
    if len(values) > 1:
        raise malformed([((name,), "given more than once")])
    nested = any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)
    if (dict in kinds or nested) and isinstance(values[0], str):
        return decode_object(values[0].encode(errors="replace") or b"{}")
    return values[0]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The kinds of a field, out of a union and of what is annotated to each."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return (annotation,)
    return tuple(kind for part in typing.get_args(annotation) for kind in _alternatives(part))
