"""A small convolutional backbone for small pictures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sameface.errors import SettingError


class ConvNet(nn.Module):
    """Convolution, pooling, fully connected: blocks of 3×3 convolution, batch normalisation, 2×2 maximum, ReLU; then
    one linear map. (The maximum before ReLU is the same network as after it, and leaves ReLU a quarter of the numbers.)

    Args:
        channels: 1 for grey, 3 for RGB.
        size: side of the square picture in pixels.
        widths: channels of each block; pooling stops when a side falls under 3 pixels.
        dimension: d of the embedding.
        norm: batch normalisation; off where results must not depend on who else is in the batch.
        dropout: share of whole channels dropped after each block in training.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 32,
        widths: Sequence[int] = (64, 128, 256, 256),
        dimension: int = 128,
        norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not widths or size < 4 or dimension < 1:
            raise SettingError(
                expected="at least one block, pictures of 4 pixels or more, at least one dimension",
                got=f"widths {tuple(widths)}, size {size}, dimension {dimension}",
                advice="start from the defaults",
            )
        layers: list[nn.Module] = []
        before = channels
        for width in widths:
            layers.append(nn.Conv2d(before, width, 3, padding=1, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(width))
            if size >= 3:
                layers.append(nn.MaxPool2d(2))
                size //= 2
            layers.append(nn.ReLU(inplace=True))
            if dropout:
                layers.append(nn.Dropout2d(dropout))
            before = width
        self.features = nn.Sequential(*layers)
        self.embedding = nn.Linear(before * size * size, dimension)

    def forward(self, pictures: Tensor) -> Tensor:
        """``(m, channels, size, size)`` to ``(m, dimension)``."""
        return self.embedding(self.features(pictures).flatten(1))  # type: ignore[no-any-return]
