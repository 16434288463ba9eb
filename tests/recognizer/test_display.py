"""What notebooks show."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from sameface.recognizer import DetectedFace, EncodedFace, Enrollment, Identification, PhotoReport, Verification
from sameface.recognizer.display import annotated
from sameface.recognizer.html import distance_bar
from sameface.types import Box, Candidate, Detection, EmbeddingSpace, OperatingPoint, Person

POINT = OperatingPoint(0.8, EmbeddingSpace("e", "d", "a"), "FMR 0.001 <LFW>")
EVIL = Person("0" * 32, "<script>alert(1)</script>", photos=1)
BOX = Box(10, 10, 60, 60)


def well_formed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>")


def test_answers_show_themselves_and_trust_no_name():
    answers = [
        Verification(True, 0.5, 0.8, 0.99, POINT),
        Verification(False, 0.9, 0.8, None, POINT, claimed=EVIL),
        Identification(None, None, 0.9, None, (Candidate("0" * 32, EVIL.name, 0.9),), None, 1, BOX, "no claim"),
        Identification(None, None, None, 0.8, (), None, 0, BOX, "nobody is enrolled"),
        Enrollment(EVIL, (PhotoReport("<b>.jpg", False, "no face", "expected one & got none"),)),
    ]
    for answer in answers:
        html = answer._repr_html_()
        well_formed(html)
        assert "<script" not in html
    assert "the same person" in answers[0]._repr_html_()
    assert "probability 0.9900" in answers[0]._repr_html_()
    assert "probability" not in answers[1]._repr_html_()


def test_the_bar_is_blue_under_the_threshold_only():
    assert "#0072b2" in distance_bar(0.79, 0.8)
    assert "#d55e00" in distance_bar(0.8, 0.8)
    assert "#d55e00" in distance_bar(0.0, 0.0)
    well_formed(distance_bar(0.5, None))


def test_the_bars_of_one_table_have_one_scale():
    near, far = Candidate("1", "Ada", 0.4), Candidate("2", "Bob", 1.2)
    drawn = Identification("Ada", "1", 0.4, 0.8, (near, far), 0.8, 2, BOX, "why")._repr_html_()
    bars = [float(rect.get("width")) for rect in well_formed(drawn).iter("{http://www.w3.org/2000/svg}rect")]
    assert bars[1] / bars[0] == pytest.approx(3, abs=0.01)  # 1.2 / 0.4
    taus = {path.get("d") for path in well_formed(drawn).iter("{http://www.w3.org/2000/svg}path")}
    assert len(taus) == 1  # τ is in one place in every row


def test_a_probability_is_no_certainty():
    assert "over 0.9999" in Verification(True, 0.1, 0.8, 0.99999, POINT)._repr_html_()


def test_the_photo_with_the_answers_on_it():
    image = np.full((200, 200, 3), 255, np.uint8)
    face = EncodedFace(Detection(BOX, 1.0), np.zeros(2, np.float32))
    found = DetectedFace(Detection(BOX, 1.0), 0.9)
    assert annotated(image, [found]).tobytes() == annotated(image, [face]).tobytes()
    assert found.confidence == 1.0
    drawn = annotated(image, [face])
    assert drawn.size == (200, 200)
    assert drawn._repr_png_()[:4] == b"\x89PNG"  # what a notebook asks a picture for
    assert (np.asarray(drawn) != 255).any()
    assert (image == 255).all()
