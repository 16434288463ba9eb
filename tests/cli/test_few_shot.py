"""What `--few-shot` takes."""

from __future__ import annotations

import pytest

from sameface.cli.few_shot import read_questions
from sameface.errors import SettingError


def test_questions() -> None:
    assert read_questions("5x1,20X1, 5x5") == ((5, 1), (20, 1), (5, 5))
    assert read_questions(None) == ()


@pytest.mark.parametrize("text", ["", "5", "5x", "x1", "1x1", "5x0", "5x1,", "fivexone", "5x-1", "5x1x1", "٥x1"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(SettingError, match="ways x shots"):
        read_questions(text)


def test_a_group_without_a_question() -> None:
    with pytest.raises(SettingError, match="--few-shot"):
        read_questions(None, "alphabet")
