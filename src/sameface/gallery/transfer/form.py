"""The exported file: an uncompressed ``.npz`` with ``embeddings``, ``(n, d)`` float32, and ``about``, a JSON text of the fields below."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

#: Version of the layout: 2 added terms, and when a template was stored. A program that knows 1 alone would keep people for ever.
FORMAT: Final = 2
#: The files inside.
EMBEDDINGS: Final = "embeddings.npy"
ABOUT: Final = "about.npy"

_Part = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Head(msgspec.Struct):
    """What every version has."""

    format: Annotated[int, msgspec.Meta(ge=1)]


class Space(msgspec.Struct):
    """See `EmbeddingSpace`."""

    encoder: _Part
    detector: _Part
    alignment: _Part


class ExportedTemplate(msgspec.Struct):
    """See `Template`; its embedding is the next row of ``embeddings``."""

    source: str
    source_sha256: str
    box: tuple[float, float, float, float] | None
    quality: float | None
    added: str = ""


class ExportedConsent(msgspec.Struct):
    """See `Consent`."""

    purpose: str
    given: str
    until: str = ""
    evidence: str = ""


class ExportedRetention(msgspec.Struct):
    """See `Retention`."""

    days: int = 0
    until: str = ""


class ExportedPerson(msgspec.Struct):
    """See `Person`."""

    person_id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    name: str
    details: dict[str, str]
    groups: list[str]
    created: Annotated[str, msgspec.Meta(min_length=1)]
    templates: list[ExportedTemplate]
    photos: int = 0
    consent: ExportedConsent | None = None
    keep_until: str = ""
    hold: str = ""
    expires: str = ""


class About(msgspec.Struct):
    """Everything but the embeddings. What may be a name, a group, a detail is checked by the gallery that takes it in."""

    format: int
    space: Space
    dimension: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    card: str
    people: list[ExportedPerson]
    retention: dict[str, ExportedRetention] = {}  # msgspec makes a new one for each
