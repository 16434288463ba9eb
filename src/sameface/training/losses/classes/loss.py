"""Softmax over people with a margin.

``L = −log( e^{s ψ(cos θ_y)} / (e^{s ψ(cos θ_y)} + Σ_{j≠y} e^{s cos θ_j}) )``, mean over the photos of a batch

θ_j is the angle between an embedding and the centre of person j, y the photo's own person, ψ the margin, s the scale. The unit is
nats. The centres are thrown away after training: what is exported is the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from sameface.errors import SettingError
from sameface.training.losses.classes.centres import Centres
from sameface.training.losses.classes.margins import AdaMargin, ArcMargin, CosMargin, NoMargin
from sameface.training.losses.report import LossReport

#: Margins by the name of the loss; each takes its margin or, without one, its paper's.
MARGINS: Final[Mapping[str, Callable[..., nn.Module]]] = {
    "softmax": NoMargin,
    "cosface": CosMargin,
    "arcface": ArcMargin,
    "adaface": AdaMargin,
}
#: s of ArcFace, CosFace and AdaFace alike.
SCALE: Final = 64.0


class ClassLoss(nn.Module):
    """Softmax over the people of the training set, with a margin.

    Args:
        centres: of all people; learned along.
        margin: one of `MARGINS`.
        scale: s; 64 for hundreds of thousands of photos, 16 to 32 where there are few.
    """

    def __init__(self, centres: Centres, margin: nn.Module, *, scale: float = SCALE) -> None:
        super().__init__()
        if not 0 < scale < math.inf:
            raise SettingError(expected="a scale above 0", got=f"{scale:g}", advice="use 64, or 32 for few photos")
        self.centres = centres
        self.margin = margin
        self.scale = scale

    @property
    def needs_lengths(self) -> bool:
        """Whether embeddings must come as the network gives them, not scaled to length 1."""
        return bool(self.margin.needs_lengths)

    def forward(self, embeddings: Tensor, labels: Tensor) -> LossReport:
        lengths = embeddings.norm(dim=1)
        chosen = self.centres.draw(labels) if self.centres.by_rows else None
        cosines = self.centres.cosines(functional.normalize(embeddings, dim=1), chosen)
        own = labels if chosen is None else torch.searchsorted(chosen, labels)
        harder = self.margin(cosines.gather(1, own[:, None])[:, 0], lengths)
        logits = self.scale * cosines.scatter(1, own[:, None], harder[:, None].to(cosines.dtype))
        value = functional.cross_entropy(logits, own)
        wrong = int((logits.detach().argmax(dim=1) != own).sum())
        return LossReport(value, wrong, len(labels))


def class_loss(
    name: str,
    *,
    people: int,
    dimension: int,
    margin: float | None = None,
    scale: float = SCALE,
    centres: int = 1,
    share: float = 1.0,
) -> ClassLoss:
    """One of these losses by name.

    Args:
        name: a key of `MARGINS`.
        people, dimension: of the training set and of the embeddings.
        margin: None takes the paper's: ArcFace 0.5, CosFace 0.35, AdaFace 0.4.
        scale: s.
        centres: of each person; more than one against wrong labels.
        share: of the people that a batch is scored against; under 1 for very many people.

    Raises:
        SettingError: values that cannot be, or a margin where there is none.
    """
    if name == "softmax" and margin is not None:
        raise SettingError(
            expected="softmax without a margin", got=f"margin {margin:g}", advice="use cosface or arcface"
        )
    made = MARGINS[name]() if margin is None else MARGINS[name](margin)
    return ClassLoss(Centres(people, dimension, each=centres, share=share), made, scale=scale)
