"""How long people are kept, and how they are forgotten in time, for every backend in this one place."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from sameface.errors import PersonHeldError, PersonNotFoundError, SettingError
from sameface.gallery.base.finding import the
from sameface.gallery.rules.names import clean_name
from sameface.gallery.rules.terms import EVERYBODY, MOST_DAYS, clean_retention, clean_term
from sameface.gallery.store import NewPerson, Transaction, now
from sameface.types import Consent, Erased, Expired, Person, Retention, Who

Result = TypeVar("Result")
Work = TypeVar("Work", bound=Transaction)
End = TypeVar("End", str, Consent)
#: People that are forgotten in one transaction: others get their turn in between.
_AT_ONCE: Final = 1000


class KeepingStore(Generic[Work]):
    """The part of a store that keeps the rights of people."""

    # -- what a backend brings ----------------------------------------------------------------------------------------
    @abstractmethod
    def _read(self, work: Callable[[Work], Result]) -> Result:
        """Run work that changes nothing, all of one moment."""

    @abstractmethod
    def _write(self, work: Callable[[Work], Result], *, alone: bool = False) -> Result:
        """Run work in one durable transaction; it may be run again when it was undone.

        What it erases is erased from every cache too, and counted in an `Erased` or an `Expired` that it returns.

        Args:
            alone: nobody else changes the gallery from before the work to its end.
        """

    # -- on what terms ------------------------------------------------------------------------------------------------
    def hold(self, who: Who, reason: str) -> Person:
        clean = clean_term(reason, "the reason of a hold")

        def work(transaction: Work) -> Person:
            person = the(transaction, who)
            transaction.write_terms(person, person.consent, person.keep_until, clean)
            transaction.note("hold", person.person_id, 0)
            return the(transaction, person)

        return self._write(work)

    def lift_hold(self, who: Who) -> Person:
        def work(transaction: Work) -> Person:
            person = the(transaction, who)
            if not person.hold:
                raise SettingError(
                    expected="somebody who is held", got=f"{person.name!r}, who is not", advice="nothing is to be done"
                )
            transaction.write_terms(person, person.consent, person.keep_until, "")
            transaction.note("lift hold", person.person_id, 0)
            found = transaction.identified(person.person_id)
            if found is not None:
                return found
            transaction.erase_people([person], "expire")
            return person

        return self._write(work)

    def retention(self) -> Mapping[str, Retention]:
        return self._read(lambda transaction: transaction.retention())

    def set_retention(self, rule: Retention | None, *, group: str | None = None) -> None:
        clean = None if rule is None else clean_retention(rule)
        name = EVERYBODY if group is None else clean_name(group, "a group")

        def work(transaction: Work) -> None:
            rules = {key: kept for key, kept in transaction.retention().items() if key != name}
            transaction.write_retention(rules if clean is None else {**rules, name: clean}, changed=name)
            transaction.note("retention", "", 0)

        self._write(work, alone=True)  # whoever enrolls meanwhile would do it by the old rules

    def ending(self, within_days: int = 0) -> list[Person]:
        if not 0 <= within_days <= MOST_DAYS:
            raise SettingError(expected=f"0 to {MOST_DAYS:,} days", got=str(within_days), advice="ask for fewer")
        before = (datetime.now(UTC) + timedelta(days=within_days)).isoformat(timespec="seconds")
        return self._read(lambda transaction: transaction.ending(before))

    def expire(self) -> Expired:
        done, left = Expired((), 0), True
        while left:
            part = self._forget_some()
            pending = tuple(sorted({*done.pending, *part.pending}))
            done = Expired((*done.people, *part.people), done.templates + part.templates, part.held, pending)
            left = len(part.people) == _AT_ONCE
        return done

    def _forget_some(self) -> Expired:
        if not self._read(lambda transaction: transaction.ending(now(), 1)):  # nobody's turn is taken for nothing
            return Expired((), 0, self._read(lambda transaction: transaction.held_over(now())))

        def work(transaction: Work) -> Expired:
            moment = now()
            people = transaction.ending(moment, _AT_ONCE)
            templates = transaction.erase_people(people, "expire")
            return Expired(tuple(person.person_id for person in people), templates, transaction.held_over(moment))

        return self._write(work)

    def note_access(self, who: Who) -> None:
        self._write(lambda transaction: transaction.note("access", the(transaction, who).person_id, 0))


def make_way(transaction: Transaction, people: Sequence[NewPerson]) -> None:
    """Forget those whose time is over and who bear the names or ids of others that come."""
    gone = transaction.in_the_way(people)
    if gone:
        transaction.erase_people(gone, "expire")


def require_not_held(person: Person) -> None:
    """Raise PersonHeldError when somebody may not be forgotten."""
    if person.hold:
        raise PersonHeldError(
            expected="somebody who may be forgotten",
            got=f"{person.name!r}, who is held: {person.hold}",
            advice="lift the hold first, if you may",
        )


def nameable(person: Person) -> Person:
    """Somebody who may be named. Raises PersonNotFoundError: their time is over, and they are kept for a hold alone."""
    if person.expires and person.expires <= now():
        raise PersonNotFoundError(
            expected="somebody who may be named",
            got="one whose time is over, kept for a legal hold alone",
            advice="ask whoever holds them",
        )
    return person


def still(transaction: Transaction, person: Person) -> Person:
    """Somebody after a change. Raises SettingError: by their new terms or groups their time is over."""
    found = transaction.identified(person.person_id)
    if found is None:
        raise SettingError(
            expected="terms that end later than now",
            got=f"some by which the time of {person.name!r} is over",
            advice="forget them, if that is meant",
        )
    return found


def to_come(end: End) -> End:
    """An end that is to come, of a consent or a moment. Raises SettingError: a wrong year would forget somebody at once."""
    moment = end if isinstance(end, str) else end.until
    if moment and moment <= now():
        raise SettingError(
            expected="an end that is to come", got=f"{moment}, which is over", advice="forget them, if that is meant"
        )
    return end


def with_places(done: Result, elsewhere: Mapping[str, int], pending: tuple[str, ...]) -> Result:
    """What work that erased something returns, with what was erased from caches, and where old bytes lie a while longer."""
    if isinstance(done, Erased):
        return Erased(done.person_id, done.templates, dict(elsewhere), pending)  # type: ignore[return-value]
    if isinstance(done, Expired):
        return Expired(done.people, done.templates, done.held, pending)  # type: ignore[return-value]
    return done
