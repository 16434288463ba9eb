"""IJB-B, IJB-C and TinyFace from photos to the numbers that are published of them.

IJB: faces were found by the publishers and come with their five points; each is aligned by them. 1:1 is TAR at stated FMRs; 1:N is rank 1, 5, 10
and 20 and TPIR (1 − FNIR) at two FPIRs, gallery by gallery. TinyFace: rank 1, 5, 10 and 20 among all distractors.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

import sameface
from sameface.datasets import TemplateSet
from sameface.datasets.photo import source_of
from sameface.errors import FaceError, ImageError
from sameface.evaluation.identification import rate_over_people
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.results import Rate
from sameface.evaluation.scores import Scores
from sameface.evaluation.templates import pool_templates, score_templates, searches_of
from sameface.imaging import open_photo
from sameface.metrics import tar_at_fmr
from sameface.metrics.thresholds import threshold_at_fpir
from sameface.plain import Plain
from sameface.progress import Advance, Stages, no_stages
from sameface.types import Box, Detection, Embeddings, EmbeddingSpace, Landmarks

if TYPE_CHECKING:
    from sameface.recognizer import Recognizer

SCHEMA: Final = "sameface.templates/1"
#: FMRs and FPIRs that IJB is published at, and ranks that both are.
FMRS: Final = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
FPIRS: Final = (0.1, 0.01)
RANKS: Final = (1, 5, 10, 20)
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class TemplateRate:
    """One published number with its interval: ``TAR at FMR 0.0001``, ``rank 1``, ``TPIR at FPIR 0.01``; `gallery` where it is of one."""

    measure: str
    rate: Rate
    gallery: str = ""


@dataclass(frozen=True, slots=True)
class TemplateRun:
    """One encoder. `without_face`: faces, and templates, that gave no embedding."""

    space: EmbeddingSpace
    faces: int
    faces_without_embedding: int
    templates: int
    templates_without_face: int
    rates: tuple[TemplateRate, ...]


@dataclass(frozen=True, slots=True, repr=False)
class TemplateEvaluation(Plain):
    """One document."""

    name: str
    mated_pairs: int
    non_mated_pairs: int
    probes: int
    galleries: dict[str, int]
    runs: tuple[TemplateRun, ...]
    schema: str = SCHEMA
    version: str = ""
    created: str = ""


def evaluate_templates(
    templates: TemplateSet,
    recognizers: Iterable[Recognizer],
    *,
    workers: int | None = None,
    progress: Stages = no_stages,
    seed: int = 0,
) -> TemplateEvaluation:
    """Measure encoders on templates, by the published protocols.

    Args:
        templates: read by `read_ijb` or `read_tinyface`.
        recognizers: one after another. Their detector is asked only for faces that come without points.
        workers: photos worked on at once; None takes one per core.
        progress: for long work.
        seed: of the draws of people.

    Raises:
        NotEnoughDataError: there are galleries, and a gallery shows nobody of the probes.
    """
    runs = []
    for recognizer in recognizers:
        with progress(f"{recognizer.space.encoder} on {templates.name}", len(templates.photos)) as advance:
            embeddings, found = embed_faces(recognizer, templates, workers=workers, advance=advance)
        pooled = pool_templates(templates, embeddings, found, weighted=True)
        rates = [*_one_to_one(templates, pooled, seed), *_one_to_many(templates, pooled, seed)]
        runs.append(
            TemplateRun(
                recognizer.space,
                len(found),
                int((~found).sum()),
                len(pooled),
                int((~pooled.any(axis=1)).sum()),
                tuple(rates),
            )
        )
    return TemplateEvaluation(
        templates.name,
        int(templates.same.sum()),
        int((~templates.same).sum()),
        len(templates.probes),
        {name: len(gallery) for name, gallery in templates.galleries.items()},
        tuple(runs),
        version=sameface.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def embed_faces(
    recognizer: Recognizer, templates: TemplateSet, *, workers: int | None, advance: Advance
) -> tuple[Embeddings, npt.NDArray[np.bool_]]:
    """Align each face by the points that come with it, or find it, and encode it.

    Returns:
        ``(n, d)`` float32, and ``(n,)`` which faces gave an embedding.
    """
    count = len(templates.photos)
    embeddings = np.zeros((count, recognizer.card.dimension), dtype=np.float32)
    found = np.zeros(count, dtype=np.bool_)

    def part(at: range) -> tuple[list[int], Embeddings | None]:
        crops, rows = [], []
        for index in at:
            crop = _crop(recognizer, templates, index)
            if crop is not None:
                crops.append(crop)
                rows.append(index)
        return rows, recognizer.encoder.encode(np.stack(crops)) if crops else None

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        parts = [range(at, min(at + _AT_ONCE, count)) for at in range(0, count, _AT_ONCE)]
        for at, (rows, encoded) in zip(parts, pool.map(part, parts), strict=True):
            if encoded is not None:
                embeddings[rows], found[rows] = encoded, True
            advance(len(at))
    return embeddings, found


def _crop(recognizer: Recognizer, templates: TemplateSet, index: int) -> npt.NDArray[np.uint8] | None:
    finder = recognizer.finder
    photo_path = templates.photos[index]
    try:
        photo = open_photo(source_of(photo_path), limits=finder.limits)
        points = templates.landmarks_xy[index]
        if np.isfinite(points).all():
            width, height = photo.size_wh
            face = Detection(Box(0, 0, width, height), 1.0, Landmarks("arcface5", points))
        else:
            face = finder.choose(photo, "centre", source=photo_path.name)
        crop: npt.NDArray[np.uint8] = finder.crops(photo, [face])[0]
    except (ImageError, FaceError):
        return None
    return crop


def _one_to_one(templates: TemplateSet, pooled: Embeddings, seed: int) -> Iterator[TemplateRate]:
    if not len(templates.a):
        return
    scores: Scores = score_templates(templates, pooled)
    draws = PeopleDraws(scores, seed=seed)
    for target in FMRS:
        if len(scores.non_mated) * target < 1:
            continue
        _, threshold = tar_at_fmr(scores.mated, scores.non_mated, target)
        rate = draws.rate(scores.distances < threshold, scores.same)
        yield TemplateRate(f"TAR at FMR {target:g}", rate)


def _one_to_many(templates: TemplateSet, pooled: Embeddings, seed: int) -> Iterator[TemplateRate]:
    for name, search in searches_of(templates, pooled):
        for rank in RANKS:
            yield TemplateRate(f"rank {rank}", rate_over_people(search.ranks <= rank, search.people, seed), name)
        if not len(search.nearest_of_unknown):
            continue
        for fpir in FPIRS:
            if len(search.nearest_of_unknown) * fpir < 1:
                continue
            threshold = threshold_at_fpir(search.nearest_of_unknown, fpir)
            named = (search.mate < threshold) & (search.mate < search.other)
            yield TemplateRate(f"TPIR at FPIR {fpir:g}", rate_over_people(named, search.people, seed), name)
