"""Fisher vectors as a network: layers that are computed from the photos, not descended to, under one linear map that learns.

Source: Simonyan, Parkhi, Vedaldi, Zisserman, *Fisher Vector Faces in the Wild*, BMVC 2013: dense SIFT with its place, a Gaussian mixture, how the
descriptors of a photo would change that mixture, and a projection to 128 numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Directions of an edge that are told apart.
DIRECTIONS: Final = 8
#: Cells beside each other (and above each other) in a described patch, as in SIFT.
CELLS: Final = 4
#: Halvings of the picture, and there (side of a cell, step from patch to patch) in pixels: patches of 24, 32, 48 and 64 pixels of the picture.
SCALES: Final = ((0, ((6, 3), (8, 4))), (1, ((6, 3), (8, 4))))
#: Added to the edges of a patch before it is divided by them, so that flat skin stays flat.
_FLAT: Final = 0.05
#: Added to the square of a slope before it divides; the least slope of 8-bit grey squares to 1.5e-5. Exporters take 1e-8 and less for nothing.
_LEVEL: Final = 1e-7


class PatchDescriptors(nn.Module):
    """Grey pictures to descriptors of the patches of each and of its mirror image: edges by direction in 4 × 4 cells, square roots (RootSIFT), cut to
    their principal directions, and the place of the patch beside them.

    Args:
        size: side of the picture in pixels.
        kept: principal directions.
    """

    turn: Tensor
    middle: Tensor
    directions: Tensor
    places: Tensor

    def __init__(self, size: int, kept: int) -> None:
        super().__init__()
        angles = torch.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
        kernels = torch.zeros(DIRECTIONS, 1, 3, 3)
        kernels[:, 0, 1, 2], kernels[:, 0, 1, 0] = angles.cos(), -angles.cos()
        kernels[:, 0, 2, 1], kernels[:, 0, 0, 1] = angles.sin(), -angles.sin()
        self.register_buffer("directions", kernels)
        self.register_buffer("turn", torch.eye(kept, DIRECTIONS * CELLS * CELLS).view(kept, DIRECTIONS, CELLS, CELLS))
        self.register_buffer("middle", torch.zeros(kept, 1))
        self.register_buffer("places", _places(size))

    def forward(self, grey: Tensor) -> Tensor:
        """``(m, 1, size, size)`` to ``(m, kept + 2, patches)``."""
        found = [
            (functional.conv2d(roots, self.turn, dilation=apart) / sums.sqrt()).flatten(2)
            for roots, sums, apart in self.cells(grey)
        ]
        described = torch.cat(found, dim=2) - self.middle
        return torch.cat([described, self.places.expand(grey.shape[0], 2, -1)], dim=1)

    def whole(self, grey: Tensor) -> Tensor:
        """``(m, 1, size, size)`` to ``(m, 128, patches)``: all directions of all cells, to choose the principal ones from."""
        found = [
            functional.unfold(roots, CELLS, dilation=apart) / sums.flatten(2).sqrt()
            for roots, sums, apart in self.cells(grey)
        ]
        return torch.cat(found, dim=2)

    def cells(self, grey: Tensor) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Of the picture and of its mirror image, at each scale.

        Yields:
            Roots of the edges in each cell ``(m, 8, h, w)``, their sums over a patch ``(m, 1, h', w')``, how many steps cells lie apart.
        """
        one = torch.ones(1, 1, CELLS, CELLS, device=grey.device)
        for halvings, sizes in SCALES:
            edges = self.edges(functional.avg_pool2d(grey, 2**halvings) if halvings else grey)
            for seen in (edges, mirrored(edges)):
                for side, step in sizes:
                    cells = functional.avg_pool2d(seen, side, step)
                    sums = functional.conv2d(cells.sum(dim=1, keepdim=True), one, dilation=side // step) + _FLAT
                    yield cells.sqrt(), sums, side // step

    def edges(self, grey: Tensor) -> Tensor:
        """``(m, 1, h, w)`` to ``(m, 8, h, w)``: how strong an edge is, shared among the directions nearest to its own."""
        slopes = functional.conv2d(functional.pad(grey, (1, 1, 1, 1), mode="replicate"), self.directions)
        squared = slopes.square().sum(dim=1, keepdim=True) * (2 / DIRECTIONS) + _LEVEL
        cosines = slopes.relu().square() / squared
        sharp = cosines * cosines * cosines  # the sixth power of a cosine: an eighth at the next direction
        return squared.sqrt() * sharp / (sharp.sum(dim=1, keepdim=True) + 1e-6)


def mirrored(edges: Tensor) -> Tensor:
    """The edges of the mirror image: those to the right point to the left."""
    order = [(DIRECTIONS // 2 - k) % DIRECTIONS for k in range(DIRECTIONS)]
    return edges.flip(-1)[:, order]


def _places(size: int) -> Tensor:
    """``(1, 2, patches)``: x and y of the middles of all patches, from −0.5 to 0.5, in the order of `PatchDescriptors.cells`."""
    found = []
    for halvings, sizes in SCALES:
        for _ in ("the picture", "its mirror image"):
            for side, step in sizes:
                patches = (size // 2**halvings - CELLS * side) // step + 1
                middles = (torch.arange(patches) * step + CELLS * side / 2) * 2**halvings / size - 0.5
                found.append(torch.stack(torch.meshgrid(middles, middles, indexing="xy")).flatten(1))
    return torch.cat(found, dim=1)[None]


class Mixture(nn.Module):
    """A mixture of Gaussians with diagonal covariance, and the Fisher vector of a set of descriptors under it.

    Args:
        words: Gaussians.
        length: of a descriptor.
    """

    shares: Tensor
    means: Tensor
    variances: Tensor

    def __init__(self, words: int, length: int) -> None:
        super().__init__()
        self.register_buffer("shares", torch.full((words,), 1 / words))
        self.register_buffer("means", torch.zeros(words, length))
        self.register_buffer("variances", torch.ones(words, length))

    def belonging(self, descriptors: Tensor) -> Tensor:
        """``(m, length, n)`` to ``(m, words, n)``: to which Gaussian each belongs, shares that sum to 1."""
        return self.scores(descriptors).softmax(dim=1)

    def scores(self, descriptors: Tensor) -> Tensor:
        """Logarithms of share × density, but for a constant."""
        precise = 1 / self.variances
        constant = self.shares.log() - 0.5 * (self.variances.log() + self.means.square() * precise).sum(dim=1)
        both = torch.cat([self.means * precise, -0.5 * precise], dim=1)
        return both @ torch.cat([descriptors, descriptors.square()], dim=1) + constant[:, None]

    def forward(self, descriptors: Tensor) -> Tensor:
        """``(m, length, n)`` to ``(m, 2 · words · length)``, square roots with their signs, of length 1."""
        belong = self.belonging(descriptors) / descriptors.shape[2]
        length = self.means.shape[1]
        sums = belong @ torch.cat([descriptors, descriptors.square()], dim=1).transpose(1, 2)
        count, first, second = belong.sum(dim=2)[..., None], sums[..., :length], sums[..., length:]
        shift = (first - self.means * count) / (self.variances * self.shares[:, None]).sqrt()
        spread = second - 2 * self.means * first + (self.means.square() - self.variances) * count
        spread = spread / (self.variances * (2 * self.shares[:, None]).sqrt())
        vector = torch.cat([shift, spread], dim=2).flatten(1)
        return functional.normalize(vector.sign() * vector.abs().sqrt(), dim=1)


class FisherNetwork(nn.Module):
    """Descriptors of the photo and of its mirror image, one Fisher vector of both, one linear map.

    Args:
        channels: 1; RGB is turned to grey by the intake.
        size: side of the picture in pixels.
        dimension: d of the embedding.
        words: Gaussians of the mixture.
        described: principal directions of a patch.
    """

    def __init__(
        self, *, channels: int = 1, size: int = 112, dimension: int = 128, words: int = 128, described: int = 64
    ) -> None:
        super().__init__()
        self.patches = PatchDescriptors(size, described)
        self.mixture = Mixture(words, described + 2)
        self.embedding = nn.Linear(2 * words * (described + 2), dimension)

    def vectors(self, pictures: Tensor) -> Tensor:
        """``(m, 1, size, size)`` on 0…1 to Fisher vectors."""
        return self.mixture(self.patches(pictures))  # type: ignore[no-any-return]  # a module's call has no type

    def forward(self, pictures: Tensor) -> Tensor:
        """``(m, 1, size, size)`` to ``(m, dimension)``."""
        return self.embedding(self.vectors(pictures))  # type: ignore[no-any-return]  # as above
