"""What an evaluation is to compute and to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sameface.defaults import DEFAULT_FPIR
from sameface.evaluation.derived_groups import Grouping
from sameface.evaluation.published import Protocol


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute.

    Attributes:
        folds: where the protocol has none; None takes ten, or fewer where there are too few people.
        identification: 1:K, on labelled photos.
        classifiers: the learning curve and verification by regression.
        fpir: target of τ(K).
        hardest: pairs to list with their paths, 0 for none.
        disturbed: people whose photos are damaged on purpose, to see what τ does on them; 0 for none.
        few_shot: (ways, shots) of each few-shot question, on labelled photos.
        few_shot_within: the group column that all classes of an episode share; None takes classes from anywhere.
        group_by: groups that the photos themselves give, by name.
        protocol: a published protocol, whose numbers are given in its form too.
        scores_out: a file for the pairs with their distances, labels and groups.
        embeddings_out: a file for the embeddings of one encoder.
        seed: of every draw.
    """

    folds: int | None = None
    identification: bool = True
    classifiers: bool = False
    fpir: float = DEFAULT_FPIR
    hardest: int = 0
    disturbed: int = 0
    few_shot: tuple[tuple[int, int], ...] = ()
    few_shot_within: str | None = None
    group_by: Mapping[str, Grouping] = field(default_factory=dict)
    protocol: Protocol | None = None
    scores_out: Path | None = None
    embeddings_out: Path | None = None
    seed: int = 0
