"""Answers about one of many photos or people: an answer, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sameface.errors import SamefaceError
from sameface.recognizer.answer import Answer
from sameface.recognizer.results import Identification, PhotoReport
from sameface.recognizer.words import plural

if TYPE_CHECKING:
    from sameface.recognizer import wire


@dataclass(frozen=True, slots=True, repr=False)
class IdentifiedPhoto(Answer):
    """The 1:K answers for one of many photos.

    Attributes:
        photo: its path, "" where it has none.
        faces: an answer for each face, in reading order.
        error: why there is no answer, None where there is one.
    """

    photo: str
    faces: tuple[Identification, ...] = ()
    error: SamefaceError | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Who was named, in reading order."""
        return tuple(face.name for face in self.faces if face.name is not None)

    def __repr__(self) -> str:
        if self.error is not None:
            return f"IdentifiedPhoto({self.photo!r}: {self.error})"
        named = f", {', '.join(self.names)}" if self.names else ""
        return f"IdentifiedPhoto({self.photo!r}: {plural(len(self.faces), 'face')}{named})"

    def to_wire(self) -> wire.IdentifiedPhoto:
        """As it travels."""
        from sameface.recognizer import wire

        return wire.IdentifiedPhoto(
            photo=self.photo,
            faces=tuple(face.to_wire() for face in self.faces),
            error=wire.problem(self.error) if self.error is not None else None,
        )


@dataclass(frozen=True, slots=True, repr=False)
class NotEnrolled(Answer):
    """One of many people who was not enrolled.

    Attributes:
        name: as it was given.
        error: why not; a refusal has a report for each photo.
    """

    name: str
    error: SamefaceError

    @property
    def accepted(self) -> int:
        """Photos that became templates: none."""
        return 0

    @property
    def reports(self) -> tuple[PhotoReport, ...]:
        """What became of each photo."""
        return tuple(getattr(self.error, "reports", ()))

    def __repr__(self) -> str:
        return f"NotEnrolled({self.name!r}: {self.error})"

    def to_wire(self) -> wire.Enrollment:
        """As it travels."""
        from sameface.recognizer import wire

        fault = wire.problem(self.error)
        return wire.Enrollment(name=self.name, person=None, accepted=0, reports=fault.reports, error=fault)
