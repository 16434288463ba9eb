"""LFW from scratch: a network that has seen the photos of ``peopleDevTrain`` and nothing else, asked about ``pairsDevTest``.

Its first layers are computed from those photos (principal directions of patches, a mixture of Gaussians: Fisher vectors). Its fully connected
layer begins as principal components with discriminant analysis, and sister networks then learn it by contrast. docs/decisions/lfw-scratch.md
compares designs.
"""

from sameface.training.recipes.lfw_scratch.mixture import fit_layers
from sameface.training.recipes.lfw_scratch.recipe import LfwScratchRecipe, ScratchResult, train_lfw_scratch
from sameface.training.recipes.lfw_scratch.study import study_lfw_scratch
from sameface.training.recipes.lfw_scratch.telling_apart import discriminant, principal_components

__all__ = [
    "LfwScratchRecipe",
    "ScratchResult",
    "discriminant",
    "fit_layers",
    "principal_components",
    "study_lfw_scratch",
    "train_lfw_scratch",
]
