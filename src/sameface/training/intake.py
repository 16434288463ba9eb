"""From pixels to what a network computes on. Part of the exported network, so no caller can get it wrong."""

from __future__ import annotations

from typing import Final, Literal

from torch import Tensor, nn

from sameface.errors import SettingError

#: ``unit``: x / 255 · ``centred``: (x − 127.5) / 128 · ``per-image``: each picture's own mean and deviation ·
#: ``ink``: 1 − x / 255, so that paper is 0 and a moved picture brings in paper · ``none``: embeddings, passed on.
IntakeKind = Literal["unit", "centred", "per-image", "ink", "none"]

#: Weights of red, green and blue in grey. Source: ITU-R BT.601, as every "convert to L" has them.
GREY_OF_RGB: Final = (0.299, 0.587, 0.114)


class Intake(nn.Module):
    """``(m, 1 or 3, h, w)`` on 0…255 to the network's own channels and range.

    Args:
        kind: see `IntakeKind`. ``per-image`` divides by no less than ``1/√N`` for N numbers in a picture, as FaceNet's
            prewhitening does.
        channels: what the network takes; RGB is turned to grey for 1, grey is repeated for 3.
    """

    def __init__(self, kind: IntakeKind, channels: int) -> None:
        super().__init__()
        if kind not in {"unit", "centred", "per-image", "ink", "none"}:
            raise SettingError(
                expected="intake unit, centred, per-image, ink or none",
                got=repr(kind),
                advice="use centred when in doubt",
            )
        self.kind = kind
        self.channels = channels

    def forward(self, pixels: Tensor) -> Tensor:
        if self.kind == "none":
            return pixels
        x = pixels if pixels.is_floating_point() else pixels.float()
        if self.channels == 1 and x.shape[1] == 3:
            red, green, blue = GREY_OF_RGB
            x = red * x[:, 0:1] + green * x[:, 1:2] + blue * x[:, 2:3]
        elif self.channels == 3 and x.shape[1] == 1:
            x = x.expand(-1, 3, -1, -1)
        if self.kind == "unit":
            return x / 255
        if self.kind == "centred":
            return (x - 127.5) / 128
        if self.kind == "ink":
            return 1 - x / 255
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        deviation = (x - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        numbers = x.shape[1] * x.shape[2] * x.shape[3]
        return (x - mean) / deviation.clamp(min=numbers**-0.5)
