"""Names on pictures: every letter of a name is drawn, and none as the empty box of a font that lacks it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageFont

from sameface.imaging import lettering as module
from sameface.imaging.annotate import FaceLabel, annotate
from sameface.imaging.lettering import lettering
from sameface.types import Box


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OF_SYSTEMS", ("no-such-font.ttf",))
    monkeypatch.setattr(module, "_of_matplotlib", lambda: iter(()))


@pytest.mark.parametrize(
    "name", ["Hugo Chávez", "Łukasz Żółć", "Đặng Thị", "Ελένη", "Ярослав Ґудзь", "משה", "محمد", "გია"]
)
def test_a_name_beyond_ascii_is_written_with_a_font_that_has_its_letters(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """matplotlib's font has all of these: where the evaluation is installed, no system need have one."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(module, "_OF_SYSTEMS", ())
    font, shown = lettering(name, 20)
    assert shown == name
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert font.getname()[0] == "DejaVu Sans"


def test_plain_english_keeps_pillows_own_font() -> None:
    font, shown = lettering("Grace Hopper", 20)
    assert shown == "Grace Hopper"
    assert font.getname() == ImageFont.load_default(20).getname()


@pytest.mark.parametrize(("name", "drawn"), [("Serena 😀", "Serena"), ("Zoë ❤️", "Zoë"), ("👩‍🚀 Mae", "Mae")])
def test_signs_that_no_font_has_are_left_out(name: str, drawn: str) -> None:
    assert lettering(name, 20)[1].replace("\u200d", "").replace("\ufe0f", "").replace("❤", "").strip() == drawn


@pytest.mark.usefixtures("no_other_fonts")
@pytest.mark.parametrize(
    ("name", "drawn"),
    [("Hugo Chávez", "Hugo Chavez"), ("王小明 Žid", "??? Zid"), ("Serena 😀", "Serena"), ("Zoe\u0308", "Zoe")],
)
def test_without_any_font_that_has_them_letters_lose_their_accents(name: str, drawn: str) -> None:
    assert lettering(name, 20)[1] == drawn


def test_an_accent_is_drawn_on_the_plate() -> None:
    """A plate with an accent differs from the plate without, and from the one with an empty box."""

    pytest.importorskip("matplotlib")  # whose font has them, wherever this runs

    def plate(title: str) -> np.ndarray:
        return annotate(np.zeros((200, 300, 3), np.uint8), [FaceLabel(Box(90, 20, 210, 140), title)])

    plates = [plate(title) for title in ("Chávez", "Chāvez", "Chăvez")]
    assert not any(np.array_equal(plates[a], plates[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
