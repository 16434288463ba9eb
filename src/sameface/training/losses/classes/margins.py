"""Margins: how much closer than necessary a photo must come to the centre of its own person.

Each turns the cosine c = cos θ between an embedding and its own centre into a smaller one; the cosines to all other centres stay as
they are. Margins are pure functions of the batch, but for AdaFace's, which keeps a running mean.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from sameface.errors import SettingError

#: Nearer to ±1 than this the slope of an angle is lost in rounding (and infinite at ±1 itself).
_NEAREST: Final = 1e-7


class Margin(Protocol):
    """Makes the task harder for the own class.

    Attributes:
        needs_lengths: whether the length of an embedding, before it is scaled to 1, says something to it.
    """

    @property
    def needs_lengths(self) -> bool: ...

    def __call__(self, cosines: Tensor, lengths: Tensor) -> Tensor:
        """``(m,)`` cosines to the own centre and ``(m,)`` lengths to ``(m,)`` cosines with the margin."""
        ...


class NoMargin(nn.Module):
    """``c``: a plain softmax over cosines. Source: Wang et al., *NormFace*, 2017."""

    needs_lengths = False

    def forward(self, cosines: Tensor, lengths: Tensor) -> Tensor:
        return cosines


class CosMargin(nn.Module):
    """``c − m``. Source: Wang et al., *CosFace*, CVPR 2018, equation 4.

    Args:
        margin: m, a difference of cosines.

    >>> round(float(CosMargin(0.35)(torch.tensor([0.75]), torch.ones(1))), 5)
    0.4
    """

    needs_lengths = False

    def __init__(self, margin: float = 0.35) -> None:
        super().__init__()
        self.margin = _checked(margin, highest=1.0, unit="a difference of cosines")

    def forward(self, cosines: Tensor, lengths: Tensor) -> Tensor:
        return cosines - self.margin


class ArcMargin(nn.Module):
    """``cos(θ + m)``, and ``c − m sin m`` beyond θ = π − m, where the cosine would rise again.

    Source: Deng et al., *ArcFace*, CVPR 2019, equation 3; what happens beyond π − m is that of its published code.

    Args:
        margin: m, an angle in radians.

    >>> round(float(ArcMargin(0.5)(torch.tensor([1.0]), torch.ones(1))), 2), round(math.cos(0.5), 2)
    (0.88, 0.88)
    """

    needs_lengths = False

    def __init__(self, margin: float = 0.5) -> None:
        super().__init__()
        self.margin = _checked(margin, highest=math.pi / 2, unit="an angle in radians")

    def forward(self, cosines: Tensor, lengths: Tensor) -> Tensor:
        m = self.margin
        c = cosines.clamp(-1 + _NEAREST, 1 - _NEAREST)
        moved = c * math.cos(m) - (1 - c.square()).sqrt() * math.sin(m)
        return torch.where(c >= -math.cos(m), moved, cosines - m * math.sin(m))


class AdaMargin(nn.Module):
    """``cos(θ − m k) − (m + m k)``: k runs from −1 for a poor photo to 1 for a good one, by the length of its embedding.

    A poor photo is asked for an angle (ArcFace's, k = −1), a good one for a difference and less angle, so that what cannot be
    recognised is not learned by heart. ``k = h (‖z‖ − mean) / deviation``, clipped; mean and deviation run over batches.

    Source: Kim, Jain, Liu, *AdaFace*, CVPR 2022, equations 14 to 18; the constants are those of its published code.

    Args:
        margin: m.
        spread: h, how many deviations reach k = ±1 (0.333: three).
        memory: share of each new batch in the running mean and deviation.
    """

    needs_lengths = True
    #: Bounds of cosines, angles and the divisor. Source: the published code.
    _EPSILON: Final = 1e-3

    mean: Tensor
    deviation: Tensor

    def __init__(self, margin: float = 0.4, *, spread: float = 0.333, memory: float = 0.01) -> None:
        super().__init__()
        self.margin = _checked(margin, highest=1.0, unit="an angle in radians and a difference of cosines")
        if not (0 < spread < math.inf and 0 < memory <= 1):
            raise SettingError(
                expected="spread above 0, memory above 0 and up to 1",
                got=f"spread {spread}, memory {memory}",
                advice="leave them at the published 0.333 and 0.01",
            )
        self._spread = spread
        self._memory = memory
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("deviation", torch.tensor(100.0))

    def forward(self, cosines: Tensor, lengths: Tensor) -> Tensor:
        known = lengths.detach().clamp(0.001, 100)
        if self.training and len(known) > 1:
            with torch.no_grad():
                self.mean.lerp_(known.mean().to(self.mean.dtype), self._memory)
                self.deviation.lerp_(known.std().to(self.deviation.dtype), self._memory)
        goodness = ((known - self.mean) / (self.deviation + self._EPSILON) * self._spread).clamp(-1, 1)
        angles = cosines.clamp(-1 + self._EPSILON, 1 - self._EPSILON).acos() - self.margin * goodness
        return angles.clamp(self._EPSILON, math.pi - self._EPSILON).cos() - self.margin * (1 + goodness)


def _checked(margin: float, *, highest: float, unit: str) -> float:
    if not 0 <= margin <= highest:
        raise SettingError(
            expected=f"a margin from 0 to {highest:.3g}, {unit}", got=f"{margin:g}", advice="leave it out when in doubt"
        )
    return margin
