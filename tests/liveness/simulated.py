"""Heads that turn and pictures of heads that are held up, made from still photos: simulations, and said to be so wherever they are used.

A photo becomes points in space: on a surface shaped like a head (an ellipsoid with a nose), on a flat sheet, or on a sheet bent into a part of a
cylinder. The surface is turned and shown to a pinhole camera, near points before far ones. What comes out goes through the same detector and
encoder as any camera's picture.

Lengths are in eye distances (about 63 mm), x to the right, y down, z towards the camera; the middle of the eyes is (0, 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from sameface.types import Detection, ImageRGB

Floats = npt.NDArray[np.float64]
#: (x, y) to z.
Surface = Callable[[Floats, Floats], Floats]

#: Pixels of the camera's picture, and of an eye distance in it for a head in its usual place.
WIDTH, HEIGHT, EYES = 360, 320, 50.0
#: Eye distances from the camera to the head: about half a metre.
DISTANCE: Final = 8.0
#: Where the tip of a nose usually is, and the middle of a face, below the middle of the eyes.
NOSE_Y, MIDDLE_Y = 0.68, 0.45


@dataclass(frozen=True)
class Pose:
    """How something is held.

    Attributes:
        yaw: degrees, above 0 turns to the left of the one who is seen, which is the right of the picture.
        pitch: degrees, above 0 looks up. roll: degrees. nearer: 1 as usual, 1.3 as much larger.
        right, down: eye distances off the middle. bend: of a sheet, one over its radius; below 0 the other way.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    nearer: float = 1.0
    right: float = 0.0
    down: float = 0.0
    bend: float = 0.0

    def mixed(self, other: Pose, share: float) -> Pose:
        """On the way to another pose."""
        values = {name: (1 - share) * getattr(self, name) + share * getattr(other, name) for name in self.__slots_of()}
        return replace(self, **values)

    @staticmethod
    def __slots_of() -> tuple[str, ...]:
        return ("yaw", "pitch", "roll", "nearer", "right", "down", "bend")


def head(relief: float = 1.0, nose_xy: tuple[float, float] = (0.0, NOSE_Y)) -> Surface:
    """A head without a neck. relief: 1 for a nose that stands about 0.43 eye distances before the eyes. nose_xy: where its tip is."""
    across, tip = nose_xy

    def surface(x: Floats, y: Floats) -> Floats:
        inside = 1 - (x / 1.28) ** 2 - ((y - 0.3) / 1.95) ** 2
        z = 1.35 * (np.sqrt(np.clip(inside, 0, None)) - 1)
        ridge = np.where(y < tip, np.exp(-(((y - tip) / 0.42) ** 2)), np.exp(-(((y - tip) / 0.12) ** 2)))
        nose = 0.26 * ridge * np.exp(-(((x - across) / 0.17) ** 2))
        sockets = 0.07 * (np.exp(-((x - 0.5) ** 2 + y**2) / 0.05) + np.exp(-((x + 0.5) ** 2 + y**2) / 0.05))
        return np.asarray(relief * (z + nose - sockets))

    return surface


def sheet(bend: float = 0.0, *, upright: bool = True) -> Surface:
    """Paper or a screen. bend: one over the radius, around an axis that stands (or lies)."""

    def surface(x: Floats, y: Floats) -> Floats:
        along = x if upright else y - MIDDLE_Y
        if abs(bend) < 1e-6:
            return np.zeros_like(x)
        return np.asarray(np.sign(bend) * (np.sqrt(np.clip(1 / bend**2 - along**2, 0, None)) - 1 / abs(bend)))

    return surface


@dataclass
class Picture:
    """A photo of one face, as points: where each lies in eye distances, and its colour."""

    image: ImageRGB
    x: Floats
    y: Floats
    background: ImageRGB = field(repr=False)
    nose_xy: tuple[float, float] = (0.0, NOSE_Y)

    @classmethod
    def of(cls, image_rgb: ImageRGB, face: Detection, *, density: float = 1.5) -> Picture:
        assert face.landmarks is not None
        eyes = face.landmarks.points_xy[:2].astype(float)
        across = eyes[1] - eyes[0]
        scale = EYES * density / np.hypot(*across)
        turn = cv2.getRotationMatrix2D(tuple(eyes.mean(0)), np.degrees(np.arctan2(across[1], across[0])), scale)
        side = int(4.6 * EYES * density), int(5.2 * EYES * density)
        turn[:, 2] += (side[0] / 2 - eyes.mean(0)[0], 0.4 * side[1] - eyes.mean(0)[1])
        upright = cv2.warpAffine(
            image_rgb,
            turn,
            side,
            flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        rows, columns = np.mgrid[0 : side[1], 0 : side[0]]
        unit = EYES * density
        behind = cv2.GaussianBlur(cv2.resize(upright, (WIDTH, HEIGHT)), (0, 0), 25)
        nose = (turn @ np.append(face.landmarks.points_xy[2].astype(float), 1.0) - (side[0] / 2, 0.4 * side[1])) / unit
        return cls(
            upright,
            (columns - side[0] / 2) / unit,
            (rows - 0.4 * side[1]) / unit,
            behind,
            (float(nose[0]), float(nose[1])),
        )

    def shown(self, surface: Surface, pose: Pose, *, round_like_a_head: bool) -> ImageRGB:
        """What the camera sees of it."""
        z = surface(self.x, self.y)
        keep = ((self.x / 1.22) ** 2 + ((self.y - 0.3) / 1.85) ** 2 < 1) if round_like_a_head else np.ones_like(z, bool)
        # Heads turn about the neck, behind the face; sheets about their own middle.
        behind = 1.2 if round_like_a_head else 0.0
        points = np.stack([self.x[keep], self.y[keep] - MIDDLE_Y, z[keep] + behind])
        turned = _rotation(pose) @ points - np.array([[0], [0], [behind]])
        away = DISTANCE / pose.nearer - turned[2]
        focal = EYES * DISTANCE
        u = np.rint(WIDTH / 2 + focal * (turned[0] + pose.right) / away).astype(int)
        v = np.rint(HEIGHT / 2 + focal * (turned[1] + pose.down) / away).astype(int)
        order = np.argsort(-away)
        order = order[(u[order] >= 0) & (u[order] < WIDTH) & (v[order] >= 0) & (v[order] < HEIGHT)]
        seen = np.zeros((HEIGHT, WIDTH), np.uint8)
        drawn = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        drawn[v[order], u[order]] = self.image[keep][order]
        seen[v[order], u[order]] = 1
        return _without_holes(drawn, seen, self.background)


def _rotation(pose: Pose) -> Floats:
    yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def _without_holes(drawn: ImageRGB, seen: npt.NDArray[np.uint8], background: ImageRGB) -> ImageRGB:
    whole = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    near = cv2.blur(seen.astype(np.float32), (5, 5))
    mean = cv2.blur(drawn.astype(np.float32), (5, 5)) / np.maximum(near, 1e-6)[..., None]
    filled = np.where(seen[..., None] > 0, drawn, mean)
    edge = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 1.2)[..., None]
    return np.asarray(np.clip(edge * filled + (1 - edge) * background, 0, 255), np.uint8)


#: Noise of a small camera, drawn once; each frame takes another part of it.
_NOISE: Final = np.random.default_rng(0).normal(0, 2.5, (HEIGHT + 64, WIDTH + 64, 3)).round().astype(np.int16)


def as_camera(image_rgb: ImageRGB, random: np.random.Generator) -> ImageRGB:
    """With the noise of a small camera."""
    down, right = random.integers(0, 64, 2)
    height, width = image_rgb.shape[:2]
    noise = _NOISE[down : down + height, right : right + width]
    return np.asarray(np.clip(image_rgb.astype(np.int16) + noise, 0, 255), np.uint8)
