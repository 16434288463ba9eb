"""Many people and many photos: one after another, and what fails does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from sameface.errors import FaceError, ImageError, PersonError
from sameface.faces.choose import Choice
from sameface.imaging import ImageSource, Photo
from sameface.imaging.sources import label_of
from sameface.recognizer.results import Enrollment
from sameface.recognizer.review import Review
from sameface.recognizer.roster import Roster
from sameface.recognizer.several import IdentifiedPhoto, NotEnrolled
from sameface.types import Consent

if TYPE_CHECKING:
    from sameface.recognizer.gallery import Gallery

#: Photos that are searched together: an answer comes soon, and the search is asked seldom.
AT_ONCE: Final = 8


def enroll_each(
    gallery: Gallery,
    roster: Roster,
    *,
    details: Mapping[str, str] | None = None,
    groups: Iterable[str] = (),
    consent: Consent | None = None,
    keep_until: str = "",
    choose: Choice = "only",
    review: Review = "standard",
) -> Iterator[Enrollment | NotEnrolled]:
    """Enroll everybody of a roster, each in a transaction of their own; first those who were refused as it was read."""
    for name, error in roster.refused:
        yield NotEnrolled(name, error)
    for name, photos in roster.people.items():
        try:
            yield gallery.enroll(
                name,
                photos,
                details=details,
                groups=groups,
                consent=consent,
                keep_until=keep_until,
                choose=choose,
                review=review,
            )
        # Of this person; anything else, a full disk say, concerns all that follow.
        except (FaceError, ImageError, PersonError) as refusal:
            yield NotEnrolled(name, refusal)


def identify_each(
    gallery: Gallery,
    photos: Iterable[ImageSource | Photo],
    *,
    candidates: int,
    group: str | None,
    fpir: float | None,
    force: bool,
) -> Iterator[IdentifiedPhoto]:
    """Who is in each of many photos, in order; a few at a time, so the photos may be endless."""
    waiting = iter(photos)
    while part := list(islice(waiting, AT_ONCE)):
        encoded = list(gallery.recognizer.encode_faces_of(part))
        found = [face for item in encoded if isinstance(item, list) for face in item]
        answers = iter(gallery.identify_faces(found, candidates=candidates, group=group, fpir=fpir, force=force))
        for photo, item in zip(part, encoded, strict=True):
            name = photo.source if isinstance(photo, Photo) else label_of(photo)
            if isinstance(item, list):
                yield IdentifiedPhoto(name, tuple(next(answers) for _ in item))
            else:
                yield IdentifiedPhoto(name, error=item)
