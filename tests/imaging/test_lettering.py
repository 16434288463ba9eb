"""Names on pictures: every letter of a name is drawn, and none as the empty box of a font that lacks it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from sameface.imaging import lettering as module
from sameface.imaging.annotate import FaceLabel, annotate
from sameface.imaging.lettering import lettering
from sameface.types import Box

SHIPPED = Path(module.__file__).parent / "fonts" / "DejaVuSans-names.ttf"


@pytest.mark.parametrize(
    "name", ["Hugo Chávez", "Łukasz Żółć", "Đặng Thị", "Ελένη", "Ярослав Ґудзь", "משה", "محمد", "გია"]
)
def test_a_name_beyond_ascii_is_written_with_a_font_that_has_its_letters(name: str) -> None:
    font, shown = lettering(name, 20)
    assert shown == name
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert font.getname()[0] == "DejaVu Sans"


def test_the_shipped_font_has_all_letters_of_europe() -> None:
    """By its own table of characters, as another program reads it."""
    ttlib = pytest.importorskip("fontTools.ttLib", reason="fontTools, which comes with matplotlib, is not installed")
    with ttlib.TTFont(SHIPPED) as font:
        known = set(font.getBestCmap())
    letters = {
        code for code in (*range(0xC0, 0x180), *range(0x388, 0x3CF), *range(0x400, 0x460)) if chr(code).isalpha()
    }
    assert not letters - known


def test_plain_english_keeps_pillows_own_font() -> None:
    font, shown = lettering("Grace Hopper", 20)
    assert shown == "Grace Hopper"
    assert font.getname() == ImageFont.load_default(20).getname()


@pytest.mark.parametrize(("name", "drawn"), [("Serena 😀", "Serena"), ("Zoë ❤️", "Zoë"), ("👩‍🚀 Mae", "Mae")])
def test_signs_that_no_font_has_are_left_out(name: str, drawn: str) -> None:
    assert lettering(name, 20)[1].replace("\u200d", "").replace("\ufe0f", "").replace("❤", "").strip() == drawn


def test_letters_that_no_font_has_are_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OF_SYSTEMS", ("no-such-font.ttf",))
    assert lettering("王小明 Łi", 20)[1] == "??? Łi"


def test_an_accent_is_drawn_on_the_plate() -> None:
    """A plate with an accent differs from the plate without, and from the one with an empty box."""

    def plate(title: str) -> np.ndarray:
        return annotate(np.zeros((200, 300, 3), np.uint8), [FaceLabel(Box(90, 20, 210, 140), title)])

    plates = [plate(title) for title in ("Chávez", "Chāvez", "Chăvez")]
    assert not any(np.array_equal(plates[a], plates[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
