"""The people of a gallery: listed, looked up, changed, forgotten. No network is needed for any of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sameface.arguments import explained
from sameface.gallery import TemplateStore
from sameface.recognizer.near_names import near_names
from sameface.recognizer.roster import as_tags
from sameface.tables import Answers
from sameface.types import Consent, Erased, Expired, Person, Retention, Who

if TYPE_CHECKING:
    from sameface.recognizer import wire

#: People that are listed at a time.
_PAGE: Final = 500


class People(ABC):
    """What `Gallery` does with people once they are enrolled."""

    @property
    @abstractmethod
    def store(self) -> TemplateStore:
        """Where templates lie."""

    @property
    @abstractmethod
    def _exists(self) -> bool:
        """Whether there is a gallery yet."""

    @explained
    def people(self, group: str | None = None) -> Answers[Person]:
        """Everybody enrolled, in order of enrolment. Iterating over the gallery itself takes them a page at a time."""
        return Answers(self.store.people(group) if self._exists else [])

    @explained
    def page(
        self, *, group: str | None = None, search: str = "", after: str | None = None, limit: int = 100
    ) -> wire.People:
        """Some of the people, in order of enrolment.

        Args:
            group: only people of this group.
            search: only people with this in their name, in any case.
            after: `next` of the page before, None for the first.
            limit: at most so many, 1 to 10,000.

        Raises:
            SettingError: `after` or `limit` is not what it may be.
        """
        from sameface.recognizer import wire

        if not self._exists:
            return wire.People(people=(), total=0)
        found = self.store.page(group=group, search=search, after=after or "", limit=limit)
        return wire.People(people=found.people, total=found.total, next=found.next or None)

    @explained
    def person(self, who: Who) -> Person:
        """One person.

        Args:
            who: a name, a `PersonId`, or a `Person` of an earlier look-up, who is meant by id whatever their name is now.

        Raises:
            PersonNotFoundError: nobody of that name or id; the message names those who are called nearly so.
        """
        with near_names(self, who):
            return self.store.person(who)

    @explained
    def update(
        self,
        who: Who,
        *,
        name: str | None = None,
        details: Mapping[str, str] | None = None,
        groups: Iterable[str] | None = None,
        consent: Consent | None = None,
        keep_until: str | None = None,
    ) -> Person:
        """Replace a person's name, details, groups, consent or own retention: all that are given, or none of them.

        Args:
            consent: what they agreed to.
            keep_until: a date, whose end counts, or a moment; "" for no retention of their own. From the earliest of all ends on
                (`Person.expires`) nobody names them, and they are forgotten.
        """
        tags = None if groups is None else as_tags(groups)
        with near_names(self, who):
            return self.store.update(
                who, name=name, details=details, groups=tags, consent=consent, keep_until=keep_until
            )

    @explained
    def rename(self, who: Who, new: str) -> Person:
        """Give a person another name; the id and the photos stay."""
        with near_names(self, who):
            return self.store.update(who, name=new)

    @explained
    def merge(self, into: Who, other: Who) -> Person:
        """Two entries are one person: the second's photos go to the first."""
        with near_names(self, into, other):
            return self.store.merge(into, other)

    @explained
    def forget(self, who: Who) -> Erased:
        """Erase a person: vectors, index rows and caches. Says what was erased.

        Raises:
            PersonHeldError: a legal hold forbids it.
        """
        with near_names(self, who):
            return self.store.forget(who)

    # -- their rights ---------------------------------------------------------------------------------------------
    def hold(self, who: Who, reason: str) -> Person:
        """A legal hold: until `lift_hold` nothing of this person is erased, not even when their time is over."""
        with near_names(self, who):
            return self.store.hold(who, reason)

    def lift_hold(self, who: Who) -> Person:
        """Let a person be forgotten again; at once, when their time is over."""
        with near_names(self, who):
            return self.store.lift_hold(who)

    def retention(self) -> Mapping[str, Retention]:
        """How long people are kept, by group; under "" everybody."""
        return self.store.retention()

    def set_retention(self, rule: Retention | None, *, group: str | None = None) -> None:
        """Say how long people are kept: everybody, or those of a group; None takes the rule away."""
        self.store.set_retention(rule, group=group)

    def expire(self) -> Expired:
        """Forget everybody whose time is over, but those who are held. A service does it by itself."""
        return self.store.expire()

    def access(self, who: Who, *, embeddings: bool = False) -> wire.Access:
        """Everything that is kept of one person, to be handed to them. The audit log notes it.

        Args:
            embeddings: their numbers too, which are biometric data.
        """
        from sameface.recognizer.access import everything_about

        with near_names(self, who):
            return everything_about(self.store, who, embeddings=embeddings)

    def history(self, who: Who) -> Answers[wire.AuditLine]:
        """What was done to a person's record, the oldest first.

        Raises:
            PersonNotFoundError: nobody of that name or id.
        """
        from sameface.recognizer.access import history_of

        return Answers(history_of(self.store, self.person(who)))

    def __len__(self) -> int:
        return len(self.store) if self._exists else 0

    def __contains__(self, who: object) -> bool:
        return self._exists and who in self.store

    def __iter__(self) -> Iterator[Person]:
        """Everybody in order of enrolment, a page at a time: whoever is forgotten or enrolled meanwhile may or may not be among them."""
        after = ""
        while self._exists:
            page = self.store.page(after=after, limit=_PAGE)
            yield from page.people
            after = page.next
            if not after:
                return
