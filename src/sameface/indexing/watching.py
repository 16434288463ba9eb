"""Faces before cameras, told as events: who is known, who is not, who left, which camera is lost, and whether a face looks living."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any, Literal

from sameface.imaging import open_photo
from sameface.indexing.strangers import Strangers
from sameface.indexing.tracking import Sighting, Tracker
from sameface.liveness import PassiveLiveness
from sameface.recognizer import EncodedFace, Gallery, Identification
from sameface.types import ImageRGB

EventName = Literal["known", "unknown", "left", "liveness", "lost", "back"]


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """Something that happened before a camera; what webhooks and MQTT carry, as JSON.

    Attributes:
        event: ``known``: a face has a name now; ``unknown``: a face stays without one; ``left``: it is gone; ``liveness``: how living it looks;
            ``lost`` and ``back``: the camera gives no frames, and gives them again.
        camera: its name. time: UTC, ISO 8601. track_id: of the face, counted for each camera; 0 for an event of the camera.
        name, person_id: of whom is known; of a stranger their name as a stranger. stranger: whether the name is one of those.
        meetings: how often a stranger was met. liveness: median passive score of the frames so far.
    """

    event: EventName
    camera: str
    time: str
    track_id: int = 0
    name: str | None = None
    person_id: str | None = None
    stranger: bool = False
    meetings: int | None = None
    liveness: float | None = None


@dataclass(slots=True)
class _Face:
    """What is remembered of a track."""

    told: bool = False
    name: str | None = None
    person_id: str | None = None
    stranger: bool = False
    best: EncodedFace | None = None
    size: float = 0.0
    scores: list[float] = field(default_factory=list)


class Watcher:
    """One camera's faces. Not safe for several threads.

    Args:
        camera: its name.
        gallery: of the people who are known.
        strangers: where unknown faces are kept; None keeps none.
        passive: scores the first frames of each face; None scores none.
        enough: frames that must agree on a name. after: frames without a name that make a face unknown; the same number are scored.
        patience: seconds a face may be out of sight.
    """

    def __init__(
        self,
        camera: str,
        gallery: Gallery,
        *,
        strangers: Strangers | None = None,
        passive: PassiveLiveness | None = None,
        enough: int = 3,
        after: int = 8,
        patience: float = 1.5,
    ) -> None:
        self._camera, self._gallery, self._strangers, self._passive = camera, gallery, strangers, passive
        self._after = after
        self._tracker = Tracker(enough=enough, window=max(15, enough), patience=patience)
        self._faces: dict[int, _Face] = {}

    def look(self, at: float, image_rgb: ImageRGB, *, now: datetime | None = None) -> list[CameraEvent]:
        """Take in one frame.

        Args:
            at: seconds, for what belongs together; never before those of the frame before.
            now: for what is told; None for now.
        """
        photo = open_photo(image_rgb, limits=self._gallery.recognizer.limits)
        faces = self._gallery.recognizer.encode_faces(photo)
        answers = self._gallery.identify_faces(faces, candidates=1)
        sightings = [
            Sighting(answer.box, None, None, answer.distance)
            if self._denied(face, answer)
            else Sighting(answer.box, answer.name, answer.person_id, answer.distance)
            for face, answer in zip(faces, answers, strict=True)
        ]
        happened = self._tracker.update(at, sightings)
        time = now or datetime.now(UTC)
        self._remember(at, image_rgb, faces)
        told = [event for item in happened for event in self._of_track(item, time)]
        return told + self._settled(time)

    def finish(self, at: float, *, now: datetime | None = None) -> list[CameraEvent]:
        """End every track that lives."""
        time = now or datetime.now(UTC)
        return [event for item in self._tracker.finish(at) for event in self._of_track(item, time)]

    def lost_or_back(self, what: Literal["lost", "back"], *, now: datetime | None = None) -> CameraEvent:
        """The camera itself."""
        return CameraEvent(what, self._camera, _text(now or datetime.now(UTC)))

    def _denied(self, face: EncodedFace, answer: Identification) -> bool:
        if self._strangers is None or answer.person_id is None or answer.distance is None:
            return False
        return self._strangers.denied(face.embedding, answer.person_id, answer.distance)

    def _remember(self, at: float, image_rgb: ImageRGB, faces: Sequence[EncodedFace]) -> None:
        """Each track's largest face, and its scores."""
        for track in self._tracker.tracks:
            if track.last != at:
                continue
            face = self._faces.setdefault(track.track_id, _Face())
            seen = next((item for item in faces if item.detection.box == track.box), None)
            if seen is None:
                continue
            if seen.detection.box.area > face.size:
                face.best, face.size = seen, seen.detection.box.area
            if self._passive is not None and len(face.scores) < self._after:
                face.scores.append(self._passive.judge(image_rgb, [seen.detection])[0].score)

    def _of_track(self, item: Any, time: datetime) -> Iterable[CameraEvent]:
        face = self._faces.setdefault(item.track_id, _Face())
        if item.kind == "named" and item.name is not None:
            face.told, face.name, face.person_id, face.stranger = True, item.name, item.person_id, False
            yield self._event("known", item.track_id, time)
        elif item.kind == "left":
            yield self._event("left", item.track_id, time)
            del self._faces[item.track_id]

    def _settled(self, time: datetime) -> list[CameraEvent]:
        """Faces that were seen often enough to say that nobody knows them, and how living they look."""
        told = []
        for track in self._tracker.tracks:
            face = self._faces.get(track.track_id)
            if face is None or track.frames != self._after:
                continue
            if self._passive is not None:
                told.append(self._event("liveness", track.track_id, time))
            if track.name is not None or face.told:
                continue
            face.told, meetings = True, None
            if self._strangers is not None and face.best is not None:
                met = self._strangers.meet(face.best.embedding, now=time)
                face.name, face.person_id, face.stranger, meetings = met.name, met.person_id, True, met.meetings
            told.append(self._event("unknown", track.track_id, time, meetings))
        return told

    def _event(self, kind: EventName, track_id: int, time: datetime, meetings: int | None = None) -> CameraEvent:
        face = self._faces[track_id]
        return CameraEvent(
            kind,
            self._camera,
            _text(time),
            track_id,
            face.name,
            face.person_id,
            face.stranger,
            meetings,
            round(median(face.scores), 4) if face.scores else None,
        )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
