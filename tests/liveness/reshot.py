"""Photos shot again: held at an angle, printed, shown on a screen. Simulations, and said to be so wherever they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np

from sameface.types import ImageRGB

Shoot = Callable[[ImageRGB, np.random.Generator], ImageRGB]
SIDE: Final = 640


def _fitted(image_rgb: ImageRGB) -> ImageRGB:
    scale = SIDE / max(image_rgb.shape[:2])
    return np.asarray(cv2.resize(image_rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def oblique(image_rgb: ImageRGB, random: np.random.Generator) -> ImageRGB:
    """Seen at an angle, in front of a plain wall."""
    image = _fitted(image_rgb)
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = 0.12 * np.array([width, height]) + 0.76 * corners + random.uniform(-0.1, 0.1, (4, 2)) * (width, height)
    wall = np.full_like(image, random.integers(90, 200))
    sheet = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    warped = cv2.warpPerspective(image, sheet, (width, height), wall, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    return np.asarray(warped, np.uint8)


def printed(image_rgb: ImageRGB, random: np.random.Generator) -> ImageRGB:
    """Dots of four inks' worth of tones, paler colours, a black that is grey, paper's grain; then seen obliquely."""
    image = _fitted(image_rgb).astype(np.float32)
    grey = image.mean(2, keepdims=True)
    pale = grey + random.uniform(0.55, 0.8) * (image - grey)
    inked = 35 + pale * (205 / 255)
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    angle = random.uniform(0, np.pi)
    across = rows * np.sin(angle) + columns * np.cos(angle)
    along = rows * np.cos(angle) - columns * np.sin(angle)
    dots = 9 * (np.sin(across * 2.1) * np.sin(along * 2.1))[..., None]
    grain = cv2.GaussianBlur(random.normal(0, 6, image.shape[:2]).astype(np.float32), (0, 0), 1.0)[..., None]
    seen = cv2.GaussianBlur(inked + dots + grain, (0, 0), 0.8)
    return oblique(np.clip(seen, 0, 255).astype(np.uint8), random)


def on_a_screen(image_rgb: ImageRGB, random: np.random.Generator) -> ImageRGB:
    """Bluer, with the moiré of two grids and a reflection; then seen obliquely."""
    image = _fitted(image_rgb).astype(np.float32) * random.uniform((0.85, 0.92, 1.0), (0.95, 1.0, 1.15))
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    moire = np.zeros(image.shape, np.float32)
    for channel in range(3):
        tilt, step = random.uniform(-0.12, 0.12), random.uniform(2.05, 2.4)
        beat = np.cos(2 * np.pi * (columns + tilt * rows) / step) * np.cos(2 * np.pi * (rows - tilt * columns) / step)
        moire[..., channel] = random.uniform(6, 14) * beat
    glare = 60 * np.exp(-(((columns - random.uniform(0, image.shape[1])) / 120) ** 2))[..., None]
    return oblique(np.clip(image + moire + random.uniform(0, 1) * glare, 0, 255).astype(np.uint8), random)


RESHOT: Final[Mapping[str, Shoot]] = {"oblique": oblique, "printed": printed, "screen": on_a_screen}
