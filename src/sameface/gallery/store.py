"""What every gallery storage is to the rest of the house: vectors and names in, ranked people out.

A store knows embeddings, never encoders and never thresholds. The record (SQLite or PostgreSQL) is the truth; whatever makes a search fast is a
cache of it that can be made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy.typing as npt

from sameface.types import NO_DETAILS, Candidate, Embeddings, EmbeddingSpace, Erased, Person, Template

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
    """

    name: str
    templates: Sequence[Template]
    details: Mapping[str, str] = field(default_factory=lambda: NO_DETAILS)
    groups: Sequence[str] = ()
    person_id: str = ""
    created: str = ""


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
class Problem:
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
    problems: tuple[Problem, ...] = ()

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
        action: ``add``, ``forget``, ``rename``, ``merge``, ``drop template``, ``details``, ``groups``, ``import``, ``reembed``.
        person_id: whose, "" for the whole gallery.
        templates: how many vectors were concerned.
    """

    at: str
    action: str
    person_id: str
    templates: int


class TemplateStore(Protocol):
    """People and their templates in one embedding space. Safe to use from several threads; open one store in each process.

    Every changing call is one transaction: when it returns, the change is durable and other processes see it with their next call; when it raises,
    nothing of it was done. All of them may raise GalleryLockedError, GalleryReadOnlyError, StorageFullError, GalleryDamagedError,
    GalleryUnavailableError and, when another process re-encoded the gallery meanwhile, GalleryMismatchError.
    """

    @property
    def space(self) -> EmbeddingSpace: ...

    @property
    def dimension(self) -> int: ...

    @property
    def location(self) -> str:
        """Path or address, without any password."""
        ...

    @property
    def gallery_id(self) -> str:
        """Hex; no other gallery has it."""
        ...

    # -- people -------------------------------------------------------------------------------------------------------
    def add(
        self,
        name: str,
        templates: Sequence[Template],
        *,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
        if_exists: IfExists = "extend",
    ) -> Person:
        """Store templates of a person, who becomes known with them.

        Args:
            name: 1 to 200 characters after Unicode NFC, no control characters; slashes and emoji are fine.
            templates: at least one; ``(dimension,)`` finite and not all zero.
            details: set on a new person; on a known one merged into what is there.
            groups: tags, added to what is there.
            if_exists: ``extend`` adds photos to a known name, ``refuse`` raises.

        Raises:
            PersonNameError, EmbeddingError: a name or vector that cannot be stored.
            PersonExistsError: the name is taken and `if_exists` says ``refuse``.
            SettingError: no templates at all.
        """
        ...

    def add_many(self, people: Iterable[NewPerson]) -> int:
        """Store many new people in one transaction: all or none.

        Returns:
            How many templates were stored.

        Raises:
            PersonExistsError: a name or id is taken, or occurs twice.
            PersonNameError, EmbeddingError: as `add`.
        """
        ...

    def person(self, name: str) -> Person:
        """The person of that name. Raises PersonNotFoundError."""
        ...

    def person_by_id(self, person_id: str) -> Person:
        """The person of that id. Raises PersonNotFoundError."""
        ...

    def people(self, group: str | None = None) -> list[Person]:
        """Everybody, or everybody of a group, in the order of enrolment; an unknown group is empty."""
        ...

    def rename(self, name: str, new: str) -> Person:
        """Give a person another name. Raises PersonNotFoundError, PersonExistsError, PersonNameError."""
        ...

    def merge(self, into: str, other: str) -> Person:
        """Move the templates, groups and missing details of `other` to `into`; `other` is known no more."""
        ...

    def set_details(self, name: str, details: Mapping[str, str]) -> Person:
        """Replace a person's details."""
        ...

    def set_groups(self, name: str, groups: Sequence[str]) -> Person:
        """Replace a person's groups."""
        ...

    def forget(self, name: str) -> Erased:
        """Erase a person: vectors, sources, details, groups, index rows and caches. Raises PersonNotFoundError."""
        ...

    # -- templates ----------------------------------------------------------------------------------------------------
    def templates_of(self, person_id: str) -> list[StoredTemplate]:
        """A person's templates in the order of enrolment. Raises PersonNotFoundError, GalleryDamagedError."""
        ...

    def drop_template(self, template_id: int) -> Erased:
        """Erase one photo's vector; the person stays. Raises PersonNotFoundError when there is no such template."""
        ...

    def sources(self) -> set[str]:
        """sha256 hex digests of all photos that templates came from: what bulk indexing need not read again."""
        ...

    def export(self) -> Iterator[tuple[Person, list[StoredTemplate]]]:
        """Everybody with their templates in the order of enrolment, as of one moment, every vector checked."""
        ...

    # -- searching ----------------------------------------------------------------------------------------------------
    def search(self, probes: npt.ArrayLike, k: int = 1, *, group: str | None = None) -> list[list[Candidate]]:
        """Rank people for each probe by the distance of their nearest template.

        Args:
            probes: ``(m, dimension)``, or ``(dimension,)`` for one probe.
            k: how many people at most, at least 1.
            group: only people of this group; an unknown group has nobody.

        Returns:
            m lists of up to k candidates, nearest first, each person once; of equal distances the earliest enrolled person first; empty lists for
            an empty gallery. The distance is `matching.distance`, so an exact store answers exactly as a loop over everybody would.

        Raises:
            EmbeddingError: another dimension, NaN or infinity.
            GalleryDamagedError: a template that cannot be trusted; a search never skips it silently.
        """
        ...

    def distances_to(self, person_id: str, probe: npt.ArrayLike) -> Embeddings:
        """Distances from a probe to each template of one person, ``(n,)`` float32 in the order of enrolment."""
        ...

    def count(self) -> int:
        """How many templates are stored."""
        ...

    def __len__(self) -> int:
        """How many people are known."""
        ...

    def __contains__(self, name: object) -> bool: ...

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self) -> None:
        """Make ready to search now instead of at the first search."""
        ...

    def check(self) -> CheckReport:
        """Read every byte again and name what is wrong; never raises for damage."""
        ...

    def stats(self) -> Stats:
        """Sizes and settings."""
        ...

    def audit(self, limit: int = 100) -> list[AuditEntry]:
        """The latest entries of the audit log, newest first."""
        ...

    def compact(self) -> int:
        """Give unused space back to the disk. Returns the bytes saved."""
        ...

    def reindex(self) -> None:
        """Throw the search caches and indexes away and make them again from the record."""
        ...

    def reembed(
        self,
        space: EmbeddingSpace,
        dimension: int,
        vectors: Iterable[tuple[int, npt.ArrayLike]],
        *,
        drop_missing: bool = False,
    ) -> int:
        """Replace every embedding by one of another encoder, all or none.

        Args:
            vectors: new embedding by template id.
            drop_missing: erase templates that have no new embedding; else they are an error.

        Returns:
            How many templates were replaced.

        Raises:
            EmbeddingError: a template without a new vector, or a vector that cannot be stored.
        """
        ...

    def close(self) -> None:
        """Release files and connections; the store cannot be used after it. Closing twice is fine."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
