"""An evaluation of scores that are given: the numbers of 1:1, without a photo or a network."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

import sameface
from sameface.errors import NotEnoughDataError
from sameface.evaluation.comparison import compare
from sameface.evaluation.given import NOT_GIVEN
from sameface.evaluation.plan import Plan
from sameface.evaluation.probability import calibrate_probability
from sameface.evaluation.published import check_protocol, published
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.results import Acquisition, DataSummary, Evaluation, Rate, Run, Speed
from sameface.evaluation.scores import Scores, compared_photos
from sameface.evaluation.scores_file import GivenScores
from sameface.evaluation.verification import CONVENTION, verify_all
from sameface.metrics import binomial_interval
from sameface.types import EmbeddingSpace, OperatingPoint


def evaluate_scores(given: GivenScores, *, plan: Plan | None = None, point: OperatingPoint | None = None) -> Evaluation:
    """Measure scores, with the numbers that `evaluate` gave when it wrote them.

    Args:
        given: the pairs; several encoders are compared pair by pair.
        plan: its `folds` and `seed` are used.
        point: an operating point whose threshold is scored; groups are judged at it.

    Raises:
        NotEnoughDataError: mated or non-mated pairs are missing.
    """
    plan = plan or Plan()
    notes: list[str] = []
    runs = []
    for encoder, scores in given.scores.items():
        draws = PeopleDraws(scores, seed=plan.seed)
        runs.append((_run(given, encoder, draws, plan, point, notes), draws))
    first = runs[0][1].scores
    return Evaluation(
        data=DataSummary(
            given.name,
            f"pairs of {given.name}, with the distances that stand there",
            len(given.photos),
            first.people,
            {},
            (),
            groups=tuple(given.groups),
        ),
        runs=tuple(run for run, _ in runs),
        version=sameface.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        notes=tuple(notes),
        comparisons=tuple(compare(runs[0], other, seed=plan.seed) for other in runs[1:]),
    )


def _run(
    given: GivenScores, encoder: str, draws: PeopleDraws, plan: Plan, point: OperatingPoint | None, notes: list[str]
) -> Run:
    scores = draws.scores
    name = encoder or given.name
    if plan.protocol is not None and (lacking := check_protocol(plan.protocol, scores)):
        notes.append(lacking)
    verification = verify_all(
        scores,
        folds=plan.folds,
        thresholds={} if point is None else {point.target: point.threshold},
        groups=given.groups,
        group_threshold=None if point is None else point.threshold,
        draws=draws,
        seed=plan.seed,
    )
    reliability = None
    try:
        reliability = calibrate_probability(scores, seed=plan.seed)
    except NotEnoughDataError as error:
        notes.append(f"{name}: {error}")
    return Run(
        EmbeddingSpace(name, NOT_GIVEN, NOT_GIVEN),
        "scores that were given",
        0,
        "unknown",
        _acquisition(scores, len(given.photos)),
        Speed(0, len(given.photos), 0.0, None),
        verification,
        reliability=reliability,
        operating_point=point,
        published=published(plan.protocol, draws, verification, plan.seed) if plan.protocol is not None else (),
    )


def _acquisition(scores: Scores, photos: int) -> Acquisition:
    failed = photos - int(np.count_nonzero(compared_photos(scores, photos)))
    lost = np.isinf(scores.distances)
    return Acquisition(
        photos,
        failed,
        {"without a distance": failed} if failed else {},
        Rate(failed / photos, failed, photos, binomial_interval(failed, photos)),
        int((lost & scores.same).sum()),
        int((lost & ~scores.same).sum()),
        CONVENTION,
    )
