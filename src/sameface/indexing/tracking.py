"""Faces of a video as tracks: one identity through many frames, named by vote.

A single frame may be blurred or turned; a track remembers. Faces of consecutive frames belong together when their boxes overlap; the name of a
track is the one that most of its recent frames gave, and it changes only when another has clearly more votes. One name is held by one track at
a time: nobody is in two places at once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sameface.errors import SettingError
from sameface.types import Box

EventKind = Literal["appeared", "named", "left"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face of one frame, as it was identified there.

    Attributes:
        box: where it is.
        name, person_id: the answer of this frame alone, None for nobody.
        distance: to the nearest person, None in an empty gallery.
    """

    box: Box
    name: str | None = None
    person_id: str | None = None
    distance: float | None = None


@dataclass(slots=True)
class Track:
    """A face through time.

    Attributes:
        track_id: counts from 1, never reused within a tracker.
        box: where it was last.
        name, person_id: by vote; None while undecided or unknown.
        since, last: seconds of its first and latest frame.
        frames: in how many it was seen.
    """

    track_id: int
    box: Box
    since: float
    last: float
    name: str | None = None
    person_id: str | None = None
    frames: int = 0
    best_distance: float | None = None
    _votes: deque[tuple[str | None, str | None]] = field(default_factory=deque)

    @property
    def votes(self) -> Counter[tuple[str | None, str | None]]:
        """Recent frames by (name, person id)."""
        return Counter(self._votes)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a track.

    Attributes:
        kind: ``appeared`` when it began, ``named`` when its name was settled or changed (None: no longer sure), ``left`` when it ended.
        at: seconds.
    """

    kind: EventKind
    at: float
    track_id: int
    name: str | None
    person_id: str | None
    since: float
    frames: int
    best_distance: float | None


class Tracker:
    """Links the faces of frames. Not safe for several threads: frames have an order.

    Args:
        window: recent frames that vote.
        enough: votes that a name needs, within the window.
        overlap: intersection over union from which two boxes may be the same face.
        patience: seconds that a track outlives its last sighting.
    """

    def __init__(self, *, window: int = 15, enough: int = 3, overlap: float = 0.25, patience: float = 1.5) -> None:
        if not 1 <= enough <= window or not 0 < overlap < 1 or patience < 0:
            raise SettingError(
                expected="1 ≤ enough ≤ window, an overlap between 0 and 1, a patience of 0 or more",
                got=f"enough {enough}, window {window}, overlap {overlap}, patience {patience}",
                advice="correct the setting",
            )
        self._window, self._enough, self._overlap, self._patience = window, enough, overlap, patience
        self._tracks: list[Track] = []
        self._count = 0

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Tracks that live, oldest first."""
        return tuple(self._tracks)

    def update(self, at: float, sightings: Sequence[Sighting]) -> list[Event]:
        """Take in one frame.

        Args:
            at: its time in seconds, never before the one of the frame before.
            sightings: every face of the frame; none is fine.

        Returns:
            What happened, in the order of tracks.
        """
        events = self._end_old(at)
        pairs = self._link(sightings)
        for place, sighting in enumerate(sightings):
            track = pairs.get(place)
            if track is None:
                self._count += 1
                track = Track(self._count, sighting.box, at, at)
                track._votes = deque(maxlen=self._window)
                self._tracks.append(track)
                events.append(_event("appeared", at, track))
            track.box, track.last = sighting.box, at
            track.frames += 1
            track._votes.append((sighting.name, sighting.person_id))
            if sighting.name is not None and sighting.distance is not None:
                nearest = (track.best_distance, sighting.distance)
                track.best_distance = min(value for value in nearest if value is not None)
        return events + self._name(at)

    def finish(self, at: float) -> list[Event]:
        """End every track that lives."""
        events = [_event("left", at, track) for track in self._tracks]
        self._tracks = []
        return events

    def _end_old(self, at: float) -> list[Event]:
        ended = [track for track in self._tracks if at - track.last > self._patience]
        self._tracks = [track for track in self._tracks if track not in ended]
        return [_event("left", track.last, track) for track in ended]

    def _link(self, sightings: Sequence[Sighting]) -> dict[int, Track]:
        """Tracks by place of their sighting: largest overlap first, each track and each sighting once."""
        candidates = [
            (overlap_of(track.box, sighting.box), -track.track_id, place, track)
            for track in self._tracks
            for place, sighting in enumerate(sightings)
        ]
        candidates.sort(key=lambda item: item[:2], reverse=True)
        linked: dict[int, Track] = {}
        taken: set[int] = set()
        for overlap, _, place, track in candidates:
            if overlap >= self._overlap and place not in linked and track.track_id not in taken:
                linked[place] = track
                taken.add(track.track_id)
        return linked

    def _name(self, at: float) -> list[Event]:
        """Let each track's frames vote; a name wanted by several tracks goes to the one with most votes for it."""
        wishes: list[tuple[int, Track, str | None, str | None]] = []
        for track in self._tracks:
            (name, person_id), count = self._winner(track)
            wishes.append((count, track, name, person_id))
        held: set[str] = set()
        changes: list[Event] = []
        for _, track, name, person_id in sorted(wishes, key=lambda wish: (-wish[0], wish[1].track_id)):
            if name is not None and name in held:
                name, person_id = None, None
            if name is not None:
                held.add(name)
            if (name, person_id) != (track.name, track.person_id):
                track.name, track.person_id = name, person_id
                changes.append(_event("named", at, track))
        return sorted(changes, key=lambda event: event.track_id)

    def _winner(self, track: Track) -> tuple[tuple[str | None, str | None], int]:
        """The name with most votes when it has enough and more than half of them; else the name so far, while it has votes left."""
        votes = track.votes
        best, count = max(votes.items(), key=lambda item: (item[1], item[0][0] == track.name))
        if count >= self._enough and 2 * count > len(track._votes):
            return best, count
        kept = (track.name, track.person_id)
        return (kept, votes[kept]) if votes[kept] else ((None, None), 0)


def overlap_of(a: Box, b: Box) -> float:
    """Intersection over union.

    >>> overlap_of(Box(0, 0, 2, 2), Box(1, 0, 3, 2))
    0.3333333333333333
    >>> overlap_of(Box(0, 0, 1, 1), Box(2, 2, 3, 3))
    0.0
    """
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.area + b.area - shared)


def _event(kind: EventKind, at: float, track: Track) -> Event:
    return Event(kind, at, track.track_id, track.name, track.person_id, track.since, track.frames, track.best_distance)
