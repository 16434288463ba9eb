"""Error rates of presentation attack detection, by kind of attack: APCER and BPCER with intervals.

Words and rates are those of ISO/IEC 30107-3: APCER is the share of attacks of one kind that are taken for living faces; BPCER is the share of living
faces that are taken for attacks. A mean over kinds of attack hides the worst, so there is none; the largest APCER is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sameface.errors import DataError, NotEnoughDataError, SamefaceError, SettingError
from sameface.files import path_as_text
from sameface.liveness.decision import LivenessPoint, is_living
from sameface.metrics.intervals import binomial_interval
from sameface.progress import Tally
from sameface.types import Interval

if TYPE_CHECKING:
    from sameface.liveness.passive import PassiveLiveness
    from sameface.recognizer import Recognizer

#: The folder of living faces; every other folder is a kind of attack.
LIVING: Final = "real"
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".pgm", ".bmp", ".tif", ".tiff", ".avif", ".heic"})


@dataclass(frozen=True, slots=True)
class Presentations:
    """What one folder gave.

    Attributes:
        kind: the folder's name. scores: of the photos that showed one face or more, the largest face of each.
        without: photos that gave no score: no face, or not readable.
    """

    kind: str
    scores: tuple[float, ...]
    without: int


@dataclass(frozen=True, slots=True)
class KindRate:
    """How one kind was decided.

    Attributes:
        kind: as the folder. errors: living faces refused, or attacks let through. faces: that were scored.
        rate, interval: errors over faces. without: photos without a score; they are neither.
    """

    kind: str
    errors: int
    faces: int
    rate: float
    interval: Interval
    without: int


@dataclass(frozen=True, slots=True)
class PresentationReport:
    """Both rates at a threshold.

    Attributes:
        data: name of the folder. threshold: living iff score ≥ threshold.
        bpcer: of the living. apcer: of each kind of attack, the worst first.
        curve: (threshold, BPCER, largest APCER or None without attacks), rising.
    """

    data: str
    threshold: float
    bpcer: KindRate
    apcer: tuple[KindRate, ...]
    curve: tuple[tuple[float, float, float | None], ...]


def score_folder(
    folder: Path, recognizer: Recognizer, passive: PassiveLiveness, *, progress: Tally | None = None
) -> list[Presentations]:
    """Score every photo of a folder of ``real/`` and attacks.

    Args:
        folder: one folder per kind; ``real`` holds living faces.
        progress: told (photos done, photos in all).

    Raises:
        DataError: no folder ``real``, or no photo in it.
    """
    files = _photos(folder)
    total, done = sum(len(photos) for photos in files.values()), 0
    found = []
    for kind, photos in files.items():
        scores: list[float] = []
        for score in _scores(photos, recognizer, passive):
            done += 1
            if progress is not None:
                progress(done, total)
            if score is not None:
                scores.append(score)
        found.append(Presentations(kind, tuple(scores), len(photos) - len(scores)))
    return found


def _photos(folder: Path) -> Mapping[str, list[Path]]:
    if not (folder / LIVING).is_dir():
        raise DataError(
            expected=f"a folder {LIVING}/ of living faces in {path_as_text(folder)}, beside folders of attacks",
            got="none",
            advice="make real/, print/, replay/ and mask/, each with its photos",
        )
    kinds = [LIVING, *sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name != LIVING)]
    return {
        kind: sorted(path for path in (folder / kind).rglob("*") if path.suffix.lower() in _PICTURES) for kind in kinds
    }


def _scores(photos: Sequence[Path], recognizer: Recognizer, passive: PassiveLiveness) -> Iterator[float | None]:
    from sameface.imaging import open_photo

    for path in photos:
        try:
            photo = open_photo(path, limits=recognizer.limits)
            face = recognizer.finder.choose(photo, "largest")
            yield passive.judge(photo, [face])[0].score
        except SamefaceError:
            yield None


def report_at(found: Sequence[Presentations], threshold: float, *, data: str) -> PresentationReport:
    """Rates at a threshold.

    Raises:
        SettingError: a threshold outside 0 to 1.
        NotEnoughDataError: no living face was scored.

    >>> found = [Presentations("real", (0.9, 0.4), 0), Presentations("print", (0.1, 0.6, 0.2, 0.3), 1)]
    >>> report = report_at(found, 0.5, data="x")
    >>> report.bpcer.rate, report.apcer[0].rate
    (0.5, 0.25)
    """
    if not 0 <= threshold <= 1:
        raise SettingError(expected="a threshold from 0 to 1", got=str(threshold), advice="correct it")
    living = _living(found)
    attacks = [item for item in found if item.kind != LIVING and item.scores]
    refused = sum(not is_living(score, threshold) for score in living.scores)
    apcer = [_rate(item, sum(is_living(score, threshold) for score in item.scores)) for item in attacks]
    return PresentationReport(
        data,
        threshold,
        _rate(living, refused),
        tuple(sorted(apcer, key=lambda item: (-item.rate, item.kind))),
        curve_of(found),
    )


def curve_of(found: Sequence[Presentations]) -> tuple[tuple[float, float, float | None], ...]:
    """BPCER and the largest APCER at twenty-one thresholds from 0 to 1."""
    living = np.array(_living(found).scores)
    attacks = [np.array(item.scores) for item in found if item.kind != LIVING and item.scores]
    points = []
    for threshold in np.linspace(0, 1, 21).round(2).tolist():
        worst = max((float((scores >= threshold).mean()) for scores in attacks), default=None)
        points.append((threshold, float((living < threshold).mean()), worst))
    return tuple(points)


def choose_threshold(
    found: Sequence[Presentations], bpcer: float, *, data: str, networks: Sequence[str]
) -> LivenessPoint:
    """The largest threshold at which no more than a share of the living faces is refused.

    Raises:
        SettingError: a share outside 0 to 1.
        NotEnoughDataError: too few living faces to speak of such a share.
    """
    if not 0 < bpcer < 1:
        raise SettingError(expected="a BPCER between 0 and 1", got=str(bpcer), advice="ask for 0.02, say")
    living = sorted(_living(found).scores)
    if len(living) * bpcer < 1:
        raise NotEnoughDataError(
            expected=f"at least {int(np.ceil(1 / bpcer))} living faces for a BPCER of {bpcer:g}",
            got=str(len(living)),
            advice="add photos to real/, or ask for a larger BPCER",
        )
    # As many may lie under it as the share allows; ties with it are living.
    threshold = float(living[int(len(living) * bpcer)])
    report = report_at(found, threshold, data=data)
    return LivenessPoint(
        threshold,
        bpcer,
        report.bpcer.rate,
        report.bpcer.interval,
        report.bpcer.faces,
        {item.kind: item.rate for item in report.apcer},
        data,
        tuple(networks),
    )


def _living(found: Sequence[Presentations]) -> Presentations:
    living = next((item for item in found if item.kind == LIVING), None)
    if living is None or not living.scores:
        raise NotEnoughDataError(
            expected="at least one living face that is found", got="none", advice="add photos to real/"
        )
    return living


def _rate(item: Presentations, errors: int) -> KindRate:
    count = len(item.scores)
    return KindRate(item.kind, errors, count, errors / count, binomial_interval(errors, count), item.without)
