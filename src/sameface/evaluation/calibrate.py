"""What the commands `evaluate` and `calibrate` share: recognizers by name, and a calibration from data to operating point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sameface.datasets import Bench, LabelledPhotos
from sameface.errors import DataError, NotEnoughDataError, SettingError
from sameface.evaluation.benches import protocol_of, score
from sameface.evaluation.cache import EmbeddingCache
from sameface.evaluation.calibration import choose_operating_point, confirm
from sameface.evaluation.disturbances import ALL, Disturbance
from sameface.evaluation.disturbed import Faces, disturbed_faces, one_each
from sameface.evaluation.domain import CALM_PHOTOS, DISTURBED_PEOPLE, LEAST_PEOPLE, learn_domain
from sameface.evaluation.embed import EmbeddedPhotos, embed_photos
from sameface.evaluation.probability import calibrate_probability
from sameface.evaluation.results import Reliability
from sameface.metrics.extra import require
from sameface.progress import Stages, no_stages
from sameface.types import Domain, OperatingPoint

if TYPE_CHECKING:
    from sameface.recognizer import Recognizer

#: The least share that is taken for one: of all pairs of living people it is a few dozen million.
LEAST_SHARE: Final = 1e-12


def recognizers(
    encoders: Sequence[str],
    detectors: Sequence[str],
    *,
    device: str = "cpu",
    operating_point: OperatingPoint | None = None,
) -> Iterator[Recognizer]:
    """Every encoder with every detector, each loaded when its turn comes. One thread per network: photos run side by side."""
    from sameface.recognizer import Recognizer

    for detector in detectors:
        for encoder in encoders:
            yield Recognizer(
                encoder=encoder, detector=detector, device=device, threads=1, operating_point=operating_point
            )


def check_shares(fmr: float, prior: float = 0.5) -> None:
    """Refuse a target or a prior that is no share of pairs.

    Raises:
        SettingError: one is not between 0 and 1.
    """
    for what, share in (("a false match rate", fmr), ("a prior", prior)):
        if not isinstance(share, Real) or not LEAST_SHARE <= share < 1:
            raise SettingError(
                expected=f"{what} between {LEAST_SHARE:g} and 1",
                got=f"{share:g}" if isinstance(share, Real) else f"{share!r}, which is no number",
                advice="see `sameface calibrate --help`",
            )


def calibrate(
    recognizer: Recognizer,
    bench: Bench,
    *,
    fmr: float = 1e-3,
    prior: float = 0.5,
    confirm_on: Bench | None = None,
    cache: EmbeddingCache | None = None,
    workers: int | None = None,
    domain: bool = False,
    left_out: Callable[[EmbeddedPhotos], object] = lambda embedded: None,
    progress: Stages = no_stages,
) -> tuple[OperatingPoint, Reliability | None]:
    """Choose τ and fit the probability on a data set, and score both's τ once on other people.

    Args:
        recognizer: what makes the embeddings.
        bench: to choose on.
        fmr, prior: the target, and the share of mated pairs that the probability assumes.
        confirm_on: to report on; None leaves `OperatingPoint.confirmed` empty.
        cache, workers, progress: as in `evaluate`.
        domain: learn which faces τ holds for, from photos that are damaged on purpose; takes some 120 encodings each of 120 people at most.
        left_out: told of each data set's photos, for those that gave no face.

    Returns:
        The operating point, and how reliable its probability is: None, and no probability, where there are too few people to fit one.

    Raises:
        SettingError: a target or a prior that is no share.
        NotEnoughDataError: the pairs do not support the target.
    """
    require("scipy", "sklearn")  # before photos are encoded, not after
    check_shares(fmr, prior)

    def embedded(of: Bench) -> EmbeddedPhotos:
        with progress(of.name, len(of.photos)) as advance:
            done = embed_photos(recognizer, of.photos, cache=cache, workers=workers, advance=advance)
        left_out(done)
        return done

    scores = score(bench, embedded(bench))
    point = choose_operating_point(scores, recognizer.space, fmr=fmr, data=bench.name, protocol=protocol_of(bench))
    reliability: Reliability | None = None
    with suppress(NotEnoughDataError):
        reliability = calibrate_probability(scores, prior=prior)
        point = replace(point, probability=reliability.calibration)
    del scores
    if domain:
        if not isinstance(bench, LabelledPhotos):
            raise DataError(expected="labelled photos to learn a domain", got="pairs", advice="leave the domain out")
        point = replace(point, domain=_domain(recognizer, bench, point.threshold, fmr, workers, progress))
    if confirm_on is not None:
        point = replace(
            point,
            confirmed=confirm(
                point, score(confirm_on, embedded(confirm_on)), data=confirm_on.name, protocol=protocol_of(confirm_on)
            ),
        )
    return point, reliability


def no_domain(bench: Bench) -> str:
    """Why a data set cannot say which faces τ holds for, "" when it can."""
    if not isinstance(bench, LabelledPhotos):
        return "that takes labelled photos, not a list of pairs"
    people = len(np.unique(bench.people))
    return f"that takes {LEAST_PEOPLE} people, not {people}" if people < LEAST_PEOPLE else ""


def _domain(
    recognizer: Recognizer, bench: LabelledPhotos, threshold: float, fmr: float, workers: int | None, progress: Stages
) -> Domain:
    people = len(np.unique(bench.people))
    chosen = one_each(bench, DISTURBED_PEOPLE)
    more = one_each(bench, CALM_PHOTOS, photos=max(1, CALM_PHOTOS // people))

    def faces(label: str, places: npt.NDArray[np.intp], kinds: Sequence[Disturbance]) -> list[Faces]:
        with progress(label, len(places)) as advance:
            photos = [bench.photos[n] for n in places]
            return disturbed_faces(
                recognizer, photos, bench.people[places], kinds=kinds, workers=workers, advance=advance
            )

    (calm,) = faces("as they are", more, ())
    spoilt = faces("damaged copies", chosen, ALL)
    return learn_domain(calm, spoilt, threshold=threshold, fmr=fmr, data=bench.name)
