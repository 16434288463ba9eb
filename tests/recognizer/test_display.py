"""What notebooks show."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np

from sameface.recognizer import EncodedFace, Enrollment, Identification, PhotoReport, Verification
from sameface.recognizer.display import annotated, distance_bar
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
    assert "probability 0.990" in answers[0]._repr_html_()
    assert "probability" not in answers[1]._repr_html_()


def test_the_bar_is_blue_under_the_threshold_only():
    assert "#0072b2" in distance_bar(0.79, 0.8)
    assert "#d55e00" in distance_bar(0.8, 0.8)
    assert "#d55e00" in distance_bar(0.0, 0.0)
    well_formed(distance_bar(0.5, None))


def test_the_photo_with_the_answers_on_it():
    image = np.full((200, 200, 3), 255, np.uint8)
    face = EncodedFace(Detection(BOX, 1.0), np.zeros(2, np.float32))
    drawn = annotated(image, [face])
    assert drawn.size == (200, 200)
    assert drawn._repr_png_()[:4] == b"\x89PNG"  # what a notebook asks a picture for
    assert (np.asarray(drawn) != 255).any()
    assert (image == 255).all()
