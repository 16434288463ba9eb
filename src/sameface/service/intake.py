"""Request bodies: multipart uploads or JSON with base64, one shape for both, kept in memory and never on disk."""

from __future__ import annotations

import base64
import binascii
import types
import typing
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Request
from pydantic import BaseModel, PlainValidator, ValidationError, WithJsonSchema
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sameface.errors import MalformedRequestError, SamefaceError, UnsupportedMediaError

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
    text = value.split(",", 1)[1] if value.startswith("data:image/") and "," in value[:100] else value
    try:
        return Photo(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("a photo in JSON is base64 text; addresses and paths are not opened") from None


#: A photo field: a file part in multipart, base64 text in JSON.
PhotoField = Annotated[
    Photo, PlainValidator(_to_photo), WithJsonSchema({"type": "string", "format": "byte", "contentEncoding": "base64"})
]


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, without its temporary files: photos of faces do not belong on a disk."""

    spool_max_size = 2**62


async def read_form(request: Request, form: type[Form], *, max_parts: int = 64) -> Form:
    """The body of a request as a checked form.

    Raises:
        UnsupportedMediaError: neither JSON nor multipart.
        MalformedRequestError: fields missing, unknown, given twice, or of another type.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        fields = _from_json(await request.body())
    elif kind == "multipart/form-data":
        fields = await _from_multipart(request, form, max_parts)
    else:
        raise UnsupportedMediaError(
            expected="multipart/form-data or application/json",
            got=kind[:80] or "no content type",
            advice="send photos as file parts, or as base64 text in JSON",
        )
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        raise malformed(
            [(item["loc"], item["msg"]) for item in error.errors(include_url=False, include_input=False)]
        ) from None


def malformed(faults: list[tuple[tuple[int | str, ...], str]]) -> MalformedRequestError:
    """The error for fields that do not fit; repeats where they are and why, never what they hold."""
    words = "; ".join(f"{'.'.join(map(str, place)) or 'body'}: {message}" for place, message in faults[:5])
    return MalformedRequestError(expected="the fields of this request", got=words[:600], advice="see /v1/openapi.json")


def body_of(form: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """The ``requestBody`` of a form for the OpenAPI document: as multipart and as JSON."""
    schema = form.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": _as_files(schema)},
                "application/json": {"schema": schema, "example": example},
            },
        }
    }


def _as_files(schema: Any) -> Any:
    """The same schema with photos as binary parts and mappings as JSON text."""
    if isinstance(schema, dict):
        if schema.get("contentEncoding") == "base64":
            return {"type": "string", "format": "binary"}
        if schema.get("type") == "object" and "additionalProperties" in schema and "properties" not in schema:
            return {"type": "string", "description": "A JSON object of text by text.", "default": "{}"}
        return {key: _as_files(value) for key, value in schema.items()}
    return [_as_files(item) for item in schema] if isinstance(schema, list) else schema


def _from_json(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed([((), "not JSON")]) from None
    if not isinstance(fields, dict):
        raise malformed([((), "not a JSON object")])
    return fields


async def _from_multipart(request: Request, form: type[BaseModel], max_parts: int) -> dict[str, Any]:
    async def stream() -> AsyncGenerator[bytes, None]:
        async for piece in request.stream():
            yield piece

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
    fields: dict[str, list[Any]] = {}
    for name, part in data.multi_items():
        if isinstance(part, UploadFile):
            fields.setdefault(name, []).append(Photo(await part.read(), part.filename or ""))
            await part.close()
        else:
            fields.setdefault(name, []).append(part)
    return {name: _one_or_many(form, name, values) for name, values in fields.items()}


def _one_or_many(form: type[BaseModel], name: str, values: list[Any]) -> Any:
    annotation = form.model_fields[name].annotation if name in form.model_fields else None
    kinds = {typing.get_origin(kind) or kind for kind in _alternatives(annotation)}
    if list in kinds:
        return values
    if len(values) > 1:
        raise malformed([((name,), "given more than once")])
    if dict in kinds and isinstance(values[0], str):
        return _from_json(values[0].encode(errors="replace") or b"{}")
    return values[0]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if union else (annotation,)
