"""A session: somebody is asked for movements, one after the other, and each frame is looked at when it comes.

Over 300 lines because it is one machine of states, read from what it is told to how it ends.

A session passes when every movement was made in its time and not before it was asked; when the same face was there all the while; and when the
movements showed depth. It passes once, and within its time. What it cannot do: a mask, a person whose face is changed by a program, or frames that a
program feeds in place of the camera may pass (docs/explanation/liveness.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from sameface.liveness.challenge import TURNS, WORDS, Action, Challenge, MovedBy
from sameface.liveness.first_view import SIDE, FirstView
from sameface.liveness.motion import Motion, motion, sideways_of
from sameface.matching import distance, is_same
from sameface.types import Detection, Embeddings, ImageRGB

Phase = Literal["settle", "wait", "step", "back", "passed", "failed"]
#: Why a session failed, and what people are told.
REASONS: Final = {
    "": "",
    "too-slow": "A movement was not made in its time.",
    "other-movement": "Another movement was made than the one asked for.",
    "too-early": "A movement was made before anybody can react.",
    "other-face": "The face changed.",
    "several-faces": "More than one face was there.",
    "face-lost": "No face was seen for too long.",
    "gap": "Frames were missing.",
    "no-depth": "The face did not turn as a head does.",
    "looks-flat": "The face looks like a picture of one.",
    "expired": "The session took too long.",
}

#: Above this likeness the detector's points are good enough to begin from.
_CLEAR: Final = 0.75
#: Smaller turns cannot be told from none by how narrow a face becomes.
_LEAST_SINE: Final = 0.15


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of a session; chosen on simulations of the shipped photos, and measured on others of the same photos (docs/benchmarks.md).

    Attributes:
        seconds: of the whole session. step_seconds: of one movement.
        settle_seconds: of a steady first view. settle_frames: of it.
        gap_seconds: longest time between two frames. quickest: seconds that nobody reacts in.
        smallest: pixels between the eyes of the smallest face. threshold: τ of the same face.
        sideways, upward: parallax of a turn, see `sameface.liveness.motion`. centre: less is straight again.
        straight: how far the nose may lie beside the middle of eyes and mouth at first, in eye distances.
        nearer, farther: size beside the first view.
        likeness: least correlation of a point's surroundings with the first view. narrowest: least width or height beside it.
        relief: least depth that the turns must show, see `Made`: the mean over turns to a side and over those up and down.
        passive: least median of the frames' passive scores, where they are given; 0 asks for none.
    """

    threshold: float
    seconds: float = 60.0
    step_seconds: float = 7.0
    settle_seconds: float = 0.5
    settle_frames: int = 4
    gap_seconds: float = 1.5
    quickest: float = 0.15
    smallest: float = 32.0
    sideways: float = 0.065
    upward: float = 0.042
    centre: float = 0.04
    straight: float = 0.16
    nearer: float = 1.18
    farther: float = 0.86
    likeness: float = 0.45
    narrowest: float = 0.7
    relief: float = 0.12
    passive: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame, as detector and encoder saw it.

    Attributes:
        at: seconds, by the clock of whoever runs the session, never by the sender's.
        image_rgb: the whole frame.
        faces: every face in it.
        embedding: of the one face, None where there is not one.
        passive: its score by `PassiveLiveness`, None where that is not used.
    """

    at: float
    image_rgb: ImageRGB
    faces: Sequence[Detection]
    embedding: Embeddings | None = None
    passive: float | None = None


@dataclass(slots=True)
class Made:
    """A movement that was made: which, after how many seconds, and the depth that it showed (None for a change of distance).

    Depth is that of the nose in eye distances: parallax over the sine of the turn, by least squares over the frames of the movement.
    """

    action: Action
    after: float
    relief: float | None = None
    products: float = 0.0
    squares: float = 0.0


@dataclass(slots=True)
class State:
    """All that a session knows, as plain values: it may wait in a file between two frames, and holds biometric data."""

    actions: tuple[Action, ...]
    pauses: tuple[float, ...]
    moved_by: MovedBy
    chance: float
    started: float
    phase: Phase = "settle"
    reason: str = ""
    step: int = 0
    since: float = 0.0
    last: float = 0.0
    looked: float = 0.0
    seen: int = 0
    grey: bytes = b""
    points: tuple[float, ...] = ()
    unit: float = 1.0
    followed: tuple[float, ...] = ()
    embedding: tuple[float, ...] = ()
    settled: int = 0
    wrong: int = 0
    others: int = 0
    passive: list[float] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to do now, and how far it is.

    Attributes:
        phase: ``settle``: look straight; ``wait``; ``step``: make the movement; ``back``: look straight again; ``passed``; ``failed``.
        action: the movement that is asked for, "" outside ``step``.
        words: for people.
        hint: why this frame did not count, "" when it did.
        done, steps: movements made, and asked for in all.
        share: how far the movement is, 0 to 1.
        reason: a key of `REASONS`, "" unless it failed.
    """

    phase: Phase
    action: str
    words: str
    hint: str
    done: int
    steps: int
    share: float
    reason: str


class Session:
    """One session. Not safe for several threads: frames have an order.

    Args:
        challenge: what is asked.
        rules: limits.
        at: seconds when it starts, by the same clock as the frames.
    """

    def __init__(self, challenge: Challenge, rules: Rules, *, at: float) -> None:
        self.rules = rules
        self.state = State(
            challenge.actions, challenge.pauses, challenge.moved_by, challenge.chance, at, since=at, last=at, looked=at
        )

    @classmethod
    def again(cls, state: State, rules: Rules) -> Session:
        """Go on with what was kept."""
        session = cls.__new__(cls)
        session.rules, session.state = rules, state
        return session

    @property
    def over(self) -> bool:
        """Whether it has passed or failed."""
        return self.state.phase in ("passed", "failed")

    def prompt(self, *, hint: str = "", share: float = 0.0) -> Prompt:
        """What to do now."""
        state = self.state
        action = state.actions[state.step] if state.phase == "step" else ""
        words = {"passed": "Done.", "failed": REASONS[state.reason]}.get(state.phase)
        return Prompt(
            state.phase,
            action,
            words or WORDS[state.moved_by][action or state.phase],
            hint,
            len(state.made),
            len(state.actions),
            share,
            state.reason,
        )

    def see(self, frame: Seen) -> Prompt:
        """Take in one frame.

        Args:
            frame: never older than the one before.

        Returns:
            What to do now; a session that is over stays as it is.
        """
        state, rules = self.state, self.rules
        if self.over:
            return self.prompt()
        if frame.at - state.started > rules.seconds:
            return self._failed("expired")
        gone, state.looked = frame.at - state.looked, frame.at
        if frame.at - state.last > rules.gap_seconds and state.phase != "settle":
            return self._failed("gap" if gone > rules.gap_seconds else "face-lost")
        if len(frame.faces) > 1 and state.phase != "settle":
            return self._failed("several-faces")
        face = self._usable(frame)
        if isinstance(face, str):
            if state.phase == "settle":
                state.settled = 0
            return self._in_time(frame.at, face)
        state.last = frame.at
        state.seen += 1
        if frame.passive is not None:
            state.passive.append(frame.passive)
        if state.phase == "settle":
            return self._settle(frame, face)
        return self._follow(frame, face)

    def _usable(self, frame: Seen) -> Detection | str:
        """The one face of a frame, or why it does not count."""
        if len(frame.faces) != 1 or frame.embedding is None:
            return "One face alone must be in the picture." if frame.faces else "No face is seen."
        (face,) = frame.faces
        if face.landmarks is None or face.turns:
            return "Hold the camera upright."
        points = face.landmarks.points_xy
        if float(np.hypot(*(points[1] - points[0]))) < self.rules.smallest:
            return "Come nearer to the camera."
        height, width = frame.image_rgb.shape[:2]
        if points.min() < 0 or points[:, 0].max() >= width or points[:, 1].max() >= height:
            return "The whole face must be in the picture."
        return face

    def _settle(self, frame: Seen, face: Detection) -> Prompt:
        assert face.landmarks is not None
        assert frame.embedding is not None
        state, rules = self.state, self.rules
        if abs(sideways_of(face.landmarks.points_xy)) > rules.straight:
            state.settled = 0
            return self.prompt(hint=WORDS[state.moved_by]["settle"])
        moved = self._moved(frame, face) if state.settled else None
        steady = moved is not None and moved.parallax < rules.centre and 0.93 < moved.larger < 1.07
        if not steady or not self._same(frame):
            first = FirstView.of(frame.image_rgb, face.landmarks.points_xy)
            state.grey, state.points, state.unit = (
                first.grey.tobytes(),
                tuple(first.points_xy.ravel().tolist()),
                first.unit,
            )
            state.followed = ()
            state.embedding = tuple(frame.embedding.tolist())
            state.settled, state.since = 1, frame.at
            return self.prompt()
        state.settled += 1
        if state.settled >= rules.settle_frames and frame.at - state.since >= rules.settle_seconds:
            state.phase, state.since = "wait", frame.at
        return self.prompt(share=min(1.0, state.settled / rules.settle_frames))

    def _follow(self, frame: Seen, face: Detection) -> Prompt:
        state, rules = self.state, self.rules
        state.others = 0 if self._same(frame) else state.others + 1
        if state.others >= 3:
            return self._failed("other-face")
        moved = self._moved(frame, face)
        if moved is None:
            return self._in_time(frame.at, "Move a little less, with more light.")
        if state.phase == "step":
            return self._step(frame.at, moved)
        straight = moved.parallax < rules.centre and rules.farther < moved.larger < rules.nearer and not state.others
        if state.phase == "back":
            if not straight:
                _measure(state.made[-1], moved)
                return self._in_time(frame.at, "")
            if len(state.made) == len(state.actions):
                return self._finish()
            state.step, state.phase, state.since = state.step + 1, "wait", frame.at
        elif not straight:
            state.since = frame.at  # the pause begins again
            return self._in_time(frame.at, WORDS[state.moved_by]["back"])
        elif frame.at - state.since >= state.pauses[state.step]:
            state.phase, state.since, state.wrong = "step", frame.at, 0
        return self.prompt()

    def _step(self, at: float, seen: Motion) -> Prompt:
        state, rules = self.state, self.rules
        action = state.actions[state.step]
        shares = self._shares(seen)
        if shares[action] < 1:
            others = [share for other, share in shares.items() if other != action and _contradicts(action, other)]
            state.wrong = state.wrong + 1 if max(others) >= 1.15 else 0
            if state.wrong >= 3:
                return self._failed("other-movement")
            return self._in_time(at, "", share=max(0.0, shares[action]))
        if at - state.since < rules.quickest:
            return self._failed("too-early")
        state.made.append(Made(action, at - state.since))
        _measure(state.made[-1], seen)
        state.phase, state.since = "back", at
        return self.prompt()

    def _finish(self) -> Prompt:
        state, rules = self.state, self.rules
        # A sheet bent around one axis shows depth along the other: both must show it, so each counts as much.
        depths = [
            [item.relief for item in state.made if item.action in axis and item.relief is not None]
            for axis in (TURNS[:2], TURNS[2:])
        ]
        if float(np.mean([sum(axis) / len(axis) for axis in depths if axis] or [0.0])) < rules.relief:
            return self._failed("no-depth")
        if rules.passive and (not state.passive or float(np.median(state.passive)) < rules.passive):
            return self._failed("looks-flat")
        state.phase = "passed"
        return self.prompt()

    def _moved(self, frame: Seen, face: Detection) -> Motion | None:
        """How the face moved since its first view; None where that cannot be told."""
        assert face.landmarks is not None
        state = self.state
        grey = np.frombuffer(state.grey, np.uint8).reshape(SIDE, SIDE)
        first = FirstView(grey, np.array(state.points).reshape(5, 2), state.unit)
        found = first.find(frame.image_rgb, face.landmarks.points_xy)
        if found.likeness < _CLEAR and state.followed:
            # The detector may be misled, as by a brim over lowered eyes: the points of the frame before are near as well.
            followed = first.find(frame.image_rgb, np.array(state.followed).reshape(5, 2))
            found = max(found, followed, key=lambda item: item.likeness)
        if found.likeness < self.rules.likeness:
            return None
        state.followed = tuple(found.points_xy.ravel().tolist())
        seen = motion(first.unit * first.points_xy, found.points_xy)
        # So far turned, or so badly found, that nothing can be told.
        return None if min(seen.narrower, seen.shorter) < self.rules.narrowest else seen

    def _same(self, frame: Seen) -> bool:
        assert frame.embedding is not None
        return is_same(distance(frame.embedding, np.array(self.state.embedding, np.float32)), self.rules.threshold)

    def _shares(self, seen: Motion) -> dict[Action, float]:
        """How far each movement is, 1 when it is made. A turn must be the larger part of what moved."""
        rules = self.rules
        clear = abs(seen.right) > abs(seen.down)
        sideways, upward = seen.right / rules.sideways, -seen.down / rules.upward
        size = seen.larger - 1
        return {
            "left": sideways if clear else min(sideways, 0.9),
            "right": -sideways if clear else min(-sideways, 0.9),
            "up": upward if not clear else min(upward, 0.9),
            "down": -upward if not clear else min(-upward, 0.9),
            "nearer": size / (rules.nearer - 1),
            "farther": size / (rules.farther - 1),
        }

    def _in_time(self, at: float, hint: str, *, share: float = 0.0) -> Prompt:
        state = self.state
        if state.phase in ("step", "back") and at - state.since > self.rules.step_seconds:
            return self._failed("too-slow")
        return self.prompt(hint=hint, share=min(1.0, share))

    def _failed(self, reason: str) -> Prompt:
        self.state.phase, self.state.reason = "failed", reason
        return self.prompt()


def _contradicts(asked: Action, other: Action) -> bool:
    """Whether a movement is another than the one asked for: coming nearer changes no turn, and turns shrink faces a little."""
    distances = ("nearer", "farther")
    return (asked in distances) == (other in distances) or other not in distances


def _measure(made: Made, seen: Motion) -> None:
    """Take a frame into the depth that a movement shows; a change of distance shows none."""
    if made.action not in TURNS:
        return
    sideways = made.action in TURNS[:2]
    along, cosine = (abs(seen.right), seen.narrower) if sideways else (abs(seen.down), seen.shorter)
    sine = max(_LEAST_SINE, float(np.sqrt(max(0.0, 1 - min(1.0, cosine) ** 2))))
    made.products += along * sine
    made.squares += sine * sine
    made.relief = made.products / made.squares
