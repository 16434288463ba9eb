"""What is told to callers who may not have embeddings: yes or no, and no number from which an embedding could be rebuilt.

A distance to a stored embedding, told exactly for some two hundred photos, gives that embedding away (trilateration). A threshold of the
caller's choice gives the distance away by halving, so refusals near the threshold are counted too (`Attempts`). After too many of them, matches
near the threshold are no longer told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sameface.errors import EnrollmentRefusedError, PersonNotFoundError
from sameface.matching import is_same
from sameface.recognizer import Enrollment, Gallery, Identification, PhotoReport, wire
from sameface.recognizer.identify import threshold_for_search
from sameface.recognizer.words import plural
from sameface.service.attempts import Attempts
from sameface.types import PersonId, Who

log = logging.getLogger("sameface.service")

#: A probability is told as the highest of these that it reaches.
STEPS: Final = (0.5, 0.9, 0.99)
#: Up to this multiple of τ(K) a "nobody" is near enough to tell something about the nearest person.
_NEAR: Final = 1.1
#: Under this multiple of τ(K) a yes is clear: whoever feels along the edge from a false match has none.
_CLEAR: Final = 0.9
#: Two photographs of one person are never this near: the same pixels are.
_SAME_PIXELS: Final = 1e-3

#: Reasons whose details hold distances, and what is told instead.
_WITHOUT_NUMBERS: Final = {
    "looks like somebody else": "{other} is near enough to be the same person: check who this is",
    "unlike the other photos": "no photo of this person is near enough",
}


def coarse(probability: float | None) -> float | None:
    """A probability in few steps, None below the lowest.

    >>> coarse(0.97), coarse(0.9), coarse(0.2), coarse(None)
    (0.9, 0.9, None, None)
    """
    return max((step for step in STEPS if probability is not None and probability >= step), default=None)


class Disclosure:
    """What one caller is told about one gallery.

    Args:
        exact: whether the caller may have embeddings, and so every number.
        who: names the caller and the gallery in the budget of near misses.
        near_misses: that budget.
        refuse_replays: whether an enrolled photo is taken for nobody; else it is only flagged.
    """

    def __init__(self, *, exact: bool, who: tuple[str, str], near_misses: Attempts, refuse_replays: bool) -> None:
        self._exact, self._who = exact, who
        self._near_misses, self._refuse_replays = near_misses, refuse_replays

    # -- 1:1 ----------------------------------------------------------------------------------------------------------
    def verified(self, answer: wire.Verification, replay: bool) -> wire.Verification:
        """The answer to a claim, as this caller gets it."""
        answer = replace(answer, replay=replay, same=answer.same and not self._refuses(replay))
        if self._exact:
            return answer
        return replace(answer, distance=None, probability=coarse(answer.probability) if answer.same else None)

    # -- 1:K ----------------------------------------------------------------------------------------------------------
    def identified(
        self, held: Gallery, answers: Iterable[Identification], sha256: str
    ) -> tuple[wire.Identification, ...]:
        """The answers for the faces of a photo, as this caller gets them.

        Args:
            sha256: of the photo's bytes.
        """
        return tuple(self._one(held, answer, sha256) for answer in answers)

    def _one(self, held: Gallery, answer: Identification, sha256: str) -> wire.Identification:
        replay = (
            answer.person_id is not None
            and answer.distance is not None
            and is_replay(held, PersonId(answer.person_id), sha256, answer.distance)
        )
        if self._refuses(replay):
            answer = replace(answer, name=None, person_id=None)
        if not self._exact:
            enough = self._enough_left(held, answer)
            answer = without_numbers(answer if enough else replace(answer, name=None, person_id=None))
            replay = replay and enough
        if self._refuses(replay):
            answer = replace(answer, why="the photo is an enrolled one, not a new one")
        return replace(answer.to_wire(), replay=replay)

    def _enough_left(self, held: Gallery, answer: Identification) -> bool:
        """Whether the nearest person may still be named to this caller; a near miss is counted, by the policy's τ(K) and not the caller's.

        Once there were too many, only a clear match is named. What is refused or withheld then is counted by itself, for the place where
        a match begins to be clear is an edge as well.
        """
        edge = threshold_for_search(held.recognizer.operating_point, answer.comparisons, held.fpir)
        if not answer.candidates or edge is None:
            return True
        nearest = answer.candidates[0]
        budget = (*self._who, nearest.person_id)
        second = (*budget, "clear")
        if answer.name is None:
            if is_same(nearest.distance, _NEAR * edge):
                self._count(budget, second)
            return True
        if self._near_misses.any_left(budget):
            return True
        if is_same(nearest.distance, _CLEAR * edge):
            return self._near_misses.any_left(second)
        self._near_misses.spend(second)
        return False

    def _count(self, budget: tuple[str, ...], second: tuple[str, ...]) -> None:
        if not self._near_misses.spend(budget):
            self._near_misses.spend(second)
        elif not self._near_misses.any_left(budget):
            log.warning(
                "key %s of gallery %s: too many near misses of person %s, who is named for clear matches alone, for a while",
                *budget,
            )

    def _refuses(self, replay: bool) -> bool:
        return replay and self._refuse_replays

    # -- enrolment ----------------------------------------------------------------------------------------------------
    def enrolled(self, done: Enrollment) -> Enrollment:
        """What enrolling did, as this caller gets it."""
        return replace(done, reports=tuple(self.report(report) for report in done.reports))

    def report(self, report: PhotoReport) -> PhotoReport:
        """What became of a photo, as this caller gets it."""
        if self._exact or report.reason not in _WITHOUT_NUMBERS:
            return report
        return replace(report, detail=_WITHOUT_NUMBERS[report.reason].format(other=report.looks_like))

    def refusal(self, error: EnrollmentRefusedError) -> EnrollmentRefusedError:
        """The error when no photo passed, as this caller gets it."""
        reports = tuple(self.report(report) for report in error.reports)
        words = "; ".join(
            f"a photo: {report.reason}. {report.detail[:1].upper()}{report.detail[1:]}" for report in reports[:3]
        )
        told = EnrollmentRefusedError(expected=error.expected, got=words or "no photos", advice="give another photo")
        told.reports = reports
        return told


def without_numbers(answer: Identification) -> Identification:
    """A name or nobody, and τ(K); no distance, no margin, nobody who was merely near."""
    told = answer.why
    if answer.standing == "outside" and answer.name is None:
        told = f"not comparable: {answer.standing_reason}"
    elif answer.threshold is not None:
        told = f"under τ(K) = {answer.threshold:.3f} among {plural(answer.comparisons, 'template')}"
        told = told if answer.name is not None else f"nobody is {told}"
    return replace(answer, distance=None, margin=None, candidates=(), why=told)


def is_replay(held: Gallery, who: Who, sha256: str, distance: float) -> bool:
    """Whether a photo is one of a person's enrolled ones: the same bytes, or the same pixels saved anew."""
    if distance < _SAME_PIXELS:
        return True
    try:
        return any(stored.template.source_sha256 == sha256 for stored in held.store.templates_of(who))
    except PersonNotFoundError:  # forgotten meanwhile, and their photos with them
        return False
