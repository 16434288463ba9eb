"""What every backend shares: arguments are checked, changes are put together, noted and refused in this one place.

A backend brings a `Transaction`, the few things that its tables can do, and runs work in one. What it is given is clean already. Signatures stand
here as in `gallery/store/contract.py`, whose docstrings they share: mypy holds the two equal.

Over 300 lines because every change of a gallery passes through this one class; what is longer than a few lines lies in the files beside it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Final, Generic, Self

import numpy as np
import numpy.typing as npt

from sameface.errors import PersonNameError, PersonNotFoundError, SettingError
from sameface.gallery.base.finding import name_taken, the
from sameface.gallery.base.keeping import KeepingStore, Work, make_way, nameable, require_not_held, still, to_come
from sameface.gallery.base.paging import LAST, LONGEST_PAGE, folded, number_of, page_of
from sameface.gallery.base.people import Once, clean_people
from sameface.gallery.rules.names import clean_details, clean_groups, clean_name, is_id
from sameface.gallery.rules.terms import clean_consent, clean_end
from sameface.gallery.rules.vectors import as_probes
from sameface.gallery.store import (
    AuditEntry,
    IfExists,
    IndexBuild,
    Judge,
    NewPerson,
    Page,
    Sight,
    StoredTemplate,
    TemplateStore,
    Transaction,
    Tuning,
)
from sameface.matching import distance
from sameface.types import NO_DETAILS, Candidate, Consent, Embeddings, Erased, Person, PersonId, Template, Who

#: People that are checked and stored at a time.
_CHUNK: Final = 2000


class BaseStore(KeepingStore[Work], TemplateStore, Generic[Work]):
    """A `TemplateStore` but for what only a backend can do."""

    # -- what a backend brings ----------------------------------------------------------------------------------------
    @abstractmethod
    def _search(self, probes: Embeddings, k: int, group: str | None) -> list[list[Candidate]]:
        """`search` for arguments that are clean."""

    @abstractmethod
    def _tune_search(self, recall: float | None, build: IndexBuild) -> Tuning:
        """`tune_search` for a recall that may be one."""

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
        new, vectors = self._prepared(name, templates, details, groups, consent, keep_until)

        def work(transaction: Work) -> Person:
            make_way(transaction, [new])
            known = transaction.named(new.name)
            if known is not None and if_exists == "refuse":
                raise name_taken(new.name)
            return _store(transaction, known, new, vectors)

        return self._write(work)

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
        new, vectors = self._prepared(name, templates, details, groups, consent, keep_until)
        if neighbours:
            self.warm()  # reading everybody for the first time takes long, and nobody should wait for it

        def work(transaction: Work) -> Person | None:
            make_way(transaction, [new])
            known = transaction.named(new.name)
            stored = transaction.templates(known) if known is not None else []
            near = transaction.nearest(vectors, neighbours) if neighbours else [[] for _ in templates]
            chosen = sorted(judge(Sight(known, stored, near)))
            if not chosen:
                return known
            return _store(
                transaction, known, replace(new, templates=[new.templates[at] for at in chosen]), vectors[chosen]
            )

        return self._write(work, alone=True)

    def _prepared(
        self,
        name: str,
        templates: Sequence[Template],
        details: Mapping[str, str] | None,
        groups: Sequence[str],
        consent: Consent | None,
        keep_until: str,
    ) -> tuple[NewPerson, Embeddings]:
        if not templates:
            raise SettingError(expected="at least one template", got="none", advice="give a photo of the person")
        wanted = NewPerson(name, templates, details or NO_DETAILS, groups, consent=consent, keep_until=keep_until)
        (new,), vectors = clean_people([wanted], self.dimension)
        if new.consent is not None:
            to_come(new.consent)
        to_come(new.keep_until)
        return new, vectors

    def add_many(self, people: Iterable[NewPerson]) -> int:
        source = Once(people)

        def work(transaction: Work) -> int:
            stored, iterator = 0, iter(source)
            while chunk := list(islice(iterator, _CHUNK)):
                clean, vectors = clean_people(chunk, self.dimension)
                make_way(transaction, clean)
                transaction.insert(clean, vectors)
                stored += len(vectors)
            transaction.note("import", "", stored)
            return stored

        return self._write(work)

    def person(self, who: Who) -> Person:
        return self._read(lambda transaction: the(transaction, who))

    def people(self, group: str | None = None) -> list[Person]:
        only = _clean_group(group)
        return [person for _, person in self._read(lambda transaction: transaction.listed(only))]

    def page(self, *, group: str | None = None, search: str = "", after: str = "", limit: int = 100) -> Page:
        only, part, start = _clean_group(group), folded(search), number_of(after)
        if not 1 <= limit <= LONGEST_PAGE:
            raise SettingError(
                expected=f"a page of 1 to {LONGEST_PAGE:,} people", got=str(limit), advice="ask for less at a time"
            )
        return self._read(lambda transaction: page_of(transaction, only, part, start, limit))

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
        new_name = None if name is None else clean_name(name)
        new_details = None if details is None else clean_details(details)
        new_groups = None if groups is None else clean_groups(groups)
        new_consent = None if consent is None else to_come(clean_consent(consent))
        new_end = None if keep_until is None else keep_until and to_come(clean_end(keep_until))

        def work(transaction: Work) -> Person:
            person = the(transaction, who)
            if new_name is not None:
                make_way(transaction, [NewPerson(new_name, ())])
            if new_name is not None or new_details is not None:
                transaction.write(
                    person,
                    person.name if new_name is None else new_name,
                    person.details if new_details is None else new_details,
                )
            if new_groups is not None:
                transaction.write_groups(person, new_groups)
            if new_consent is not None or new_end is not None:
                transaction.write_terms(
                    person,
                    person.consent if new_consent is None else new_consent,
                    person.keep_until if new_end is None else new_end,
                    person.hold,
                )
            for action, given in (
                ("rename", new_name),
                ("details", new_details),
                ("groups", new_groups),
                ("consent", new_consent),
                ("keep until", new_end),
            ):
                if given is not None:
                    transaction.note(action, person.person_id, 0)
            return still(transaction, person)

        return self._write(work)

    def merge(self, into: Who, other: Who) -> Person:
        def work(transaction: Work) -> Person:
            kept, gone = the(transaction, into), the(transaction, other)
            if kept.person_id == gone.person_id:
                raise SettingError(
                    expected="two people", got=f"{kept.name!r} twice", advice="name the one to keep, then the other"
                )
            require_not_held(gone)
            moved = transaction.move_templates(gone, kept)
            transaction.remove(gone)
            transaction.write(kept, kept.name, clean_details({**gone.details, **kept.details}))
            transaction.write_groups(kept, clean_groups([*kept.groups, *gone.groups]))
            earlier = min((end for end in (kept.keep_until, gone.keep_until) if end), default="")
            transaction.write_terms(kept, kept.consent or gone.consent, earlier, kept.hold)
            transaction.note("merge", kept.person_id, moved)
            return the(transaction, kept)

        return self._write(work)

    def forget(self, who: Who) -> Erased:
        def work(transaction: Work) -> Erased:
            person = the(transaction, who)
            require_not_held(person)
            return Erased(person.person_id, transaction.erase_people([person], "forget"))

        return self._write(work)

    # -- templates ----------------------------------------------------------------------------------------------------
    def templates_of(self, who: Who) -> list[StoredTemplate]:
        return self._read(lambda transaction: transaction.templates(the(transaction, who)))

    def drop_template(self, template_id: int, *, of: Who | None = None) -> Erased:
        def work(transaction: Work) -> Erased:
            known = 0 <= template_id <= LAST
            person = the(transaction, of) if of is not None else transaction.owner(template_id) if known else None
            if person is not None:
                require_not_held(person)
            if person is None or not known or not transaction.erase_templates(person, template_id):
                raise PersonNotFoundError(
                    expected="a stored photo" if of is None else "a photo of that person",
                    got=f"photo {template_id}",
                    advice="see the person's list of photos",
                )
            transaction.note("drop template", person.person_id, 1)
            return Erased(person.person_id, 1)

        return self._write(work)

    def sources(self) -> set[str]:
        return self._read(lambda transaction: transaction.sources())

    # -- searching ----------------------------------------------------------------------------------------------------
    def search(self, probes: npt.ArrayLike, k: int = 1, *, group: str | None = None) -> list[list[Candidate]]:
        if k < 1:
            raise SettingError(expected="at least one candidate", got=f"k = {k}", advice="ask for 1 or more")
        return self._search(as_probes(probes, self.dimension), k, _clean_group(group))

    def distances_to(self, who: Who, probe: npt.ArrayLike) -> Embeddings:
        vector = as_probes(probe, self.dimension)[0]
        stored = self._read(lambda transaction: transaction.templates(nameable(the(transaction, who))))
        return np.array([distance(vector, item.template.embedding) for item in stored], np.float32)

    def tune_search(self, recall: float | None, build: IndexBuild | None = None) -> Tuning:
        if recall is not None and not 0 < recall <= 1:
            raise SettingError(expected="a recall above 0 and at most 1", got=str(recall), advice="ask for 0.99, say")
        return self._tune_search(recall, build if build is not None else IndexBuild())

    def count(self, group: str | None = None) -> int:
        only = _clean_group(group)
        return self._read(lambda transaction: transaction.count_templates(only))

    def __len__(self) -> int:
        return self._read(lambda transaction: transaction.count_people())

    def __contains__(self, who: object) -> bool:
        if not isinstance(who, str | PersonId | Person):
            return False
        try:
            self.person(who)
        except (PersonNotFoundError, PersonNameError):
            return False
        return True

    # -- care ---------------------------------------------------------------------------------------------------------
    def audit(self, limit: int = 100, *, of: Who | None = None) -> list[AuditEntry]:
        if limit < 0:
            raise SettingError(expected="a number of entries", got=str(limit), advice="give 0 or more")
        limit = min(limit, LAST)  # no backend counts further

        def work(transaction: Work) -> list[AuditEntry]:
            if of is None:
                return transaction.audit(limit)
            if isinstance(of, PersonId) and is_id(of.value):  # their lines outlast them
                return transaction.audit(limit, of.value)
            return transaction.audit(limit, the(transaction, of).person_id)

        return self._read(work)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _store(transaction: Transaction, known: Person | None, new: NewPerson, vectors: Embeddings) -> Person:
    """Store the templates of somebody who is known, or of somebody new."""
    if known is None:
        transaction.insert([new], vectors)
        person_id = new.person_id
    else:
        transaction.extend(known, new.templates, vectors)
        person_id = known.person_id
        if new.details:
            transaction.write(known, known.name, clean_details({**known.details, **new.details}))
        if new.groups:
            transaction.write_groups(known, clean_groups([*known.groups, *new.groups]))
        if new.consent is not None or new.keep_until:
            transaction.write_terms(known, new.consent or known.consent, new.keep_until or known.keep_until, known.hold)
    transaction.note("add", person_id, len(new.templates))
    if new.consent is not None:
        transaction.note("consent", person_id, 0)
    return the(transaction, PersonId(person_id))


def _clean_group(group: str | None) -> str | None:
    return None if group is None else clean_name(group, "a group")
