"""Choosing settings without the official runs: some alphabets are left out, and every pair of drawers of theirs is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import comb
from typing import Final

import numpy as np
import torch
from torch import Tensor

from sameface.errors import NotEnoughDataError
from sameface.training.pictures import Pictures

#: Drawings embedded at once: each may have dozens of views.
_AT_ONCE: Final = 64


def leave_out(background: Pictures, alphabets: Collection[str]) -> tuple[Pictures, Pictures]:
    """Divide characters by alphabet.

    Args:
        background: see `read_background`.
        alphabets: their names.

    Returns:
        What is left to train on, and the characters of those alphabets.

    Raises:
        NotEnoughDataError: an alphabet that is not there, or none left.
    """
    of = [name.split("/")[0] for name in background.people]
    missing = sorted(set(alphabets) - set(of))
    out = [label for label, alphabet in enumerate(of) if alphabet in alphabets]
    kept = [label for label, alphabet in enumerate(of) if alphabet not in alphabets]
    if missing or not out or not kept:
        raise NotEnoughDataError(
            expected=f"alphabets to leave out among {', '.join(sorted(set(of)))}, with others to train on",
            got=", ".join(missing or sorted(alphabets)) or "none",
            advice="leave one or two out",
        )
    return background.of_people(kept), background.of_people(out)


def within_alphabets(held_out: Pictures, embed: Callable[[Tensor], Tensor], *, ways: int = 20) -> dict[str, float]:
    """The error of one-shot classification within each alphabet, the mean of all episodes that there are.

    An episode: a drawer gives one drawing of each of `ways` characters, another drawer's drawing of one of them is asked. Over all sets of
    characters the share of right answers has a closed form: of n − 1 other characters, k drawn nearer than the right one, an episode is
    right iff none of those is in it: ``C(n − 1 − k, ways − 1) / C(n − 1, ways − 1)``. Ties count as wrong.

    Args:
        held_out: characters that were not trained on, each drawn once by the same drawers, in their order.
        embed: stored pixels to ``(m, d)``.
        ways: characters in an episode; all of an alphabet that has fewer.

    Returns:
        The error of each alphabet.

    Raises:
        NotEnoughDataError: characters with unequal numbers of drawings.
    """
    counts = np.bincount(held_out.labels)
    if len(set(counts.tolist())) != 1:
        raise NotEnoughDataError(
            expected="as many drawings of each character",
            got=f"{counts.min()} to {counts.max()}",
            advice="give whole alphabets of Omniglot",
        )
    errors = {}
    of = np.array([name.split("/")[0] for name in held_out.people])
    for alphabet in dict.fromkeys(of.tolist()):
        labels = np.flatnonzero(of == alphabet)
        rows = np.stack([np.flatnonzero(held_out.labels == label) for label in labels])
        with torch.no_grad():
            pixels = held_out.pixels[torch.from_numpy(rows.ravel())]
            vectors = torch.cat([embed(part) for part in torch.split(pixels, _AT_ONCE)]).double().cpu()
        errors[alphabet] = _error(vectors.view(*rows.shape, -1), min(ways, len(labels)))
    return errors


def _error(vectors: Tensor, ways: int) -> float:
    """Of ``(characters, drawers, d)``."""
    characters, drawers = vectors.shape[:2]
    right_if_nearer = torch.tensor(
        [comb(characters - 1 - nearer, ways - 1) / comb(characters - 1, ways - 1) for nearer in range(characters)],
        dtype=torch.float64,
    )
    right = 0.0
    for asked in range(drawers):
        for enrolled in range(drawers):
            if asked != enrolled:
                distances = torch.cdist(vectors[:, asked], vectors[:, enrolled])
                own = distances.diagonal()[:, None]
                nearer = (distances <= own).sum(dim=1) - 1  # but for itself
                right += float(right_if_nearer[nearer].mean())
    return 1 - right / (drawers * (drawers - 1))
