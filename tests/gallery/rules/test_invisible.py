"""Names that look alike are one name; what scripts and emoji need stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import PersonNameError
from sameface.gallery.rules.names import clean_groups, clean_name

LIKE_ADA = [
    "Ada ",
    " Ada",
    "\tAda"[1:],
    "Ada\u00a0",
    "Ada\u3000",
    "Ada\u2800",
    "Ada\u200b",
    "A\u200bda",
    "\ufeffAda",
    "Ada\u200e",
    "\u200fAda",
    "\u202eAda\u202c",
    "\u2066Ada\u2069",
    "A\u00adda",
    "A\u2060da",
    "A\u034fda",
    "Ada\ufe0f",
    "Ada\u200d",
    "A\u200cda",
    "Ada\u3164",
    "\u115fAda",
    "Ada\U000e0041\U000e007f",
    "Ada\U000e0100",
    "Ada\u180e",
    "\ufff9Ada",
]


@pytest.mark.parametrize("name", LIKE_ADA, ids=ascii)
def test_names_that_look_alike_are_one(name: str) -> None:
    assert clean_name(name) == "Ada"
    assert clean_groups([name, "Ada"]) == ("Ada",)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Ren\u00e9",
        "Zoë 👩\u200d🚀",
        "👨\u200d👩\u200d👧\u200d👦",
        "👩🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "❤\ufe0f\u200d🔥",
        "🙂\u200d↔\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland
        "1\ufe0f\u20e3",
        "نیک\u200cنام",  # Persian: two words in one, not joined
        "क्\u200dष",  # Devanagari: half a letter
        "辻\U000e0100",  # a variant of a Han character, as families write it
        "محمد",
        "李小龍",
    ],
    ids=ascii,
)
def test_what_is_seen_stays(name: str) -> None:
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u202e\u202c", "\u3164", "\u2800", "\ufeff \u200f"], ids=ascii)
def test_a_name_of_which_nothing_is_seen_is_refused(name: str) -> None:
    with pytest.raises(PersonNameError, match="empty"):
        clean_name(name)


@pytest.mark.parametrize("name", ["A\nda", "Ada\t", "Ada\u2028", "Ada\x85", "\x00Ada"], ids=ascii)
def test_control_characters_are_refused(name: str) -> None:
    with pytest.raises(PersonNameError, match="control characters"):
        clean_name(name)


@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("Ada \u200b\u200c\u200d\ufe0f👩🚀نक्辻\u202e\U000e0100")),
        max_size=12,
    )
)
def test_a_clean_name_is_clean(name: str) -> None:
    try:
        once = clean_name(name)
    except PersonNameError:
        return
    assert clean_name(once) == once
    assert clean_name(f"\u200e {once}\u00a0") == once
