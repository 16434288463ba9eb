"""Losses: each a file with its formula, the unit of its margin and its source."""

from sameface.training.losses.adapt import AnyLoss, BatchLossLike
from sameface.training.losses.by_name import make_loss
from sameface.training.losses.classes import Centres, ClassLoss, class_loss
from sameface.training.losses.contrastive import ContrastiveLoss, contrastive_loss
from sameface.training.losses.koch import KochLoss, koch_loss
from sameface.training.losses.report import BatchLoss, LossReport
from sameface.training.losses.triplet import FACENET_MARGIN, TripletLoss, triplet_loss

__all__ = [
    "FACENET_MARGIN",
    "AnyLoss",
    "BatchLoss",
    "BatchLossLike",
    "Centres",
    "ClassLoss",
    "ContrastiveLoss",
    "KochLoss",
    "LossReport",
    "TripletLoss",
    "class_loss",
    "contrastive_loss",
    "koch_loss",
    "make_loss",
    "triplet_loss",
]
