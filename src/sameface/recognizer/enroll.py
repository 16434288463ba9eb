"""Photos on the way into a gallery: encoded one by one, judged together by whoever stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sameface.errors import NoThresholdError, SamefaceError
from sameface.faces.choose import Choice
from sameface.faces.quality import judge_face
from sameface.imaging import ImageSource, open_photo
from sameface.imaging.sources import label_of
from sameface.recognizer.recognizer import Recognizer
from sameface.recognizer.results import Enrollment, PhotoReport
from sameface.recognizer.review import Review, Reviewer, refusal, refused
from sameface.types import Person, Template


@dataclass(slots=True)
class Intake:
    """One person's photos, encoded and not judged yet.

    Attributes:
        reviewer: judges the templates, in the transaction that stores them.
        templates: of the photos that showed a face, in order.
    """

    reviewer: Reviewer
    review: Review
    templates: list[Template] = field(default_factory=list)
    _refused: dict[int, PhotoReport] = field(default_factory=dict)  # by the photo's place
    _failures: list[SamefaceError] = field(default_factory=list)

    def fail(self, place: int, report: PhotoReport, error: SamefaceError) -> None:
        """Note a photo that gave no face."""
        self._refused[place] = report
        self._failures.append(error)

    def outcome(self, person: Person | None) -> Enrollment:
        """What enrolling did.

        Args:
            person: as stored now, None when nothing was let in and nobody of that name is known.

        Raises:
            ImageError, FaceError: there is one photo, and it does not show the one face.
            EnrollmentRefusedError: no photo passed, and none is stored already.
        """
        reviewed = iter(self.reviewer.reports)
        photos = len(self.templates) + len(self._refused)
        reports = tuple(self._refused[place] if place in self._refused else next(reviewed) for place in range(photos))
        # A photo that is stored already shows the person as well as a new one: enrolling again ends as it did before.
        if person is not None and any(report.accepted or report.reason == "duplicate" for report in reports):
            return Enrollment(person, reports)
        if photos == 1 and self._failures:
            raise self._failures[0]
        raise refusal(reports, self.review)


def take_in(
    recognizer: Recognizer, name: str, sources: Sequence[ImageSource], choose: Choice, review: Review
) -> Intake:
    """Encode the photos of a person who is to be enrolled under a name; what fails is noted."""
    threshold = _threshold_if_known(recognizer) if review != "off" else None
    intake = Intake(Reviewer(name, threshold, review), review)
    for place, source in enumerate(sources):
        try:
            template, faults = _template(recognizer, source, choose, review)
        except SamefaceError as error:
            intake.fail(place, refused(label_of(source), error), error)
            continue
        intake.templates.append(template)
        intake.reviewer.consider(template, faults)
    return intake


def _template(
    recognizer: Recognizer, source: ImageSource, choose: Choice, review: Review
) -> tuple[Template, tuple[str, ...]]:
    photo = open_photo(source, limits=recognizer.limits)
    face = recognizer.encode_photo(photo, choose, source=photo.source)
    quality = judge_face(photo, face.detection)
    # Limits measured on faces say nothing of drawings, signatures and other pictures that are taken whole.
    faults = list(quality.reasons) if recognizer.expects_faces else []
    judged = recognizer.judge(face)
    if judged.standing == "outside" or (judged.standing == "poor" and review == "strict"):
        faults.append(judged.reason)
    return Template(face.embedding, photo.source, photo.sha256, face.box, quality.value), tuple(faults)


def _threshold_if_known(recognizer: Recognizer) -> float | None:
    """τ for the review's comparisons; without one a photo is judged by itself alone."""
    try:
        return recognizer.operating_point.threshold
    except NoThresholdError:
        return None
