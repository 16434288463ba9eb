"""Miners by the names users type."""

from __future__ import annotations

from functools import partial
from typing import Literal

from sameface.errors import SettingError
from sameface.training.mining.distance_weighted import DistanceWeighted
from sameface.training.mining.nearest import batch_hard_triplets, hard_triplets, semi_hard_triplets
from sameface.training.mining.triplets import TripletMiner

#: ``all`` every triplet · ``hard`` the nearest negative of every pair · ``semi-hard`` FaceNet's · ``batch-hard`` one
#: triplet an anchor · ``distance-weighted`` drawn evenly over distances.
Mining = Literal["all", "hard", "semi-hard", "batch-hard", "distance-weighted"]


def triplet_miner(name: str, *, margin: float, dimension: int = 128) -> TripletMiner:
    """A miner that lists triplets; ``all`` is not one of them, see `sum_of_all_triplets`.

    Args:
        name: one of `Mining` but ``all``.
        margin: α of the loss; semi-hard needs it.
        dimension: d of the embeddings; distance-weighted needs it.
    """
    miners: dict[str, TripletMiner] = {
        "hard": hard_triplets,
        "semi-hard": partial(semi_hard_triplets, margin=margin),
        "batch-hard": batch_hard_triplets,
        "distance-weighted": DistanceWeighted(dimension),
    }
    if name not in miners:
        raise SettingError(
            expected=f"mining all, {', '.join(miners)}", got=repr(name), advice="use semi-hard when in doubt"
        )
    return miners[name]
