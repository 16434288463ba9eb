"""What answers say of themselves in one line, and how they travel."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from sameface.errors import EnrollmentRefusedError, NoFaceError
from sameface.recognizer import (
    DetectedFace,
    EncodedFace,
    Enrollment,
    Identification,
    IdentifiedPhoto,
    NotEnrolled,
    PhotoReport,
    Verification,
    wire,
)
from sameface.types import Box, Candidate, Detection, EmbeddingSpace, Erased, OperatingPoint, Person, TailPoint

POINT = OperatingPoint(
    0.377,
    EmbeddingSpace("e", "d", "a"),
    "FMR 0.001",
    fmr=0.001,
    fnmr=0.02,
    data="LFW",
    tail=tuple(TailPoint(n / 1000, n / 1e6) for n in range(400)),
)
ADA = Person("0" * 31 + "1", "Ada", photos=2, groups=("staff",), created="2026-01-01T00:00:00Z")
BOX = Box(10.123, 20.456, 60, 80)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Verification(True, 0.242, 0.377, 0.99999, POINT), "Verification(same=True, 0.242 < τ 0.377, p > 0.9999)"),
        (Verification(False, 0.9, 0.377, 1e-9, POINT), "Verification(same=False, 0.900 ≥ τ 0.377, p < 0.0001)"),
        (Verification(False, 0.9, 0.377, None, POINT), "Verification(same=False, 0.900 ≥ τ 0.377)"),
        (
            Verification(True, 0.3, 0.377, 0.75, POINT, claimed=ADA),
            "Verification(claimed='Ada', same=True, 0.300 < τ 0.377, p = 0.7500)",
        ),
        (
            Identification("Ada", "1", 0.3, 0.35, (Candidate("1", "Ada", 0.3),), None, 1, BOX, "why"),
            "Identification('Ada', 0.300 < τ(K) 0.350)",
        ),
        (
            Identification(None, None, 0.5, 0.35, (Candidate("1", "Ada", 0.5),), None, 1, BOX, "why"),
            "Identification(nobody, nearest 'Ada' 0.500 ≥ τ(K) 0.350)",
        ),
        (
            Identification(None, None, 0.5, None, (Candidate("1", "Ada", 0.5),), None, 10**6, BOX, "why"),
            "Identification(nobody, nearest 'Ada' 0.500, no τ(K))",
        ),
        (
            Identification(None, None, None, 0.35, (), None, 0, BOX, "nobody is enrolled"),
            "Identification(nobody: nobody is enrolled)",
        ),
        (
            Enrollment(ADA, (PhotoReport("a.jpg", True, "accepted"), PhotoReport("b.jpg", False, "no face"))),
            "Enrollment('Ada', 1 of 2 photos accepted)",
        ),
        (
            EncodedFace(Detection(BOX, 0.987), np.zeros(128, np.float32)),
            "EncodedFace(50×60 pixels at (10, 20), confidence 0.99, 128 numbers)",
        ),
    ],
)
def test_one_line(answer: object, line: str) -> None:
    assert repr(answer) == line


def test_a_point_is_one_line_too() -> None:
    assert repr(POINT) == "OperatingPoint(τ 0.377 for FMR 0.001, on LFW, of e on d + a)"


def test_a_distance_that_rounds_to_the_threshold_is_told_apart() -> None:
    assert repr(Verification(True, 0.37699, 0.377, None, POINT)) == "Verification(same=True, 0.376990 < τ 0.377000)"


def test_a_verification_travels() -> None:
    answer = Verification(True, 0.25, 0.377, 0.75, POINT, claimed=ADA, probe_box=BOX)
    sent = json.loads(json.dumps(answer.to_dict()))
    assert sent == {
        "same": True,
        "distance": 0.25,
        "threshold": 0.377,
        "probability": 0.75,
        "operating_point": {
            "target": "FMR 0.001",
            "data": "LFW",
            "fmr": 0.001,
            "fnmr": 0.02,
            "space": {"encoder": "e", "detector": "d", "alignment": "a"},
        },
        "claimed": {
            "person_id": "0" * 31 + "1",
            "name": "Ada",
            "details": {},
            "groups": ["staff"],
            "photos": 2,
            "created": "2026-01-01T00:00:00Z",
            "consent": None,
            "keep_until": "",
            "expires": "",
            "hold": "",
        },
        "probe_box": {"x1": 10.12, "y1": 20.46, "x2": 60, "y2": 80},
        "probe_size": None,
        "reference_box": None,
        "reference_size": None,
        "standing": "usual",
        "standing_reason": "",
        "replay": False,
    }


def test_an_identification_and_an_enrolment_travel() -> None:
    face = Identification("Ada", "1", 0.3, 0.35, (Candidate("1", "Ada", 0.3),), None, 1, BOX, "why")
    assert face.to_dict()["candidates"] == [{"person_id": "1", "name": "Ada", "distance": 0.3}]
    assert face.to_dict()["box"] == {"x1": 10.12, "y1": 20.46, "x2": 60, "y2": 80}
    done = Enrollment(ADA, (PhotoReport("", True, "accepted", quality=0.5, box=BOX),))
    sent = done.to_wire(("upload.jpg",))
    assert (sent.name, sent.person, sent.accepted, sent.error) == ("Ada", ADA, 1, None)
    assert [(report.photo, report.quality) for report in sent.reports] == [("upload.jpg", 0.5)]


def test_an_error_travels_with_its_table_row_and_its_reports() -> None:
    sent = wire.problem(NoFaceError(expected="one face", got="none", advice="use another photo"), "r1")
    assert (sent.type, sent.status, sent.title, sent.request_id) == (
        "urn:sameface:no-face",
        422,
        "No face was found",
        "r1",
    )
    assert sent.detail == "expected one face; got none. Use another photo."
    refusal = EnrollmentRefusedError(expected="a", got="b", advice="c")
    refusal.reports = (PhotoReport("a.jpg", False, "blurred", "d"),)
    assert [(item.photo, item.reason) for item in wire.problem(refusal).reports] == [("a.jpg", "blurred")]


def test_every_answer_gives_itself_as_plain_values_and_in_a_notebook():
    point = dataclasses.replace(POINT, fmr=0.001)
    face = DetectedFace(Detection(BOX, 0.9), 0.8, ("blurred",))
    known = Identification("Ada", "1", 0.3, 0.35, (Candidate("1", "Ada", 0.3),), None, 1, BOX, "why")
    error = EnrollmentRefusedError(expected="a", got="b", advice="c")
    error.reports = (PhotoReport("b.jpg", False, "no face"),)
    answers = [
        Verification(True, 0.242, 0.377, 0.99999, POINT),
        known,
        Enrollment(ADA, (PhotoReport("a.jpg", True, "accepted"),)),
        IdentifiedPhoto("party.jpg", (known,)),
        IdentifiedPhoto("none.jpg", error=NoFaceError(expected="a", got="b", advice="c")),
        NotEnrolled("Ada", error),
        face,
        EncodedFace(Detection(BOX, 0.9), np.zeros(4, np.float32)),
        ADA,
        Candidate("1", "Ada", 0.3),
        Erased("1", 2, {"search cache": 2}),
        point,
        Detection(BOX, 0.9),
    ]
    for answer in answers:
        assert json.loads(json.dumps(answer.to_dict())) == answer.to_dict()
        shown = answer._repr_html_()
        assert shown.startswith(("<p>", "<table>"))
        assert "\n" not in repr(answer)
    assert face.to_dict() == {
        "box": {"x1": 10.12, "y1": 20.46, "x2": 60, "y2": 80},
        "confidence": 0.9,
        "quality": 0.8,
        "reasons": ["blurred"],
    }
    assert answers[5].to_dict()["reports"][0]["reason"] == "no face"
    assert answers[5].to_dict()["error"]["type"] == "urn:sameface:enrollment-refused"


def test_what_the_client_gives_shows_itself_too():
    """The wire classes are what `sameface.client` answers with."""
    answer = Identification("<Ada>", "1", 0.3, 0.35, (), None, 1, BOX, "why").to_wire()
    assert "&lt;Ada&gt;" in answer._repr_html_()
    assert answer.to_dict()["name"] == "<Ada>"
