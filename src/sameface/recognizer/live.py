"""A live session on pictures: the recognizer finds and encodes the face of each frame, `sameface.liveness.session` judges."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sameface.defaults import DEFAULT_DETECTOR
from sameface.errors import FaceError, SettingError
from sameface.faces.none import WHOLE_PICTURE
from sameface.imaging import ImageSource, Photo, open_photo
from sameface.liveness.challenge import Action, MovedBy, draw_challenge
from sameface.liveness.passive import PassiveLiveness
from sameface.liveness.session import Made, Prompt, Rules, Seen, Session, State
from sameface.recognizer.recognizer import Recognizer
from sameface.types import Embeddings


@dataclass(frozen=True, slots=True)
class LiveResult:
    """How a session ended.

    Attributes:
        passed: whether every check held.
        reason: why not, a key of `sameface.liveness.session.REASONS`; "" where it passed.
        made: the movements, in order.
        seconds: from its start to its last frame. frames: that counted.
        chance: how likely a video of other movements has these by luck.
        passive: median of the frames' passive scores, None where those were not asked for.
    """

    passed: bool
    reason: str
    made: tuple[Made, ...]
    seconds: float
    frames: int
    chance: float
    passive: float | None = None


class LiveSession:
    """Asks for movements and looks at frames until it has passed or failed. One session is one answer; make another for the next.

    Args:
        recognizer: finds and encodes the face; τ of the same face is its operating point's.
        steps: movements, 3 to 8.
        moved_by: ``head``, or ``camera`` where a head cannot be turned: then the camera is moved around it.
        leave_out: movements that are not asked.
        passive: looks at each frame as well, and its median score must be at least `least_passive`.
        least_passive: 0 to 1.
        rules: limits; None takes the defaults with the recognizer's τ.
        clock: seconds that only grow; those of the frames, never of their sender.

    Attributes:
        rules: its limits.

    Raises:
        SettingError: as `draw_challenge`; the recognizer's detector gives no points.
        NoThresholdError: the recognizer has no τ.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        steps: int = 4,
        moved_by: MovedBy = "head",
        leave_out: Sequence[Action] = (),
        passive: PassiveLiveness | None = None,
        least_passive: float = 0.0,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        challenge = draw_challenge(steps, moved_by=moved_by, leave_out=leave_out)
        self._begin(recognizer, passive, _rules(recognizer, rules, least_passive), clock)
        self._session = Session(challenge, self.rules, at=clock())

    def _begin(
        self, recognizer: Recognizer, passive: PassiveLiveness | None, rules: Rules, clock: Callable[[], float]
    ) -> None:
        check_points(recognizer)
        self._recognizer, self._passive, self.rules, self._clock = recognizer, passive, rules, clock

    @classmethod
    def again(
        cls,
        state: State,
        recognizer: Recognizer,
        *,
        passive: PassiveLiveness | None = None,
        least_passive: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> LiveSession:
        """Go on with a session that was kept elsewhere between two frames."""
        session = cls.__new__(cls)
        session._begin(recognizer, passive, _rules(recognizer, None, least_passive), clock)
        session._session = Session.again(state, session.rules)
        return session

    @property
    def state(self) -> State:
        """All that it knows: it holds biometric data."""
        return self._session.state

    @property
    def over(self) -> bool:
        """Whether it has passed or failed."""
        return self._session.over

    @property
    def prompt(self) -> Prompt:
        """What to do now."""
        return self._session.prompt()

    @property
    def result(self) -> LiveResult:
        """How it stands; final once it is over."""
        state = self.state
        return LiveResult(
            state.phase == "passed",
            state.reason,
            tuple(state.made),
            state.last - state.started,
            state.seen,
            state.chance,
            float(np.median(state.passive)) if state.passive else None,
        )

    @property
    def embedding(self) -> Embeddings | None:
        """Of the face as it was first seen, None before; what it proves is that this face was there."""
        return np.array(self.state.embedding, np.float32) if self.state.embedding else None

    def see(self, frame: ImageSource | Photo) -> Prompt:
        """Look at one frame.

        Args:
            frame: path, bytes, `PIL.Image`, RGB array, or a photo that is open.

        Returns:
            What to do now.

        Raises:
            ImageError: it cannot be read.
        """
        if self.over:
            return self.prompt
        at = self._clock()
        photo = open_photo(frame, limits=self._recognizer.limits)
        try:
            faces = self._recognizer.encode_faces(photo)
        except FaceError:
            faces = []
        found = [face.detection for face in faces]
        one = faces[0].embedding if len(faces) == 1 else None
        score = self._passive.judge(photo, found)[0].score if self._passive is not None and one is not None else None
        return self._session.see(Seen(at, photo.image_rgb, found, one, score))


def check_points(recognizer: Recognizer) -> None:
    """Movements are seen by five points of the face.

    Raises:
        SettingError: the recognizer's detector gives none.
    """
    if recognizer.detector.id == WHOLE_PICTURE:
        raise SettingError(
            expected="a detector that gives five points of a face",
            got=f"detector {recognizer.detector.id!r}",
            advice=f"use {DEFAULT_DETECTOR!r}, or judge photos by `PassiveLiveness`",
        )


def _rules(recognizer: Recognizer, rules: Rules | None, passive: float) -> Rules:
    rules = rules or Rules(threshold=recognizer.operating_point.threshold)
    return replace(rules, passive=passive) if passive else rules
