"""One wire form: the OpenAPI document, the classes, the client and the shell agree, field by field."""

from __future__ import annotations

import dataclasses
import json
import typing

import pytest
from pydantic import TypeAdapter

from sameface.recognizer import wire
from tests.service.documented import DOCUMENT

CLASSES = [kind for name in wire.__all__ if isinstance(kind := getattr(wire, name), type)]
SHARED = {
    wire.Box,
    wire.Candidate,
    wire.Consent,
    wire.Erased,
    wire.Expired,
    wire.Person,
    wire.Retention,
}  # of `sameface.types`: their docstrings say what the fields are
SCHEMAS = DOCUMENT["components"]["schemas"]
#: Answered by the service nowhere: an error is sent as problem+json, described in each operation.
NOT_A_RESPONSE = {wire.Problem, wire.PointSummary}


def fields(kind: type) -> dict[str, bool]:
    """Each field, and whether it must be there."""
    return {
        field.name: field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        for field in dataclasses.fields(kind)
    }


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_openapi_document_is_of_these_classes(kind):
    schema = SCHEMAS.get(kind.__name__) or TypeAdapter(kind).json_schema()
    assert set(schema["properties"]) == set(fields(kind))
    assert kind in NOT_A_RESPONSE or kind.__name__ in SCHEMAS
    if kind not in SHARED:
        bare = [name for name, item in schema["properties"].items() if "description" not in item]
        assert kind is wire.Size or bare == []


def test_only_embeddings_hold_embeddings():
    holding = {kind for kind in CLASSES for name in fields(kind) if "embedding" in name}
    assert holding == {wire.Embedded, wire.KeptPhoto}  # the second for a person who asks what is kept of them


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_nothing_is_lost_on_the_way(kind):
    """Made by hand from its own types, written, read again by msgspec (the client) and by pydantic (the service): the same value."""
    import msgspec

    value = example(kind)
    sent = json.loads(json.dumps(value.to_dict()))
    assert msgspec.convert(sent, kind) == value
    assert TypeAdapter(kind).validate_python(sent) == value
    assert json.loads(TypeAdapter(kind).dump_json(value)) == sent


def example(kind: type) -> object:
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: of(hints[field.name]) for field in dataclasses.fields(kind)})


def of(hint: typing.Any) -> object:
    simple = {int: 3, float: 0.25, str: "é", bool: True}
    if hint in simple:
        return simple[hint]
    if dataclasses.is_dataclass(hint):
        return example(hint)
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return parts[-1]
    if typing.get_origin(hint) is typing.Literal:
        return parts[-1]
    if typing.get_origin(hint) is tuple:
        return (of(parts[0]), of(parts[0]))
    if len(parts) == 2 and parts[1] is type(None):
        return of(parts[0])
    return {"a": of(parts[1])}  # a mapping
