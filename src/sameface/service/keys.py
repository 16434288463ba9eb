"""Who asks, and what roles may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sameface.errors import NotAllowedError

Role = Literal["admin", "enroll", "identify", "read"]
#: What a caller wants to do. ``see``: lists, models, policy. ``ask``: detect, verify, identify. ``write``: enroll, rename.
#: ``erase``: forget. ``rule``: make and delete galleries, read raw embeddings.
Action = Literal["see", "ask", "write", "erase", "rule"]

ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    "read": frozenset({"see"}),
    "identify": frozenset({"see", "ask"}),
    "enroll": frozenset({"see", "ask", "write", "erase"}),
    "admin": frozenset({"see", "ask", "write", "erase", "rule"}),
}
#: Scope of a key for every gallery, those to come included.
ALL_GALLERIES: Final = ("*",)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do.

    Attributes:
        key_id: names the key in logs; "" for the open door on loopback.
        rate, burst: instead of the service's own, None for that.
    """

    key_id: str
    role: Role
    galleries: tuple[str, ...]
    rate: float | None = None
    burst: int | None = None

    def require(self, action: Action, gallery: str | None = None) -> None:
        """Raise unless this caller may do that there; None asks for something outside any gallery.

        Raises:
            NotAllowedError: role or scope is too small. The same words whether or not the gallery exists.
        """
        if not self.may(action):
            raise NotAllowedError(
                expected=f"a key that may {_WORDS[action]}",
                got=f"a key of role {self.role}",
                advice="ask the admin for another key",
            )
        if gallery is not None and not self.sees(gallery):
            raise NotAllowedError(
                expected=f"a key for the gallery {gallery!r}",
                got="a key for others",
                advice="ask the admin for another key",
            )

    def may(self, action: Action) -> bool:
        """Whether the role covers an action, wherever."""
        return action in ALLOWED[self.role]

    def sees(self, gallery: str) -> bool:
        """Whether a gallery is within the key's scope."""
        return self.galleries == ALL_GALLERIES or gallery in self.galleries


_WORDS: Final[dict[Action, str]] = {
    "see": "read",
    "ask": "verify and identify",
    "write": "enroll",
    "erase": "forget people",
    "rule": "administer",
}
#: Without keys, on loopback only.
OPEN_DOOR: Final = Caller("", "admin", ALL_GALLERIES)
