"""What every gallery storage does for the rights of the people in it: holds, retention, and forgetting in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sameface.types import Expired, Person, Retention, Who


class Terms(Protocol):
    """The part of a `TemplateStore` that says how long people are kept."""

    def hold(self, who: Who, reason: str) -> Person:
        """A legal hold: until it is lifted nothing of this person is erased, by nobody. Raises SettingError."""
        ...

    def lift_hold(self, who: Who) -> Person:
        """Let a person be forgotten again; at once, when their time is over. Raises SettingError when they are not held."""
        ...

    def retention(self) -> Mapping[str, Retention]:
        """How long people are kept, by group; under "" everybody."""
        ...

    def set_retention(self, rule: Retention | None, *, group: str | None = None) -> None:
        """Say how long people are kept: everybody, or those of a group. Of all ends that hold for a person the earliest counts.

        Args:
            rule: None takes the rule away.

        Raises:
            SettingError, PersonNameError.
        """
        ...

    def ending(self, within_days: int = 0) -> list[Person]:
        """Who will be forgotten within some days, if nothing changes; those whose time is over and who are still in the record are among them."""
        ...

    def expire(self) -> Expired:
        """Forget everybody whose time is over, but those who are held. Each is a line ``expire`` in the audit log."""
        ...

    def note_access(self, who: Who) -> None:
        """Note in the audit log that what is kept of a person was shown."""
        ...
