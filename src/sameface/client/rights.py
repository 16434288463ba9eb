"""The rights of people, asked of a service: the questions once, and both clients' ways to ask them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from sameface.client.asking import Ask
from sameface.plain import known
from sameface.recognizer.wire import Access, AuditLine, Expired, Person, Retention
from sameface.types import Who

Answer = TypeVar("Answer")


def _as(kind: type[Answer]) -> Callable[[dict[str, Any]], Answer]:
    return lambda body: msgspec.convert(body, known(kind))


class RightsAsks:
    """The questions.

    Args:
        path: of the gallery, below ``/v1/``.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def hold(self, person_id: str, reason: str) -> Ask[Person]:
        """Hold a person."""
        return Ask("PUT", f"{self._path}/people/{person_id}/hold", _as(Person), json={"reason": reason})

    def lift_hold(self, person_id: str) -> Ask[Person]:
        """Hold them no more."""
        return Ask("DELETE", f"{self._path}/people/{person_id}/hold", _as(Person))

    def retention(self) -> Ask[dict[str, Retention]]:
        """How long people are kept."""
        return Ask(
            "GET", f"{self._path}/retention", lambda body: msgspec.convert(body["rules"], known(dict[str, Retention]))
        )

    def set_retention(self, rule: Retention | None, group: str | None) -> Ask[None]:
        """Say how long."""
        kept = rule or Retention()
        body: Mapping[str, object] = {
            "days": kept.days,
            "until": kept.until,
            **({} if group is None else {"group": group}),
        }
        return Ask("PUT", f"{self._path}/retention", lambda _: None, json=body)

    def expire(self) -> Ask[Expired]:
        """Forget whose time is over."""
        return Ask("POST", f"{self._path}/expire", _as(Expired))

    def access(self, person_id: str, embeddings: bool) -> Ask[Access]:
        """What is kept of a person."""
        parts = {"embeddings": str(embeddings).lower()}
        return Ask("GET", f"{self._path}/people/{person_id}/access", _as(Access), params=parts)

    def history(self, person_id: str) -> Ask[list[AuditLine]]:
        """What was done to a person's record."""
        return Ask(
            "GET",
            f"{self._path}/people/{person_id}/history",
            lambda body: msgspec.convert(body["lines"], known(list[AuditLine])),
        )


class Rights(ABC):
    """The part of `RemoteGallery` that keeps the rights of people."""

    _rights: RightsAsks

    @abstractmethod
    def _ask(self, ask: Ask[Answer]) -> Answer: ...

    @abstractmethod
    def _id(self, who: Who) -> str: ...

    def hold(self, who: Who, reason: str) -> Person:
        """A legal hold: until `lift_hold` nothing of this person is erased. For admins."""
        return self._ask(self._rights.hold(self._id(who), reason))

    def lift_hold(self, who: Who) -> Person:
        """Let a person be forgotten again. For admins."""
        return self._ask(self._rights.lift_hold(self._id(who)))

    def retention(self) -> dict[str, Retention]:
        """How long people are kept, by group; under "" everybody."""
        return self._ask(self._rights.retention())

    def set_retention(self, rule: Retention | None, *, group: str | None = None) -> None:
        """Say how long people are kept: everybody, or those of a group; None takes the rule away. For admins."""
        self._ask(self._rights.set_retention(rule, group))

    def expire(self) -> Expired:
        """Forget everybody whose time is over, now; the service does it by itself, too."""
        return self._ask(self._rights.expire())

    def access(self, who: Who, *, embeddings: bool = False) -> Access:
        """Everything that is kept of one person; embeddings for admins, where the server allows them."""
        return self._ask(self._rights.access(self._id(who), embeddings))

    def history(self, who: Who) -> list[AuditLine]:
        """What was done to a person's record, the oldest first."""
        return self._ask(self._rights.history(self._id(who)))


class AsyncRights(ABC):
    """The part of `AsyncRemoteGallery` that keeps the rights of people; see `Rights`."""

    _rights: RightsAsks

    @abstractmethod
    async def _ask(self, ask: Ask[Answer]) -> Answer: ...

    @abstractmethod
    async def _id(self, who: Who) -> str: ...

    async def hold(self, who: Who, reason: str) -> Person:
        """A legal hold: until `lift_hold` nothing of this person is erased. For admins."""
        return await self._ask(self._rights.hold(await self._id(who), reason))

    async def lift_hold(self, who: Who) -> Person:
        """Let a person be forgotten again. For admins."""
        return await self._ask(self._rights.lift_hold(await self._id(who)))

    async def retention(self) -> dict[str, Retention]:
        """How long people are kept, by group; under "" everybody."""
        return await self._ask(self._rights.retention())

    async def set_retention(self, rule: Retention | None, *, group: str | None = None) -> None:
        """Say how long people are kept: everybody, or those of a group; None takes the rule away. For admins."""
        await self._ask(self._rights.set_retention(rule, group))

    async def expire(self) -> Expired:
        """Forget everybody whose time is over, now; the service does it by itself, too."""
        return await self._ask(self._rights.expire())

    async def access(self, who: Who, *, embeddings: bool = False) -> Access:
        """Everything that is kept of one person; embeddings for admins, where the server allows them."""
        return await self._ask(self._rights.access(await self._id(who), embeddings))

    async def history(self, who: Who) -> list[AuditLine]:
        """What was done to a person's record, the oldest first."""
        return await self._ask(self._rights.history(await self._id(who)))
