"""Inception-ResNet-v1: the network of FaceNet as people have it.

Faces of 160×160×3 to 128 or 512 numbers. Source: Szegedy, Ioffe, Vanhoucke, Alemi, *Inception-v4, Inception-ResNet
and the Impact of Residual Connections on Learning*, 2016, figures 10 to 14, in the reading of David Sandberg's
facenet: 5, 10 and 5 residual blocks scaled by 0.17, 0.10 and 0.20, one more without ReLU and scale, average,
dropout, linear, batch normalisation. Submodules carry the names of that TensorFlow graph in lower case, which the
Keras conversions of its weights keep too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

#: Residual scales of the three kinds of block.
SCALE_35: Final = 0.17
SCALE_17: Final = 0.10
SCALE_8: Final = 0.20

#: One convolution: name, channels out, kernel (h, w), stride, whether the border is padded to keep the size.
Convolution = tuple[str, int, tuple[int, int], int, bool]


class ConvNormRelu(nn.Sequential):
    """Convolution without bias, batch normalisation (ε = 0.001, as TensorFlow has it), ReLU."""

    def __init__(
        self, before: int, after: int, kernel_hw: tuple[int, int], *, stride: int = 1, same: bool = True
    ) -> None:
        padding = (kernel_hw[0] // 2, kernel_hw[1] // 2) if same else (0, 0)
        super().__init__()
        self.add_module("conv", nn.Conv2d(before, after, kernel_hw, stride, padding, bias=False))
        # TensorFlow's decay 0.995 is PyTorch's momentum 0.005.
        self.add_module("norm", nn.BatchNorm2d(after, eps=1e-3, momentum=0.005))
        self.add_module("relu", nn.ReLU(inplace=True))

    def fold(self) -> None:
        """Put the normalisation into the convolution, which then computes the same alone; in `eval` mode, and for good."""
        conv, norm = self.get_submodule("conv"), self.get_submodule("norm")
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        self.conv, self.norm = fuse_conv_bn_eval(conv, norm), nn.Identity()


def chain(before: int, convolutions: Sequence[Convolution]) -> nn.Sequential:
    """Convolutions one after the other, by their names."""
    layers = nn.Sequential()
    for name, after, kernel_hw, stride, same in convolutions:
        layers.add_module(name, ConvNormRelu(before, after, kernel_hw, stride=stride, same=same))
        before = after
    return layers


class Residual(nn.Module):
    """``y = ReLU(x + scale · W [branch₀(x), branch₁(x), …])``.

    Args:
        channels: of x and y.
        branches: convolutions of each branch.
        scale: of the residual.
        relu: whether the sum is rectified (not in the last block).
    """

    def __init__(
        self, channels: int, branches: Sequence[Sequence[Convolution]], *, scale: float, relu: bool = True
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(chain(channels, branch) for branch in branches)
        self.conv2d_1x1 = nn.Conv2d(sum(branch[-1][1] for branch in branches), channels, 1)
        self.scale = scale
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([branch(x) for branch in self.branches], dim=1)
        y: Tensor = x + self.scale * self.conv2d_1x1(joined)
        return y.relu() if self.relu else y


class Reduction(nn.Module):
    """Branches that halve the size, and a 3×3 maximum beside them, joined along the channels."""

    def __init__(self, channels: int, branches: Sequence[Sequence[Convolution]]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(chain(channels, branch) for branch in branches)
        self.pool = nn.MaxPool2d(3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*(branch(x) for branch in self.branches), self.pool(x)], dim=1)


def _block35() -> Residual:
    branches: list[list[Convolution]] = [
        [("conv2d_1x1", 32, (1, 1), 1, True)],
        [("conv2d_0a_1x1", 32, (1, 1), 1, True), ("conv2d_0b_3x3", 32, (3, 3), 1, True)],
        [
            ("conv2d_0a_1x1", 32, (1, 1), 1, True),
            ("conv2d_0b_3x3", 32, (3, 3), 1, True),
            ("conv2d_0c_3x3", 32, (3, 3), 1, True),
        ],
    ]
    return Residual(256, branches, scale=SCALE_35)


def _block17() -> Residual:
    branches: list[list[Convolution]] = [
        [("conv2d_1x1", 128, (1, 1), 1, True)],
        [
            ("conv2d_0a_1x1", 128, (1, 1), 1, True),
            ("conv2d_0b_1x7", 128, (1, 7), 1, True),
            ("conv2d_0c_7x1", 128, (7, 1), 1, True),
        ],
    ]
    return Residual(896, branches, scale=SCALE_17)


def _block8(*, scale: float = SCALE_8, relu: bool = True) -> Residual:
    branches: list[list[Convolution]] = [
        [("conv2d_1x1", 192, (1, 1), 1, True)],
        [
            ("conv2d_0a_1x1", 192, (1, 1), 1, True),
            ("conv2d_0b_1x3", 192, (1, 3), 1, True),
            ("conv2d_0c_3x1", 192, (3, 1), 1, True),
        ],
    ]
    return Residual(1792, branches, scale=scale, relu=relu)


class InceptionResnetV1(nn.Module):
    """FaceNet's network.

    Args:
        dimension: 128 or 512 in the published weights.
        dropout: share of the 1,792 averages dropped in training.
    """

    def __init__(self, *, dimension: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.add_module("conv2d_1a_3x3", ConvNormRelu(3, 32, (3, 3), stride=2, same=False))
        self.stem.add_module("conv2d_2a_3x3", ConvNormRelu(32, 32, (3, 3), same=False))
        self.stem.add_module("conv2d_2b_3x3", ConvNormRelu(32, 64, (3, 3)))
        self.stem.add_module("maxpool_3a_3x3", nn.MaxPool2d(3, stride=2))
        self.stem.add_module("conv2d_3b_1x1", ConvNormRelu(64, 80, (1, 1), same=False))
        self.stem.add_module("conv2d_4a_3x3", ConvNormRelu(80, 192, (3, 3), same=False))
        self.stem.add_module("conv2d_4b_3x3", ConvNormRelu(192, 256, (3, 3), stride=2, same=False))
        self.block35 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = Reduction(
            256,
            [
                [("conv2d_1a_3x3", 384, (3, 3), 2, False)],
                [
                    ("conv2d_0a_1x1", 192, (1, 1), 1, True),
                    ("conv2d_0b_3x3", 192, (3, 3), 1, True),
                    ("conv2d_1a_3x3", 256, (3, 3), 2, False),
                ],
            ],
        )
        self.block17 = nn.Sequential(*(_block17() for _ in range(10)))
        self.mixed_7a = Reduction(
            896,
            [
                [("conv2d_0a_1x1", 256, (1, 1), 1, True), ("conv2d_1a_3x3", 384, (3, 3), 2, False)],
                [("conv2d_0a_1x1", 256, (1, 1), 1, True), ("conv2d_1a_3x3", 256, (3, 3), 2, False)],
                [
                    ("conv2d_0a_1x1", 256, (1, 1), 1, True),
                    ("conv2d_0b_3x3", 256, (3, 3), 1, True),
                    ("conv2d_1a_3x3", 256, (3, 3), 2, False),
                ],
            ],
        )
        self.block8 = nn.Sequential(*(_block8() for _ in range(5)), _block8(scale=1.0, relu=False))
        self.dropout = nn.Dropout(dropout)
        self.bottleneck = nn.Linear(1792, dimension, bias=False)
        self.bottleneck_norm = nn.BatchNorm1d(dimension, eps=1e-3, momentum=0.005)

    def forward(self, pictures: Tensor) -> Tensor:
        """``(m, 3, 160, 160)``, normalised as the weights want it, to ``(m, dimension)``, before any scaling to
        length 1.

        Other sizes from 80 pixels on work, since the last map is averaged; the weights were made at 160.
        """
        x = self.block35(self.stem(pictures))
        x = self.block8(self.mixed_7a(self.block17(self.mixed_6a(x))))
        return self.bottleneck_norm(self.bottleneck(self.dropout(x.mean(dim=(2, 3)))))  # type: ignore[no-any-return]
