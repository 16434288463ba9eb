"""Faces as a bad camera takes them: small, blurred, noisy, compressed, grey, a little turned."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from sameface.errors import SettingError


@dataclass(frozen=True)
class Camera:
    """How bad it may be; every picture is damaged by its own draw.

    Attributes:
        undamaged: share of pictures that are only mirrored or not: what the encoder must not unlearn.
        detail: the crop is shrunk to between these shares of its side, and enlarged again; even in the logarithm.
        quality: JPEG's, from and to.
        blur: largest σ, in pixels of the shrunk crop; for half of the damaged.
        noise: largest σ in grey levels; for half of the damaged.
        grey: share without colour.
        degrees, shift: how far the crop is turned and moved (as a share of its side): on bad photos a detector's points wobble.
    """

    undamaged: float = 0.3
    detail: tuple[float, float] = (0.18, 0.7)
    quality: tuple[int, int] = (10, 60)
    blur: float = 0.8
    noise: float = 8.0
    grey: float = 0.1
    degrees: float = 6.0
    shift: float = 0.02

    def __post_init__(self) -> None:
        must = {
            "shares from 0 to 1": 0 <= self.undamaged <= 1 and 0 <= self.grey <= 1,
            "detail above 0, up to 1": 0 < self.detail[0] <= self.detail[1] <= 1,
            "qualities from 1 to 95": 1 <= self.quality[0] <= self.quality[1] <= 95,
            "0 or more of blur, noise, degrees and shift": min(self.blur, self.noise, self.degrees, self.shift) >= 0,
        }
        if missed := [what for what, kept in must.items() if not kept]:
            raise SettingError(expected=", ".join(missed), got=str(self), advice="start from the defaults")


class CameraAugmentation:
    """Damages stored crops, for networks that take pixels on 0…255 (those of ``--weights``).

    Args:
        camera: how bad.
        mirror: whether half the pictures are mirrored.
    """

    whole_batch = False

    def __init__(self, camera: Camera | None = None, *, mirror: bool = True) -> None:
        self.camera = camera or Camera()
        self._mirror = mirror

    def __call__(self, pictures: Tensor, photos_each: int, random: torch.Generator) -> Tensor:
        """``(m, 3, s, s)`` uint8 to the same."""
        if pictures.dtype != torch.uint8:
            raise SettingError(
                expected="pixels as bytes", got=str(pictures.dtype), advice="use --augment camera with --weights"
            )
        draws = np.random.default_rng(int(torch.randint(2**62, (1,), generator=random)))
        changed = np.stack([self._one(picture, draws) for picture in pictures.permute(0, 2, 3, 1).cpu().numpy()])
        return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous().to(pictures.device)

    def damaged(self, pictures: Tensor, seed: int) -> Tensor:
        """Every picture damaged, none mirrored, as the seed says: what a validation looks at again and again."""
        draws = np.random.default_rng(seed)
        changed = np.stack([damage(each, self.camera, draws) for each in pictures.permute(0, 2, 3, 1).cpu().numpy()])
        return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous()

    def _one(self, picture: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        if self._mirror and draws.random() < 0.5:
            picture = picture[:, ::-1]
        return picture if draws.random() < self.camera.undamaged else damage(picture, self.camera, draws)


def damage(picture_rgb: np.ndarray, camera: Camera, draws: np.random.Generator) -> np.ndarray:
    """One picture ``(s, s, 3)`` uint8 as a camera takes it."""
    side = len(picture_rgb)
    image = moved(Image.fromarray(np.ascontiguousarray(picture_rgb)), camera, draws)
    low, high = np.log(camera.detail)
    small = max(4, round(side * float(np.exp(draws.uniform(low, high)))))
    image = image.resize((small, small), Image.Resampling.BOX)
    if draws.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(draws.uniform(0, camera.blur)))
    if draws.random() < camera.grey:
        image = image.convert("L").convert("RGB")
    # JPEG's blocks of 8 pixels are larger or smaller on the crop than on the photo it was cut from.
    stored = round(side * draws.uniform(0.9, 1.5))
    image = image.resize((stored, stored), Image.Resampling.BICUBIC)
    if draws.random() < 0.5:
        noise = draws.normal(0, draws.uniform(0, camera.noise), (stored, stored, 3))
        image = Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))
    held = BytesIO()
    image.save(held, format="JPEG", quality=int(draws.integers(camera.quality[0], camera.quality[1] + 1)))
    return np.asarray(Image.open(held).convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


def moved(image: Image.Image, camera: Camera, draws: np.random.Generator) -> Image.Image:
    """Turned about its middle and moved; what comes in from outside repeats the edge's colour on average."""
    angle = np.deg2rad(draws.uniform(-camera.degrees, camera.degrees))
    scale = float(np.exp(draws.uniform(-2, 2) * camera.shift))
    dx, dy = draws.uniform(-camera.shift, camera.shift, 2) * image.width
    cos, sin, middle = scale * np.cos(angle), scale * np.sin(angle), (image.width - 1) / 2
    coefficients = (
        *(cos, -sin, middle - cos * middle + sin * middle + dx),
        *(sin, cos, middle - sin * middle - cos * middle + dy),
    )
    around = tuple(int(value) for value in np.asarray(image).mean(axis=(0, 1)))
    return image.transform(
        image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=around
    )
