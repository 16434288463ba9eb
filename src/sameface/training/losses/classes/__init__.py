"""Losses that learn a centre for each person: softmax over people, with the margins of the field."""

from sameface.training.losses.classes.centres import Centres
from sameface.training.losses.classes.loss import MARGINS, SCALE, ClassLoss, class_loss
from sameface.training.losses.classes.margins import AdaMargin, ArcMargin, CosMargin, Margin, NoMargin

__all__ = [
    "MARGINS",
    "SCALE",
    "AdaMargin",
    "ArcMargin",
    "Centres",
    "ClassLoss",
    "CosMargin",
    "Margin",
    "NoMargin",
    "class_loss",
]
