"""Numbers in words: never more certain than measured, never two numbers that look alike and are told apart."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from sameface.recognizer.words import distance_sign, plural, probability_sign, probability_words


@given(st.floats(0, 1))
def test_a_probability_is_never_said_as_certain(p: float) -> None:
    words = probability_words(p)
    shown = float(re.search(r"0\.\d+", words)[0])  # type: ignore[index]
    assert 0 < shown < 1
    if "over" not in words and "under" not in words:
        assert abs(shown - p) <= 0.00005 + 1e-12
    assert probability_sign(p).split()[1] == {"over": ">", "unde": "<"}.get(words[:4], "=")


@given(st.floats(0, 2), st.floats(0, 2))
def test_a_distance_beside_its_threshold(distance: float, threshold: float) -> None:
    text = distance_sign(distance, threshold)
    assert ("<" in text) == (distance < threshold)
    shown, tau = (float(number) for number in re.findall(r"\d\.\d+", text))
    assert (shown < tau) == (distance < threshold) or abs(distance - threshold) < 1e-6


def test_plural_forms() -> None:
    assert [plural(n, "person", "people") for n in (0, 1, 2)] == ["0 people", "1 person", "2 people"]
