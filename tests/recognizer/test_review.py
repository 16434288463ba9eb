"""What a photo must pass to become a template: each rule at its edge, with faces that are points on a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sameface.errors import (
    DamagedImageError,
    EnrollmentRefusedError,
    FaceQualityError,
    FaceTooSmallError,
    ImageNotFoundError,
    NoFaceError,
    SettingError,
    SeveralFacesError,
)
from sameface.gallery import Sight, StoredTemplate
from sameface.recognizer.results import PhotoReport
from sameface.recognizer.review import Reviewer, as_review, refusal, refused, review_photo
from sameface.types import Box, Candidate, Person, Template

TAU = 0.5
BOX = Box(1, 2, 3, 4)
ADA = Person("a" * 32, "Ada", photos=1)


def at(place: float, sha256: str = "", source: str = "p.jpg") -> Template:
    """A face whose distance to another is the difference of their places."""
    return Template(np.array([place, 0, 0], np.float32), source, sha256, BOX, 0.75)


def somebody(apart: float, name: str = "Grace", person_id: str = "b" * 32) -> Candidate:
    return Candidate(person_id, name, apart)


def reviewed(template: Template | None = None, **differing: Any) -> PhotoReport:
    usual: dict[str, Any] = {"own": [], "stored": (), "others": [], "threshold": TAU, "review": "standard"}
    faults = differing.pop("faults", ())
    return review_photo("Ada", template or at(0), faults, **{**usual, **differing})


def test_a_report_carries_what_is_known_of_the_photo() -> None:
    report = reviewed()
    assert (report.accepted, report.reason, report.looks_like) == (True, "accepted", None)
    assert (report.photo, report.quality, report.box) == ("p.jpg", 0.75, BOX)


@pytest.mark.parametrize("review", ["off", "standard", "strict"])
def test_the_very_photo_is_a_duplicate_whatever_is_asked(review: str) -> None:
    again = at(0, "ab" * 32)
    assert reviewed(again, stored={"ab" * 32}, review=review).reason == "duplicate"
    assert reviewed(again, stored={"cd" * 32}, review=review).accepted
    assert reviewed(
        at(0, ""), stored={""}, review=review
    ).accepted  # crops have no digest: two of them are not one photo


def test_off_asks_nothing_else() -> None:
    assert reviewed(faults=["blurred"], own=[at(9).embedding], others=[somebody(0.0)], review="off").accepted


def test_the_worst_fault_is_the_reason() -> None:
    report = reviewed(faults=["too small (20 pixels)", "blurred"], others=[somebody(0.0)])
    assert (report.accepted, report.reason, report.looks_like) == (False, "too small (20 pixels)", None)
    assert "sharper" in report.detail


@pytest.mark.parametrize(
    ("own", "other", "reason"),
    [
        (None, 0.49, "looks like somebody else"),
        (None, 0.5, "accepted"),  # at τ they are not the same
        (0.3, 0.2, "looks like somebody else"),
        (0.25, 0.25, "accepted"),  # no nearer than the person's own
        (0.2, 0.3, "accepted"),
        (0.49, 0.6, "accepted"),
        (0.5, 0.6, "unlike the other photos"),
        (0.9, 0.4, "looks like somebody else"),
        (0.9, None, "unlike the other photos"),
        (None, None, "accepted"),
    ],
)
def test_own_and_others(own: float | None, other: float | None, reason: str) -> None:
    report = reviewed(
        own=[] if own is None else [at(7).embedding, at(own).embedding],  # the nearest of the own counts
        others=[] if other is None else [somebody(other), somebody(other + 1, "Mary")],
    )
    assert (report.reason, report.accepted) == (reason, reason == "accepted")
    assert report.looks_like == ("Grace" if reason == "looks like somebody else" else None)
    assert ("τ = 0.500" in report.detail) == (reason != "accepted")


def test_without_a_threshold_a_photo_is_judged_by_itself_alone() -> None:
    assert reviewed(own=[at(9).embedding], others=[somebody(0.0)], threshold=None).accepted
    assert not reviewed(faults=["blurred"], threshold=None).accepted


def judge(*photos: tuple[Template, tuple[str, ...]], threshold: float | None = TAU) -> Reviewer:
    made = Reviewer("Ada", threshold, "standard")
    for template, faults in photos:
        made.consider(template, faults)
    return made


def test_each_accepted_photo_counts_for_those_after_it() -> None:
    photos = [(at(0, "aa" * 32), ()), (at(0.4, "bb" * 32), ()), (at(0.8, "cc" * 32), ()), (at(0.1, "aa" * 32), ())]
    reviewer = judge(*photos)
    assert reviewer(Sight(None, [], [[]] * 4)) == [0, 1, 2]  # 0.8 is 0.8 from the first, and 0.4 from the second
    assert [report.reason for report in reviewer.reports] == ["accepted"] * 3 + ["duplicate"]


def test_a_refused_photo_counts_for_nobody() -> None:
    reviewer = judge((at(0), ()), (at(0.4), ("blurred",)), (at(0.8), ()))
    assert reviewer(Sight(None, [], [[]] * 3)) == [0]
    assert [report.reason for report in reviewer.reports] == ["accepted", "blurred", "unlike the other photos"]


def test_the_person_is_not_somebody_else() -> None:
    near = [somebody(0.1, "Ada", ADA.person_id), somebody(0.2)]
    known = Sight(ADA, [StoredTemplate(1, ADA.person_id, at(0.3))], [near])
    reviewer = judge((at(0), ()))
    assert reviewer(known) == []  # Grace at 0.2 is nearer than Ada's own photo at 0.3
    assert reviewer.reports[0].looks_like == "Grace"
    assert judge((at(0), ()))(Sight(ADA, [StoredTemplate(1, ADA.person_id, at(0.1))], [near])) == [0]


def test_asked_again_it_begins_anew() -> None:
    """A transaction that has to be repeated asks again, of a gallery that others changed meanwhile."""
    reviewer = judge((at(0, "aa" * 32), ()))
    assert reviewer(Sight(None, [], [[]])) == [0]
    assert reviewer(Sight(ADA, [StoredTemplate(1, ADA.person_id, at(0, "aa" * 32))], [[]])) == []
    assert [report.reason for report in reviewer.reports] == ["duplicate"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (NoFaceError, "no face"),
        (SeveralFacesError, "several faces"),
        (FaceTooSmallError, "too small"),
        (FaceQualityError, "low quality"),
        (DamagedImageError, "unreadable"),
        (ImageNotFoundError, "unreadable"),
    ],
)
def test_why_a_photo_gave_no_face(kind: type, reason: str) -> None:
    report = refused("a.jpg", kind(expected="one face", got="another", advice="use another photo"))
    assert (report.photo, report.accepted, report.reason) == ("a.jpg", False, reason)
    assert "another photo" in report.detail


def test_a_refusal_says_the_first_three_and_holds_them_all() -> None:
    reports = [PhotoReport(f"{name}.jpg", False, "blurred", "too soft") for name in "abcd"]
    error = refusal(reports, "strict")
    assert isinstance(error, EnrollmentRefusedError)
    assert "strict review" in error.expected
    assert error.got.count("blurred") == 3
    assert error.reports == tuple(reports)
    assert refusal([], "standard").got == "no photos"


@pytest.mark.parametrize("word", ["", "Strict", "none", "off "])
def test_words_that_are_no_review(word: str) -> None:
    assert as_review("strict") == "strict"
    with pytest.raises(SettingError, match="off, standard, strict"):
        as_review(word)
