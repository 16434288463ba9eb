"""Sessions that are played: an honest person or an attacker before a simulated camera. Simulations, and said to be so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from sameface.liveness.challenge import Challenge, draw_challenge
from sameface.liveness.session import Prompt, Rules, Seen, Session
from sameface.recognizer import Recognizer
from sameface.types import ImageRGB
from tests.liveness.simulated import Picture, Pose, as_camera, head, sheet

RATE = 6.0  # frames a second
#: An actor gives the frame at a time, knowing what was asked since when.
Actor = Callable[[float, Prompt, float], ImageRGB]
TURNED = {"left": ("yaw", 1), "right": ("yaw", -1), "up": ("pitch", 1), "down": ("pitch", -1)}


@dataclass
class Person:
    """Somebody who follows what is asked, as people do: after a moment, not straight, and with a tremor."""

    picture: Picture
    random: np.random.Generator
    relief: float = 1.0
    largest: float = 28.0
    _from: Pose = field(default_factory=Pose)
    _to: Pose = field(default_factory=Pose)
    _began: float = 0.0
    _asked: tuple[str, str] = ("settle", "")

    def goal(self, prompt: Prompt) -> Pose:
        random, rest = self.random, Pose(roll=self.random.normal(0, 1.5))
        if prompt.phase != "step":
            return rest
        if prompt.action in TURNED:
            axis, sign = TURNED[prompt.action]
            degrees = sign * random.uniform(0.75, 1) * self.largest * (1 if axis == "yaw" else 0.85)
            other = "pitch" if axis == "yaw" else "yaw"
            return replace(rest, **{axis: degrees, other: random.normal(0, 2)})
        return replace(
            rest, nearer=random.uniform(1.25, 1.4) if prompt.action == "nearer" else random.uniform(0.7, 0.8)
        )

    def pose(self, at: float, prompt: Prompt) -> Pose:
        if (prompt.phase, prompt.action) != self._asked:
            self._from, self._to = self._now(at), self.goal(prompt)
            self._asked, self._began = (prompt.phase, prompt.action), at + self.random.uniform(0.25, 0.7)
        tremor = self.random.normal(0, 1, 4) * (0.5, 0.5, 0.01, 0.01)
        now = self._now(at)
        return replace(
            now,
            yaw=now.yaw + tremor[0],
            pitch=now.pitch + tremor[1],
            right=now.right + tremor[2],
            down=now.down + tremor[3],
        )

    def _now(self, at: float) -> Pose:
        share = float(np.clip((at - self._began) / 0.6, 0, 1))
        now = self._from.mixed(self._to, share * share * (3 - 2 * share))
        # Whoever sees that the bar is not full goes on, slowly and not for ever.
        more = 1 + 0.2 * float(np.clip(at - self._began - 1.2, 0, 2.5))
        return replace(now, yaw=now.yaw * more, pitch=now.pitch * more)

    def __call__(self, at: float, prompt: Prompt, asked: float) -> ImageRGB:
        return as_camera(
            self.picture.shown(head(self.relief, self.picture.nose_xy), self.pose(at, prompt), round_like_a_head=True),
            self.random,
        )


@dataclass
class Still(Person):
    """A photo held still."""

    def goal(self, prompt: Prompt) -> Pose:
        return Pose(roll=self.random.normal(0, 1.0))

    def __call__(self, at: float, prompt: Prompt, asked: float) -> ImageRGB:
        return as_camera(self.picture.shown(sheet(), self.pose(at, prompt), round_like_a_head=False), self.random)


@dataclass
class Waved(Person):
    """A photo that follows what is asked, by being turned."""

    largest: float = 45.0
    bend: float = 0.0
    upright: bool = True

    def __call__(self, at: float, prompt: Prompt, asked: float) -> ImageRGB:
        surface = sheet(self.bend, upright=self.upright)
        return as_camera(self.picture.shown(surface, self.pose(at, prompt), round_like_a_head=False), self.random)


@dataclass
class Rebent(Waved):
    """A photo that is bent while it is turned: around the axis that shows most."""

    def __call__(self, at: float, prompt: Prompt, asked: float) -> ImageRGB:
        pose = self.pose(at, prompt)
        turned = max(abs(pose.yaw), abs(pose.pitch)) / 45
        surface = sheet(self.bend * turned, upright=abs(pose.yaw) >= abs(pose.pitch))
        return as_camera(self.picture.shown(surface, pose, round_like_a_head=False), self.random)


@dataclass
class Replayed:
    """A video of another session, on a screen held before the camera."""

    frames: list[ImageRGB]
    random: np.random.Generator

    def __call__(self, at: float, prompt: Prompt, asked: float) -> ImageRGB:
        frame = self.frames[min(int(at * RATE), len(self.frames) - 1)]
        shift = self.random.normal(0, 0.6, 2).round().astype(int)
        return as_camera(np.roll(frame, shift, (0, 1)), self.random)


def play(
    actor: Actor,
    recognizer: Recognizer,
    challenge: Challenge,
    *,
    rules: Rules | None = None,
    keep: list[ImageRGB] | None = None,
) -> Session:
    """Run a session to its end.

    Args:
        keep: gets every frame.
    """
    rules = rules or Rules(threshold=recognizer.operating_point.threshold)
    session = Session(challenge, rules, at=0.0)
    prompt, asked, frame = session.prompt(), 0.0, 0
    while not session.over:
        at = frame / RATE
        image = actor(at, prompt, asked)
        if keep is not None:
            keep.append(image)
        faces = recognizer.encode_faces(image)
        found = [face.detection for face in faces]
        before = (prompt.phase, prompt.action)
        prompt = session.see(Seen(at + 0.02, image, found, faces[0].embedding if len(faces) == 1 else None))
        if (prompt.phase, prompt.action) != before:
            asked = at
        frame += 1
    return session


def other_challenge(than: Challenge, seed: int) -> Challenge:
    """Another challenge, as a video of another session has."""
    from random import Random

    random = Random(seed)
    while (drawn := draw_challenge(random=random)).actions == than.actions:
        pass
    return drawn
