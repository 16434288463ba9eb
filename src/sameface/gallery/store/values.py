"""What goes into a gallery and comes out of it, besides people and candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sameface.errors import SettingError
from sameface.types import NO_DETAILS, Candidate, Consent, EmbeddingSpace, Person, Template

#: What `TemplateStore.add` does with a name that is enrolled already.
IfExists = Literal["extend", "refuse"]


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person on the way into a store.

    Attributes:
        name: unique in the gallery, 1 to 200 characters after Unicode NFC.
        templates: at least one, except for a copy of a person whose photos were all dropped.
        details: free text by free keys.
        groups: tags to search within.
        person_id: 32 hex digits to keep (a copy, an import), "" for a new one.
        created: UTC, ISO 8601, to keep; "" for now.
        consent, keep_until, hold: as of `Person`.
    """

    name: str
    templates: Sequence[Template]
    details: Mapping[str, str] = field(default_factory=lambda: NO_DETAILS)
    groups: Sequence[str] = ()
    person_id: str = ""
    created: str = ""
    consent: Consent | None = None
    keep_until: str = ""
    hold: str = ""


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template in its place.

    Attributes:
        template_id: ascending in the order of enrolment, never reused.
        person_id: whose it is.
        template: the embedding and where it came from.
    """

    template_id: int
    person_id: str
    template: Template


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the people of a gallery.

    Attributes:
        people: in the order of enrolment.
        next: where the next page begins: `after` of that call; "" on the last page.
        total: how many there are of those who were asked for, on all pages.
    """

    people: tuple[Person, ...]
    next: str
    total: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What a judge sees of a gallery, all of one moment: that in which what it lets in is stored.

    Attributes:
        person: who bears the name already, None when it is new.
        templates: that person's, in the order of enrolment.
        neighbours: for each template that came, the nearest people, nearest first.
    """

    person: Person | None
    templates: Sequence[StoredTemplate]
    neighbours: Sequence[Sequence[Candidate]]


#: Says which of the templates that came may be stored, by their places from 0.
Judge = Callable[[Sight], Sequence[int]]


@dataclass(frozen=True, slots=True)
class IndexBuild:
    """How an approximate index on a server is built.

    Attributes:
        neighbours: how many people a search asks for at most; more are searched exactly.
        m: links of each template. More find better, and take memory and time.
        ef_construction: neighbours looked at while building, at least twice `m`.
        memory_mb: memory for building. One that does not fit is built many times slower; a million templates take about 1,000.
        concurrently: build while others write, in about twice the time.

    Raises:
        SettingError: outside of what pgvector takes.
    """

    neighbours: int = 5
    m: int = 16
    ef_construction: int = 128
    memory_mb: int = 1024
    concurrently: bool = False

    def __post_init__(self) -> None:
        within = {
            "neighbours": (self.neighbours, 1, 500),
            "m": (self.m, 2, 100),
            "ef_construction": (self.ef_construction, max(4, 2 * self.m), 1000),
            "memory_mb": (self.memory_mb, 1, 2_000_000),
        }
        for name, (value, low, high) in within.items():
            if not low <= value <= high:
                raise SettingError(
                    expected=f"{name} of {low} to {high:,}", got=str(value), advice="choose a number in between"
                )


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a gallery is searched.

    Attributes:
        method: ``exact`` or ``hnsw``.
        recall: measured share of probes whose nearest template is found; 1 for an exact search.
        probes: on how many probes that was measured, 0 for an exact search.
        ef_search: of HNSW: how many neighbours it looks at; 0 for an exact search.
        neighbours: for how many people at most it was measured.
        m, ef_construction: how it was built; see `IndexBuild`.
    """

    method: Literal["exact", "hnsw"]
    recall: float = 1.0
    probes: int = 0
    ef_search: int = 0
    neighbours: int = 0
    m: int = 0
    ef_construction: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """How a gallery lies on several machines.

    Attributes:
        tables: that are spread over them, or on each of them.
        local: that stay on the machine that is asked.
        machines: that hold a part.
        before: whether it lay so already.
    """

    tables: tuple[str, ...]
    local: tuple[str, ...]
    machines: int
    before: bool


@dataclass(frozen=True, slots=True)
class GalleryProblem:
    """One thing that `check` found wrong.

    Attributes:
        what: in words, without any vector.
        person: the name concerned, "" when it is not one person's.
        template_id: the template concerned, None when it is not one template's.
    """

    what: str
    person: str = ""
    template_id: int | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of reading every byte of a gallery again.

    Attributes:
        people, templates: how many were read.
        problems: empty when all is well.
    """

    people: int
    templates: int
    problems: tuple[GalleryProblem, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Stats:
    """Sizes and settings of a gallery.

    Attributes:
        location: path or address, without any password.
        people, templates: how many.
        groups: people by group.
        bytes: on disk, by what they are for.
        settings: the rest: schema, engine, index, encryption.
    """

    location: str
    space: EmbeddingSpace
    dimension: int
    people: int
    templates: int
    groups: Mapping[str, int]
    bytes: Mapping[str, int]
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log: what was done to whom and when. It holds no name, no vector and no photo.

    Attributes:
        at: UTC, ISO 8601.
        action: ``add``, ``forget``, ``expire``, ``rename``, ``merge``, ``drop template``, ``details``, ``groups``, ``import``, ``reembed``,
            ``consent``, ``keep until``, ``hold``, ``lift hold``, ``retention``, ``access``, ``new key``, ``old key gone``.
        person_id: whose, "" for the whole gallery.
        templates: how many vectors were concerned.
    """

    at: str
    action: str
    person_id: str
    templates: int


def now() -> str:
    """This moment as it is stored: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
