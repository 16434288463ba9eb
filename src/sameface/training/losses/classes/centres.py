"""One learned centre, or a few, for each person of the training set."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sameface.errors import SettingError


class Centres(nn.Module):
    """The directions that the photos of each person gather around; used in training only.

    With several centres a person's photos may gather around more than one: the nearest counts, so wrong labels and profiles
    do not pull the main centre away. Source: Deng et al., *Sub-center ArcFace*, ECCV 2020.

    A share under 1 scores each batch against all people who are in it and a random draw of others: time and memory of a step grow
    with the draw, not with the number of people, and only the rows that were drawn are changed. Source: An et al., *Partial FC*, 2021.

    Args:
        people: how many.
        dimension: d of the embeddings.
        each: centres of a person.
        share: of the people that each batch is scored against; 1 takes all.
    """

    def __init__(self, people: int, dimension: int, *, each: int = 1, share: float = 1.0) -> None:
        super().__init__()
        if people < 2 or dimension < 1 or each < 1 or not 0 < share <= 1:
            raise SettingError(
                expected="two people or more, one centre or more of each, a share above 0 and up to 1",
                got=f"{people} people, {each} centres each, share {share:g}",
                advice="leave both out when in doubt: all people, one centre each",
            )
        self.people = people
        self.each = each
        self.drawn = people if share == 1 else max(2, math.ceil(share * people))
        self.weight = nn.Parameter(torch.randn(people, each * dimension) * dimension**-0.5)

    @property
    def by_rows(self) -> bool:
        """Whether a step changes a few rows only, so that the gradient is sparse."""
        return self.drawn < self.people

    def draw(self, labels: Tensor) -> Tensor:
        """The people a batch is scored against, from PyTorch's own random state.

        Args:
            labels: ``(m,)`` int64.

        Returns:
            ``(k,)`` sorted, distinct: everybody of the batch, then others at random until there are `drawn`; everybody in
            the batch, if those are more.
        """
        present: Tensor = torch.unique(labels)
        missing = self.drawn - len(present)
        if missing <= 0:
            return present
        order = torch.rand(self.people, device=labels.device)
        order[present] = 2.0  # above every draw: taken first
        chosen: Tensor = order.topk(self.drawn, sorted=False).indices.sort().values
        return chosen

    def cosines(self, embeddings: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Of each embedding to the nearest centre of each person.

        Args:
            embeddings: ``(m, d)`` of length 1.
            chosen: ``(k,)`` people; None for all.

        Returns:
            ``(m, k)``.
        """
        rows = self.weight if chosen is None else functional.embedding(chosen, self.weight, sparse=True)
        centres = functional.normalize(rows.view(len(rows) * self.each, -1), dim=1)
        cosines = embeddings @ centres.T
        return cosines if self.each == 1 else cosines.view(len(embeddings), len(rows), self.each).amax(dim=2)
