"""How one setting of a detector is written into an id and read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.faces.detector_spec import DetectorSpec, MtcnnSettings, YunetSettings
from sameface.faces.spec_words import NUMBER, number_word, shortest


@given(st.floats(0, 1e12, allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_the_same(value: float) -> None:
    assert float(shortest(value)) == value
    assert re.fullmatch(NUMBER, shortest(value))


@pytest.mark.parametrize(
    ("value", "text"), [(0.6, "0.6"), (1.0, "1"), (0, "0"), (1e-7, "1e-07"), (0.1 + 0.2, "0.30000000000000004")]
)
def test_as_short_as_it_may_be(value: float, text: str) -> None:
    assert shortest(value) == text


@given(st.floats(1e-6, 1e6))
def test_a_word_of_a_share(value: float) -> None:
    word = number_word("t", "threshold", float)
    assert re.fullmatch(word.pattern, word.write(value))
    assert word.read(word.write(value)) == value
    assert (word.field, word.always) == ("threshold", False)


@given(st.integers(0, 10**9))
def test_a_word_of_pixels(value: int) -> None:
    word = number_word("side", "longest_side", int, always=True)
    assert word.write(value) == f"side{value}"
    assert re.fullmatch(word.pattern, word.write(value))
    assert word.read(word.write(value)) == value
    assert word.write(float(value)) == f"side{value}"
    assert word.always


@pytest.mark.parametrize("text", ["side", "side-1", "side0.5", "sidex", "size640", " side640", "side640 ", "side٣"])
def test_what_is_no_word_of_pixels(text: str) -> None:
    word = number_word("side", "longest_side", int)
    found = re.fullmatch(word.pattern, text)
    assert found is None or word.read(text) >= 0  # \d takes every script's digits, and so does int


@pytest.mark.parametrize("text", ["t", "t-0.5", "t.5", "t5.", "t0,5", "tnan", "tinf", "t0x1", "t1e"])
def test_what_is_no_word_of_a_share(text: str) -> None:
    assert re.fullmatch(number_word("t", "threshold", float).pattern, text) is None


@pytest.mark.parametrize("side", [640, 999_999, 1_000_000, 12_345_678])
def test_a_detector_with_large_settings_opens_again_from_its_id(side: int) -> None:
    for made in (YunetSettings(longest_side=side), MtcnnSettings(search_side=side)):
        assert DetectorSpec.parse(made.id) == made
