"""What every gallery storage is to the rest of the house: vectors and names in, ranked people out.

Over 300 lines because it is one contract, most of it docstrings, and read as a whole.

A store knows embeddings, never encoders and never thresholds. The record (SQLite or PostgreSQL) is the truth; whatever makes a search fast is a
cache of it that can be made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

import numpy.typing as npt

from sameface.gallery.store.terms import Terms
from sameface.gallery.store.values import (
    AuditEntry,
    CheckReport,
    IfExists,
    IndexBuild,
    Judge,
    NewPerson,
    Page,
    Stats,
    StoredTemplate,
    Tuning,
)
from sameface.progress import Tally
from sameface.types import (
    Candidate,
    Consent,
    Embeddings,
    EmbeddingSpace,
    Erased,
    Person,
    Template,
    Who,
)


class TemplateStore(Terms, Protocol):
    """People and their templates in one embedding space. Safe to use from several threads; open one store in each process.

    Every changing call is one transaction: when it returns, the change is durable and other processes see it with their next call; when it raises,
    nothing of it was done. All of them may raise GalleryLockedError, GalleryReadOnlyError, StorageFullError, GalleryDamagedError,
    GalleryUnavailableError, GalleryMissingError and, when another process re-encoded the gallery meanwhile, GalleryMismatchError.

    `who` is a name (a text), a `PersonId`, or a `Person` of an earlier look-up, who is meant by id whatever their name is now. Whoever is not
    there raises PersonNotFoundError.

    Whose time is over (`Person.expires`) is not there any more, for any call, in any process, whether `expire` came by already or not. Whoever is
    held then is still listed, and named by no search.
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
        consent: Consent | None = None,
        keep_until: str = "",
        if_exists: IfExists = "extend",
    ) -> Person:
        """Store templates of a person, who becomes known with them.

        Args:
            name: 1 to 200 characters after Unicode NFC, no control characters; slashes and emoji are fine.
            templates: at least one; ``(dimension,)`` finite and not all zero.
            details: set on a new person; on a known one merged into what is there.
            groups: tags, added to what is there.
            consent, keep_until: as for `update`; left out, what is noted of a known person stays.
            if_exists: ``extend`` adds photos to a known name, ``refuse`` raises.

        Raises:
            PersonNameError, EmbeddingError, SettingError: a name, vector, detail or group that cannot be stored (`names` has the limits).
            PersonExistsError: the name is taken and `if_exists` says ``refuse``.
            SettingError: no templates at all.
        """
        ...

    def admit(
        self,
        name: str,
        templates: Sequence[Template],
        judge: Judge,
        *,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
        consent: Consent | None = None,
        keep_until: str = "",
        neighbours: int = 2,
    ) -> Person | None:
        """Store those of some templates that a judge lets in: looking and storing are one transaction, nobody else changes the gallery meanwhile.

        Args:
            name, templates, details, groups, consent, keep_until: as for `add`.
            judge: sees the gallery and says which may be stored; it is asked again when a transaction has to be repeated. What it raises leaves
                the gallery as it was.
            neighbours: how many of the nearest people it sees for each template, 0 for none.

        Returns:
            The person as stored now. When nothing was let in nothing was changed, and it is None for a name that nobody bears.
        """
        ...

    def add_many(self, people: Iterable[NewPerson]) -> int:
        """Store many new people in one transaction: all or none. They are taken one at a time and not kept in memory.

        Returns:
            How many templates were stored.

        Raises:
            PersonExistsError: a name or id is taken, or occurs twice.
            PersonNameError, EmbeddingError, SettingError: as `add`; or an id or a moment that is none.
        """
        ...

    def person(self, who: Who) -> Person:
        """One person, as stored now."""
        ...

    def people(self, group: str | None = None) -> list[Person]:
        """Everybody, or everybody of a group, in the order of enrolment; an unknown group is empty. See `page` for large galleries."""
        ...

    def page(self, *, group: str | None = None, search: str = "", after: str = "", limit: int = 100) -> Page:
        """Some of the people, in the order of enrolment.

        Args:
            group: only people of this group.
            search: only people with this in their name, in any case.
            after: `next` of the page before, "" for the first. It stays right when people are forgotten or enrolled meanwhile.
            limit: at most so many, 1 to 10,000.

        Raises:
            SettingError: `after` or `limit` is not what it may be.
        """
        ...

    def update(
        self,
        who: Who,
        *,
        name: str | None = None,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] | None = None,
        consent: Consent | None = None,
        keep_until: str | None = None,
    ) -> Person:
        """Replace a person's name, details, groups, consent or own retention, all that are given or none. The id and the photos stay.

        Args:
            consent: what they agreed to, instead of what was noted before.
            keep_until: a date, whose end counts, or a moment, to come; "" for no retention of their own.

        Raises:
            PersonNameError, PersonExistsError, SettingError.
        """
        ...

    def merge(self, into: Who, other: Who) -> Person:
        """Move the templates, groups and missing details of `other` to `into`; `other` is known no more.

        Raises:
            SettingError: both are one person, or the two have more details or groups than one person may.
            PersonHeldError: `other` may not be forgotten.
        """
        ...

    def forget(self, who: Who) -> Erased:
        """Erase a person: vectors, sources, details, groups, index rows and caches.

        Raises:
            PersonHeldError: they may not be forgotten.
        """
        ...

    # -- templates ----------------------------------------------------------------------------------------------------
    def templates_of(self, who: Who) -> list[StoredTemplate]:
        """A person's templates in the order of enrolment. Raises GalleryDamagedError."""
        ...

    def drop_template(self, template_id: int, *, of: Who | None = None) -> Erased:
        """Erase one photo's vector; the person stays.

        Args:
            of: only if it is this person's.

        Raises:
            PersonNotFoundError: there is no such template.
            PersonHeldError: nothing of that person may be erased.
        """
        ...

    def sources(self) -> set[str]:
        """sha256 hex digests of all photos that templates came from: what bulk indexing need not read again."""
        ...

    def export(self) -> Iterator[tuple[Person, list[StoredTemplate]]]:
        """Everybody with their templates in the order of enrolment, every vector checked, all as of the moment in which the first is taken.

        Others may change the gallery meanwhile; memory holds one person at a time.
        """
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

    def distances_to(self, who: Who, probe: npt.ArrayLike) -> Embeddings:
        """Distances from a probe to each template of one person, ``(n,)`` float32 in the order of enrolment.

        Raises:
            PersonNotFoundError: also of somebody who is kept for a hold alone: nobody is told that this is them.
        """
        ...

    def count(self, group: str | None = None) -> int:
        """How many templates are stored, of everybody or of a group: the K of a search."""
        ...

    def __len__(self) -> int:
        """How many people are known."""
        ...

    def __contains__(self, who: object) -> bool:
        """Whether somebody is known, by name or id."""
        ...

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self, progress: Tally | None = None) -> None:
        """Make ready to search now instead of at the first search.

        Args:
            progress: told how many templates of how many were read, when all have to be.
        """
        ...

    def tune_search(self, recall: float | None, build: IndexBuild | None = None) -> Tuning:
        """Choose how the gallery is searched from now on, by everybody.

        Args:
            recall: share, in (0, 1], of the people to be found whom an approximate index must find; None searches exactly.
            build: how that index is built, None for the defaults.

        Raises:
            SettingError: another number, or a gallery without approximate indexes: one in a file is always searched exactly.
            NotEnoughDataError: nobody is enrolled to measure recall on.
            RecallError: it is not reached; search is exact then.
        """
        ...

    def check(self) -> CheckReport:
        """Read every byte again and name what is wrong; never raises for damage."""
        ...

    def stats(self) -> Stats:
        """Sizes and settings."""
        ...

    def audit(self, limit: int = 100, *, of: Who | None = None) -> list[AuditEntry]:
        """The latest entries of the audit log, newest first; of everything, or about one person, by `PersonId` also of one who is gone."""
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
