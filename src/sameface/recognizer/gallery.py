"""A gallery of people: photos in, names out.

Over 300 lines because it is one class, a method for each thing that people do with a gallery; half of each says what it promises, and the
work is done by the files beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import numpy as np

from sameface.arguments import explained
from sameface.defaults import DEFAULT_FPIR, DEFAULT_GALLERY
from sameface.errors import (
    PersonNotFoundError,
    SettingError,
    did_you_mean,
)
from sameface.faces.choose import Choice, as_choice
from sameface.gallery import Sight, TemplateStore, clean_name, gallery_exists, open_store, read_space
from sameface.imaging import ImageSource, Photo
from sameface.imaging.sources import is_one_photo, label_of
from sameface.matching import false_match_rate_for, is_same
from sameface.models.given import remember_given
from sameface.progress import Progress, stages_of
from sameface.recognizer.bulk import enroll_each, identify_each
from sameface.recognizer.domain import judge, probability_for, require_comparable, threshold_for
from sameface.recognizer.enroll import take_in
from sameface.recognizer.found import EncodedFace
from sameface.recognizer.guesses import Guessed
from sameface.recognizer.identify import decide
from sameface.recognizer.passed_over import warn_of
from sameface.recognizer.people import People
from sameface.recognizer.recognizer import Recognizer
from sameface.recognizer.results import Enrollment, Identification, Verification
from sameface.recognizer.review import Review, as_review
from sameface.recognizer.roster import as_photos, as_tags, roster_of
from sameface.recognizer.several import IdentifiedPhoto, NotEnrolled
from sameface.recognizer.thresholds import one_of
from sameface.tables import Answers
from sameface.types import Candidate, Consent, OperatingPoint, Who


class Gallery(Guessed, People):
    """Enrolled people, bound to one encoder, detector and alignment.

    Opening loads no network: `people`, `rename` and `forget` work without one. The networks are loaded when the first photo comes.

    Args:
        location: a file (SQLite), or ``postgresql://…``.
        recognizer: what turns photos into embeddings; None takes the encoder and detector that the gallery was made with, or the defaults
            for a new one.
        threshold: decide by this number instead of the threshold measured for the gallery's encoder.
        operating_point: τ with its provenance, or the file of one, likewise. A `recognizer` has its own.
        create: whether to make a gallery where there is none, with its first photo.
        fpir: for `identify`, the share of unknown people that may be named wrongly.

    >>> import sameface, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> people = sameface.Gallery(folder.name + "/people.db")
    >>> people.enroll("Grace Hopper", "examples/photos/grace_hopper.jpg")
    Enrollment('Grace Hopper', 1 of 1 photo accepted)
    >>> [person.name for person in people], len(people), "Ada" in people
    (['Grace Hopper'], 1, False)
    >>> bool(people.verify("Grace Hopper", "examples/photos/astronaut.png"))
    False
    >>> people.forget("Grace Hopper").templates
    1
    >>> people.close()
    >>> folder.cleanup()

    Raises:
        GalleryMissingError, NotAGalleryError, GalleryDamagedError, …: see `sameface.errors`.
        GalleryMismatchError: the recognizer's encoder, detector or alignment is another than the gallery's.
    """

    @explained
    def __init__(
        self,
        location: str | Path = DEFAULT_GALLERY,
        *,
        recognizer: Recognizer | None = None,
        threshold: float | None = None,
        operating_point: OperatingPoint | float | str | PathLike[str] | None = None,
        create: bool = True,
        fpir: float = DEFAULT_FPIR,
    ) -> None:
        self.location = location
        self.fpir = fpir
        false_match_rate_for(fpir, 1)  # one that cannot be meant is said now
        self._point = one_of(threshold, operating_point)
        if recognizer is not None and self._point is not None:
            raise SettingError(
                expected="a recognizer, or a threshold or operating point",
                got="both",
                advice="give it to the recognizer: Recognizer(threshold=…) or Recognizer(operating_point=…)",
            )
        self._given = recognizer
        self._create = create
        if gallery_exists(location) or not create:  # one that is to be made is made with its first photo
            _ = self.store

    @cached_property
    def recognizer(self) -> Recognizer:
        """What turns photos into embeddings."""
        if self._given is not None:
            return self._given
        if not gallery_exists(self.location):
            return Recognizer(operating_point=self._point)
        space = read_space(self.location)
        return Recognizer(detector=space.detector, encoder=space.encoder, operating_point=self._point)

    @cached_property
    def store(self) -> TemplateStore:
        """Where templates lie."""
        if self._given is None and (gallery_exists(self.location) or not self._create):
            return open_store(self.location, create=False)
        space, dimension = self.recognizer.space, self.recognizer.card.dimension
        store = open_store(self.location, space=space, dimension=dimension, create=self._create)
        remember_given(space.encoder, self.recognizer.encoder_given)  # the gallery keeps its id alone
        return store

    # -- enrolment ------------------------------------------------------------------------------------------------
    @explained
    def enroll(
        self,
        name: str,
        photos: ImageSource | Iterable[ImageSource],
        *,
        details: Mapping[str, str] | None = None,
        groups: Iterable[str] = (),
        consent: Consent | None = None,
        keep_until: str = "",
        choose: Choice = "only",
        review: Review = "standard",
    ) -> Enrollment:
        """Make a person known by one photo or several, or add photos to somebody known. Nothing is retrained.

        Args:
            name: 1 to 200 characters; data, never a path.
            photos: one photo or a list of them.
            details: free text to keep with the person.
            groups: tags to search within; one text is one tag.
            consent: what they agreed to. keep_until: the end of their own retention, a date or a moment; see `update`.
            choose: which face of a photo that shows several.
            review: ``off``, ``standard`` (quality, duplicates, looks like somebody else, unlike the person's other photos) or ``strict``
                (also nothing poor).

        Returns:
            The person and a report per photo. All accepted photos are stored in one transaction.

        Raises:
            ImageError, FaceError: there is one photo, and it does not show the one face.
            EnrollmentRefusedError: no photo passed, and none is stored already.
            PersonNameError: the name cannot be stored.
        """
        as_review(review)
        as_choice(choose)
        name = clean_name(name)
        tags = as_tags(groups)
        intake = take_in(self.recognizer, name, as_photos(photos), choose, review)
        person = None
        # A gallery is made with its first photo, not for one that is refused.
        if intake.templates and (self._exists or intake.reviewer(Sight(None, (), [()] * len(intake.templates)))):
            person = self.store.admit(
                name,
                intake.templates,
                intake.reviewer,
                details=dict(details or {}),
                groups=tags,
                consent=consent,
                keep_until=keep_until,
                neighbours=2 if review != "off" else 0,
            )
        return intake.outcome(person)

    @explained
    def enroll_many(
        self,
        people: Mapping[str, ImageSource | Iterable[ImageSource]] | str | PathLike[str],
        *,
        details: Mapping[str, str] | None = None,
        groups: Iterable[str] = (),
        consent: Consent | None = None,
        keep_until: str = "",
        choose: Choice = "only",
        review: Review = "standard",
        progress: Progress = False,
    ) -> Answers[Enrollment | NotEnrolled]:
        """Make many people known; who is refused does not stop the rest.

        Args:
            people: photos by name, or a folder that holds a folder of photos per person.
            details, groups, consent, keep_until, choose, review: as for `enroll`, for everybody.
            progress: True shows a bar.

        Returns:
            What became of each: an `Enrollment`, or a `NotEnrolled` with the reason. What else lies in a folder is named by a warning.

        Raises:
            DataError: neither a dictionary nor such a folder.
        """
        as_review(review)
        as_choice(choose)
        tags, roster = as_tags(groups), roster_of(people)
        warn_of(roster.passed_over)
        done: Answers[Enrollment | NotEnrolled] = Answers()
        with stages_of(progress)("enrolling", len(roster.people)) as advance:
            for outcome in enroll_each(
                self,
                roster,
                details=details,
                groups=tags,
                consent=consent,
                keep_until=keep_until,
                choose=choose,
                review=review,
            ):
                done.append(outcome)
                advance(1)
        return done

    # -- questions ------------------------------------------------------------------------------------------------
    @explained
    def verify(
        self, who: Who, photo: ImageSource | Photo, choose: Choice = "only", *, force: bool = False
    ) -> Verification:
        """Is this the claimed person? Compares with the nearest of the person's photos, under the 1:1 threshold.

        Args:
            who: the claimed person.
            photo: any picture.
            choose: which face of a photo that shows several.
            force: decide also about a face outside what τ was measured on; the result says so.

        Raises:
            PersonNotFoundError: nobody of that name or id is enrolled, or none of their photos is left.
            ImageError, FaceError: the photo does not show the one face asked for.
            NotComparableError: the face is unlike those that τ was measured on.
        """
        person = self.person(who)
        face = self.recognizer.encode_photo(photo, choose)
        point = self.recognizer.operating_point
        judged = judge(point, face.embedding, face.evidence)
        require_comparable(judged, force=force, photo=label_of(photo))
        distances = self.store.distances_to(person, face.embedding)
        if not len(distances):
            raise PersonNotFoundError(
                expected="a person with photos", got="one whose photos were all removed", advice="enroll a photo"
            )
        apart = float(np.min(distances))
        threshold = threshold_for(point, judged.standing)
        return Verification(
            same=is_same(apart, threshold),
            distance=apart,
            threshold=threshold,
            probability=probability_for(point, apart, judged.standing),
            operating_point=point,
            standing=judged.standing,
            standing_reason=judged.reason,
            claimed=person,
            probe_box=face.box,
        )

    @explained
    def identify(
        self,
        photo: ImageSource | Photo,
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        force: bool = False,
    ) -> Answers[Identification]:
        """Who is this? One answer per face, in reading order; an empty list for a photo without a face.

        The nearest person answers when under τ(K), which grows stricter with the number of templates searched; else nobody.

        Args:
            photo: any picture.
            candidates: how many nearest people to list with each answer.
            group: search only people of this group.
            fpir: instead of the gallery's own.
            force: name people also by faces outside what τ was measured on; the answers say so.

        Raises:
            SettingError: a number of candidates or an FPIR that cannot be meant.
            PersonNotFoundError: nobody is in that group.
        """
        self._check_question(candidates, fpir)  # before any work
        faces = self.recognizer.encode_faces(photo)
        return self.identify_faces(faces, candidates=candidates, group=group, fpir=fpir, force=force)

    @explained
    def identify_many(
        self,
        photos: Iterable[ImageSource | Photo],
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        force: bool = False,
    ) -> Iterator[IdentifiedPhoto]:
        """Who is in each of many photos? Answers come in their order, as they are ready; a photo that cannot be read comes with its error.

        `Answers(…)` of them makes a table: ``sameface.Answers(people.identify_many(photos)).to_dataframe()``.

        Args:
            photos: any number, an endless stream too; they are read a few at a time.
            candidates, group, fpir, force: as for `identify`.

        Raises:
            SettingError, PersonNotFoundError: as for `identify`.
        """
        self._check_question(candidates, fpir)
        several = [cast("ImageSource", photos)] if is_one_photo(photos) else photos
        return identify_each(self, several, candidates=candidates, group=group, fpir=fpir, force=force)

    @explained
    def identify_faces(
        self,
        faces: Sequence[EncodedFace],
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        force: bool = False,
    ) -> Answers[Identification]:
        """`identify` for faces that are encoded already, of one photo or many, in one search."""
        self._check_question(candidates, fpir)
        if not faces:
            return Answers()
        comparisons = self._comparisons(group)
        if not comparisons and group is not None and self._comparisons(None):
            raise PersonNotFoundError(
                expected="a group of this gallery",
                got=repr(group),
                advice=did_you_mean(group, self.store.stats().groups, "see `sameface gallery stats`"),
            )
        ranked: list[list[Candidate]] = [[] for _ in faces]
        if comparisons:
            probes = np.stack([face.embedding for face in faces])
            ranked = self.store.search(probes, k=max(2, candidates), group=group)
        point = self.recognizer.operating_point
        rate = self.fpir if fpir is None else fpir
        return Answers(
            decide(
                face.box,
                found,
                comparisons,
                point,
                rate,
                candidates,
                judge(point, face.embedding, face.evidence),
                force=force,
            )
            for face, found in zip(faces, ranked, strict=True)
        )

    # -- house keeping --------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Let go of the file or connection."""
        if "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_question(self, candidates: int, fpir: float | None) -> None:
        if candidates < 0:
            raise SettingError(expected="0 candidates or more", got=str(candidates), advice="leave it out for 3")
        false_match_rate_for(self.fpir if fpir is None else fpir, 1)

    @property
    def _exists(self) -> bool:
        return "store" in self.__dict__ or gallery_exists(self.location)

    def _comparisons(self, group: str | None) -> int:
        """K: how many templates a search compares with."""
        return self.store.count(group) if self._exists else 0
