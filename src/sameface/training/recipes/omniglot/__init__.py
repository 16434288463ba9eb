"""Omniglot: one-shot classification of handwritten characters from alphabets that were never trained on.

Data and official runs: Lake, Salakhutdinov, Tenenbaum, *Human-level concept learning through probabilistic program induction*, Science 2015.
Each of the 20 runs shows one drawing of each of 20 characters of one alphabet and asks for 20 more, by another hand: 400 trials, one answer
each, every trial judged on its own.
"""

from sameface.training.recipes.omniglot.choosing import leave_out, within_alphabets
from sameface.training.recipes.omniglot.drawings import (
    NETWORK_SIDE,
    STORED_SIDE,
    OneShotRun,
    read_background,
    read_runs,
)
from sameface.training.recipes.omniglot.recipe import (
    OmniglotRecipe,
    OmniglotResult,
    fit_omniglot,
    fitted_directions,
    train_omniglot,
)
from sameface.training.recipes.omniglot.scoring import wrong_answers

__all__ = [
    "NETWORK_SIDE",
    "STORED_SIDE",
    "OmniglotRecipe",
    "OmniglotResult",
    "OneShotRun",
    "fit_omniglot",
    "fitted_directions",
    "leave_out",
    "read_background",
    "read_runs",
    "train_omniglot",
    "within_alphabets",
    "wrong_answers",
]
