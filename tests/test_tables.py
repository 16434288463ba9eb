"""Answers become tables of whatever library is there."""

from __future__ import annotations

import importlib
import sys

import pytest

from sameface import tables
from sameface.errors import ExtraMissingError, SettingError
from sameface.plain import fields_html, flat, rows_html
from sameface.recognizer import Identification, IdentifiedPhoto
from sameface.tables import Answers
from sameface.types import Box, Candidate, Person

NEAR = (Candidate("1", "Ada", 0.3), Candidate("2", "Grace", 0.9))
ADA = Identification("Ada", "1", 0.3, 0.35, NEAR, 0.6, 2, Box(1, 2, 3, 4), "why")
NOBODY = Identification(None, None, None, None, (), None, 0, Box(5, 6, 7, 8), "nobody is enrolled")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_row_for_each_answer(library):
    module = pytest.importorskip(library)
    table = Answers([ADA, NOBODY]).to_dataframe(library)
    assert type(table).__module__.startswith(library)
    columns = list(table.column_names if library == "pyarrow" else table.columns)
    assert columns == [
        "name", "person_id", "distance", "threshold", "margin", "comparisons",
        "box_x1", "box_y1", "box_x2", "box_y2", "why", "standing", "standing_reason", "replay",
    ]  # fmt: skip
    names = table["name"].to_pylist() if library == "pyarrow" else table["name"].to_list()
    assert names[0] == "Ada"
    assert names[1] is None or names[1] != names[1]
    assert len(table) == 2
    assert module is not None


def test_photos_give_a_row_for_each_face_and_those_without_say_why():
    photos = Answers([IdentifiedPhoto("a.jpg", (ADA, NOBODY)), IdentifiedPhoto("wall.jpg")])
    assert [(row["photo"], row["why"]) for row in photos.rows()] == [
        ("a.jpg", "why"),
        ("a.jpg", "nobody is enrolled"),
        ("wall.jpg", "no face found"),
    ]


def test_people_with_other_details_share_a_table():
    people = Answers([Person("1", "Ada", {"team": "a"}, ("x", "y")), Person("2", "Grace", {"floor": "2"})])
    table = people.to_dataframe("pandas")
    assert table["details_team"].tolist()[0] == "a"
    assert table["groups"].tolist() == ["x, y", ""]


def test_the_library_that_is_in_use_is_taken(monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    importlib.import_module("polars")
    assert tables._library(None) == "polars"
    importlib.import_module("pandas")
    assert tables._library(None) == "pandas"
    with pytest.raises(SettingError, match="polars"):
        tables._library("excel")


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    for name in tables.LIBRARIES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ExtraMissingError, match="pip install pandas"):
        Answers([ADA]).to_dataframe()
    monkeypatch.setattr(tables, "_library", lambda wanted: "pandas")

    def refuse(name, package=None):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(tables, "import_module", refuse)
    with pytest.raises(ExtraMissingError, match=r"sameface\[dataframe\]"):
        Answers([ADA]).to_dataframe()


def test_a_notebook_shows_the_first_rows_escaped():
    shown = Answers([Person("1", "<b>Ada</b>")] * 30)._repr_html_()
    assert "&lt;b&gt;Ada&lt;/b&gt;" in shown
    assert "<b>" not in shown
    assert "10 more" in shown
    assert shown.count("<tr>") == 21
    assert "<table>" in rows_html([])


def test_flat_rows():
    assert flat({"a": {"b": {"c": 1}}, "d": [1, 2], "e": [{"x": 1}], "f": []}) == {"a_b_c": 1, "d": "1, 2", "f": ""}
    assert "–" not in fields_html("x", {"a": None, "b": 1.23456789})
    assert "1.235" in fields_html("x", {"b": 1.23456789})
