"""An evaluation from photos to numbers: several encoders and detectors side by side on one data set.

Over 300 lines because every form of a question (pairs, folds, templates, groups) joins the same steps here, in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import sameface
from sameface.datasets import Bench, LabelledPhotos, PairList
from sameface.errors import DataError, NotEnoughDataError, NoThresholdError, SettingError
from sameface.evaluation.benches import pair_groups, score, summary
from sameface.evaluation.cache import EmbeddingCache
from sameface.evaluation.classifiers import learning_curve, verification_by_regression
from sameface.evaluation.comparison import compare
from sameface.evaluation.derived_groups import derive_groups
from sameface.evaluation.disturbed import disturbed_faces, measure, one_each
from sameface.evaluation.embed import EmbeddedPhotos, embed_photos
from sameface.evaluation.few_shot import few_shot
from sameface.evaluation.fold_accuracy import k_fold
from sameface.evaluation.given import GivenEmbeddings, write_embeddings
from sameface.evaluation.hardest import hardest_pairs
from sameface.evaluation.identification import identify_all
from sameface.evaluation.plan import Plan
from sameface.evaluation.probability import calibrate_probability
from sameface.evaluation.published import check_protocol, published
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.results import (
    ClassifierResult,
    Comparison,
    DisturbedRate,
    Evaluation,
    FewShotResult,
    Run,
    Speed,
)
from sameface.evaluation.sampling import balanced_pairs
from sameface.evaluation.scores import Scores
from sameface.evaluation.scores_file import write_scores
from sameface.evaluation.verification import acquisition, verify_all
from sameface.metrics.extra import require
from sameface.progress import Stages, no_stages
from sameface.types import OperatingPoint

if TYPE_CHECKING:
    from sameface.recognizer import Recognizer


def evaluate(
    bench: Bench,
    recognizers: Iterable[Recognizer | GivenEmbeddings],
    *,
    plan: Plan | None = None,
    choose_on: Bench | None = None,
    cache: EmbeddingCache | None = None,
    workers: int | None = None,
    progress: Stages = no_stages,
) -> Evaluation:
    """Measure each recognizer on a data set.

    Args:
        bench: labelled photos or pairs.
        recognizers: one after another; each may have an operating point, which is then scored here. Embeddings that are given take the place
            of one.
        plan: what to compute.
        choose_on: other data on which an accuracy threshold is chosen that is then scored on `bench`, once.
        cache: of embeddings.
        workers: photos worked on at once.
        progress: for long work.

    Raises:
        DataError, NotEnoughDataError: the data do not allow it.
        SamefaceError: a network cannot run.
    """
    plan = plan or Plan()
    require("scipy", *(("sklearn",) if plan.classifiers else ()))  # before photos are encoded, not after
    if plan.few_shot:
        _check_few_shot(bench, plan)
    runs: list[Run] = []
    notes: list[str] = []
    digests: tuple[str, ...] = ()
    baseline: tuple[Run, PeopleDraws] | None = None
    comparisons: list[Comparison] = []
    kept: dict[str, Scores] = {}
    groups: dict[str, npt.NDArray[np.str_]] = {}
    for recognizer in recognizers:
        runs_notes: list[str] = []
        embedded = _embed(recognizer, bench, cache, workers, progress)
        digests = embedded.sha256
        if plan.embeddings_out is not None:
            _keep_embeddings(plan.embeddings_out, bench, embedded, first=not runs)
        draws = PeopleDraws(score(bench, embedded), seed=plan.seed)
        groups = _groups(bench, embedded, draws.scores, plan, workers)
        if plan.scores_out is not None:
            kept[_name(recognizer, kept)] = draws.scores
        given = (draws, groups, choose_on, plan, cache, workers, progress, runs_notes)
        runs.append(_run(recognizer, bench, embedded, *given))
        notes += [f"{recognizer.space.encoder}: {note}" for note in runs_notes]
        if baseline is None:
            baseline = runs[0], draws
        else:
            comparisons.append(compare(baseline, (runs[-1], draws), seed=plan.seed))
    if plan.scores_out is not None and kept:
        write_scores(plan.scores_out, bench.photos, kept, groups)
    return Evaluation(
        data=summary(bench, digests),
        runs=tuple(runs),
        chosen_on=summary(choose_on) if choose_on is not None else None,
        version=sameface.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        notes=tuple(notes),
        comparisons=tuple(comparisons),
    )


def known_point(recognizer: Recognizer | GivenEmbeddings) -> OperatingPoint | None:
    """The recognizer's operating point, None where none is known."""
    if isinstance(recognizer, GivenEmbeddings):
        return recognizer.point
    try:
        return recognizer.operating_point
    except NoThresholdError:
        return None


def _groups(
    bench: Bench, embedded: EmbeddedPhotos, scores: Scores, plan: Plan, workers: int | None
) -> dict[str, npt.NDArray[np.str_]]:
    """The group of each pair: as given, and as the photos themselves give it."""
    if not plan.group_by:
        return pair_groups(bench, scores)
    if not embedded.faces:
        raise DataError(
            expected="an encoder and a detector, which show what each face is like",
            got="embeddings",
            advice="leave the groups of photos out, or leave the embeddings out",
        )
    derived = derive_groups(bench.photos, embedded.faces, plan.group_by, workers=workers)
    return pair_groups(replace(bench, photo_groups={**bench.photo_groups, **derived}), scores)


def _name(recognizer: Recognizer | GivenEmbeddings, taken: Container[str]) -> str:
    """The column of a file of scores: the encoder, with its detector where several have one encoder."""
    space = recognizer.space
    return f"{space.encoder} on {space.detector}" if space.encoder in taken else space.encoder


def _keep_embeddings(file: Path, bench: Bench, embedded: EmbeddedPhotos, *, first: bool) -> None:
    if not first:
        raise SettingError(
            expected="one encoder and one detector for a file of embeddings", got="several", advice="ask once for each"
        )
    write_embeddings(file, bench.photos, embedded)


def _embed(
    recognizer: Recognizer | GivenEmbeddings,
    bench: Bench,
    cache: EmbeddingCache | None,
    workers: int | None,
    progress: Stages,
) -> EmbeddedPhotos:
    if isinstance(recognizer, GivenEmbeddings):
        return recognizer.embed(bench.photos)
    with progress(f"{recognizer.space.encoder} on {recognizer.space.detector}", len(bench.photos)) as advance:
        return embed_photos(recognizer, bench.photos, cache=cache, workers=workers, advance=advance)


def _run(
    recognizer: Recognizer | GivenEmbeddings,
    bench: Bench,
    embedded: EmbeddedPhotos,
    draws: PeopleDraws,
    groups: Mapping[str, npt.NDArray[np.str_]],
    choose_on: Bench | None,
    plan: Plan,
    cache: EmbeddingCache | None,
    workers: int | None,
    progress: Stages,
    notes: list[str],
) -> Run:
    scores = draws.scores
    point = known_point(recognizer)
    thresholds = {} if point is None else {point.target: point.threshold}
    if choose_on is not None:
        other = score(choose_on, _embed(recognizer, choose_on, cache, workers, progress))
        thresholds[f"accuracy on {choose_on.name}"] = k_fold(other, plan.folds, seed=plan.seed).threshold
    if plan.protocol is not None and (lacking := check_protocol(plan.protocol, scores)):
        notes.append(lacking)
    verification = verify_all(
        scores,
        folds=plan.folds,
        thresholds=thresholds,
        groups=groups,
        group_threshold=None if point is None else point.threshold,
        draws=draws,
        seed=plan.seed,
    )
    if plan.hardest:
        verification = replace(verification, hardest=hardest_pairs(scores, bench.photos, plan.hardest))
    identification = classifiers = reliability = None
    if plan.identification and isinstance(bench, LabelledPhotos):
        identification = _tried(notes, lambda: identify_all(bench, embedded, point, fpir=plan.fpir, seed=plan.seed))
    if plan.classifiers:
        folds = len(verification.accuracy.folds)
        classifiers = _tried(notes, lambda: _classify(bench, embedded, scores, folds, plan.seed))
    few = [_tried(notes, partial(_few_shot, bench, embedded, ways, shots, plan)) for ways, shots in plan.few_shot]
    reliability = _tried(notes, lambda: calibrate_probability(scores, seed=plan.seed))
    disturbed = _disturbed(recognizer, bench, point, plan.disturbed, progress) if plan.disturbed else ()
    seconds = embedded.seconds
    return Run(
        recognizer.space,
        *_about(recognizer, embedded),
        acquisition=acquisition(embedded, scores),
        speed=Speed(
            embedded.encoded,
            embedded.from_cache,
            seconds,
            embedded.encoded / seconds
            if embedded.encoded and not embedded.from_cache and embedded.whole_pipeline
            else None,
        ),
        verification=verification,
        identification=identification,
        classifiers=classifiers,
        reliability=reliability,
        operating_point=point,
        disturbed=disturbed,
        few_shot=tuple(item for item in few if item is not None),
        published=published(plan.protocol, draws, verification, plan.seed) if plan.protocol is not None else (),
    )


def _about(recognizer: Recognizer | GivenEmbeddings, embedded: EmbeddedPhotos) -> tuple[str, int, str]:
    """Title, dimension, and whether the weights may be used commercially."""
    if isinstance(recognizer, GivenEmbeddings):
        return "embeddings that were given", embedded.embeddings.shape[1], "unknown"
    return recognizer.card.title, recognizer.card.dimension, recognizer.card.commercial_use


def _check_few_shot(bench: Bench, plan: Plan) -> None:
    if not isinstance(bench, LabelledPhotos):
        raise DataError(
            expected="labelled photos for few-shot questions",
            got="a list of pairs",
            advice="give a folder with one folder per class",
        )
    if plan.few_shot_within is not None and plan.few_shot_within not in bench.groups:
        raise DataError(
            expected=f"a group column among {', '.join(bench.groups) or 'none: this data set has no groups'}",
            got=repr(plan.few_shot_within),
            advice="give a CSV with the column person and one per grouping (--groups)",
        )


def _few_shot(bench: Bench, embedded: EmbeddedPhotos, ways: int, shots: int, plan: Plan) -> FewShotResult:
    assert isinstance(bench, LabelledPhotos)
    within = None
    if plan.few_shot_within is not None:
        within = np.array(bench.groups[plan.few_shot_within])[bench.people]
    return few_shot(
        embedded.embeddings,
        bench.people,
        ways=ways,
        shots=shots,
        within=within,
        found=embedded.found,
        seed=plan.seed,
    )


def _disturbed(
    recognizer: Recognizer | GivenEmbeddings, bench: Bench, point: OperatingPoint | None, most: int, progress: Stages
) -> tuple[DisturbedRate, ...]:
    if point is None or not isinstance(bench, LabelledPhotos) or isinstance(recognizer, GivenEmbeddings):
        raise DataError(
            expected="labelled photos, an encoder and a threshold, to see what it does on damaged photos",
            got="no threshold"
            if point is None
            else "embeddings"
            if isinstance(bench, LabelledPhotos)
            else "a list of pairs",
            advice="evaluate a folder of people with an operating point, or leave --disturbed out",
        )
    chosen = one_each(bench, most, photos=2)
    with progress("damaged copies", len(chosen)) as advance:
        faces = disturbed_faces(recognizer, [bench.photos[n] for n in chosen], bench.people[chosen], advance=advance)
    return tuple(measure(faces, point))


def _classify(bench: Bench, embedded: EmbeddedPhotos, scores: Scores, folds: int, seed: int) -> ClassifierResult:
    if isinstance(bench, PairList):
        regression, plain = verification_by_regression(scores, embedded.embeddings, folds=folds, seed=seed)
        return ClassifierResult(scores.people, 0, (), regression, plain)
    curve = learning_curve(embedded, bench.people, seed=seed)
    pairs = balanced_pairs(scores, folds=folds, seed=seed)
    regression, plain = verification_by_regression(pairs, embedded.embeddings, seed=seed)
    return replace(curve, pair_accuracy=regression, distance_accuracy=plain)


def _tried(notes: list[str], part: Callable[[], Any]) -> Any:
    """A part of the report that the data may not allow: then a note says why."""
    try:
        return part()
    except NotEnoughDataError as error:
        notes.append(str(error))
        return None
