"""Unknown faces that were met: "stranger 7" until somebody names them, kept only when asked, and for a time of their own.

Strangers lie in a gallery of their own, bound to the same encoder. One more meeting of the same face joins the stranger it belongs to. What was
said about one stays: that a stranger is *not* a certain person is remembered, and the next time that person's name is not given to this face.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sameface.errors import SettingError
from sameface.matching import is_same
from sameface.recognizer import Gallery
from sameface.types import Embeddings, Person, PersonId, Template, Who

_NAME: Final = re.compile(r"stranger (\d+)\Z")
_SEEN: Final = "last seen"
_MEETINGS: Final = "meetings"
_NOT: Final = "not "
#: Templates kept of one stranger: more add little.
_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Met:
    """A stranger, met once more.

    Attributes:
        name: ``stranger 7``, or as they were named. person_id: in the gallery of strangers.
        new: met for the first time. meetings: how often so far.
    """

    name: str
    person_id: str
    new: bool
    meetings: int


class Strangers:
    """A gallery of strangers. Not safe for several writers at once.

    Args:
        gallery: of strangers alone, with the encoder and detector of the gallery that is watched.
        days: how long one is kept after they were last seen: the gallery's own retention, so whoever's time is over is named by nobody.

    Raises:
        SettingError: no time to keep them.
    """

    def __init__(self, gallery: Gallery, *, days: float) -> None:
        if days <= 0:
            raise SettingError(expected="days above 0 to keep strangers", got=f"{days:g}", advice="say for how long")
        self._gallery, self._kept = gallery, timedelta(days=days)

    def meet(self, embedding: Embeddings, *, now: datetime | None = None) -> Met:
        """Join a face to the stranger that it belongs to, or make a new one.

        Args:
            embedding: ``(d,)`` float32 of a face that nobody in the watched gallery is.
            now: when; None for now.
        """
        now = now or datetime.now(UTC)
        person = self.of(embedding)
        if person is None:
            number = 1 + max((int(found[1]) for found in map(_NAME.match, self._names()) if found), default=0)
            person = self._gallery.store.add(
                f"stranger {number}",
                [Template(embedding)],
                details={_SEEN: _text(now), _MEETINGS: "1"},
                keep_until=_text(now + self._kept),
            )
            return Met(person.name, person.person_id, True, 1)
        meetings = int(person.details.get(_MEETINGS, "0")) + 1
        if person.photos < _MOST:
            self._gallery.store.add(person.name, [Template(embedding)])
        details = {**person.details, _SEEN: _text(now), _MEETINGS: str(meetings)}
        self._gallery.store.update(person, details=details, keep_until=_text(now + self._kept))
        return Met(person.name, person.person_id, False, meetings)

    def of(self, embedding: Embeddings) -> Person | None:
        """The stranger whose face this is, None where it is nobody's."""
        found = self._gallery.store.search(embedding[None], 1)[0]
        if not found or not is_same(found[0].distance, self._gallery.recognizer.operating_point.threshold):
            return None
        return self._gallery.person(PersonId(found[0].person_id))

    def deny(self, who: Who, person_id: str) -> None:
        """Remember that a stranger is not a certain person of the watched gallery.

        Raises:
            PersonNotFoundError: no such stranger.
        """
        person = self._gallery.person(who)
        self._gallery.update(person, details={**person.details, f"{_NOT}{person_id}": "1"})

    def denied(self, embedding: Embeddings, person_id: str, apart: float) -> bool:
        """Whether a face that was taken for a person is a stranger of whom it was said that they are not this person.

        Args:
            apart: the face's distance to that person; the stranger must be nearer.
        """
        person = self.of(embedding)
        if person is None or f"{_NOT}{person_id}" not in person.details:
            return False
        return self._nearest(embedding) < apart

    def _nearest(self, embedding: Embeddings) -> float:
        found = self._gallery.store.search(embedding[None], 1)[0]
        return found[0].distance if found else float("inf")

    def _names(self) -> Iterable[str]:
        return (person.name for person in self._gallery.people())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
