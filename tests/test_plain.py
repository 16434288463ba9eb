"""Every value gives itself as plain values and as a table: for any content, and for content that means harm."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.plain import Plain, as_plain, fields_html, flat, rows_html
from sameface.types import Box, Consent, Person, Retention

EVIL = '<script>alert("1")</script>&amp;'
texts = st.text(max_size=12)
numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False, width=32))
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
names = st.text("abcxyz", min_size=1, max_size=4)
trees = st.dictionaries(
    names, st.recursive(leaves, lambda inner: st.dictionaries(names, inner, max_size=3)), max_size=4
)


def every_leaf(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    """What is nested, one by one: the slow way."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += every_leaf(value, (*path, name))
        else:
            found.append(("_".join((*path, name)), value))
    return found


@given(trees)
def test_a_row_holds_every_leaf_under_its_path(tree: dict[str, Any]) -> None:
    expected = every_leaf(tree)
    row = flat(tree)
    assert row == dict(expected)  # of two leaves with one name the later stands
    assert list(row) == list(dict.fromkeys(name for name, _ in expected))


@given(st.lists(st.one_of(texts, st.integers()), max_size=4))
def test_a_list_of_leaves_is_one_cell_and_a_list_of_things_is_none(items: list[Any]) -> None:
    assert flat({"tags": items}) == {"tags": ", ".join(map(str, items))}
    assert flat({"faces": [*items, {"box": 1}]}) == {}
    assert flat({"faces": [*items, [1]]}) == {}


def drawn(html: str) -> ElementTree.Element:
    """The table, read as XML: whoever writes markup into it breaks it."""
    return ElementTree.fromstring(f"<div>{html}</div>")


printable = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=80)


@given(st.dictionaries(printable, printable, max_size=4), printable)
def test_no_text_is_markup(values: dict[str, str], title: str) -> None:
    table = drawn(fields_html(title, values))
    assert (table.findtext("./table/caption") or "") == title
    shown = {row.findtext("th") or "": row.findtext("td") for row in table.iter("tr")}
    wanted = {name: value if len(value) <= 60 else value[:59] + "…" for name, value in values.items() if value}
    assert shown == wanted
    assert {child.tag for child in table.iter()} <= {"div", "table", "caption", "tr", "th", "td"}


def test_a_hostile_person_is_only_data() -> None:
    person = Person("0" * 32, EVIL, {EVIL: EVIL}, (EVIL,), consent=Consent(EVIL, "2026-01-01"))
    html = person._repr_html_()
    assert "<script" not in html
    assert EVIL in [cell.text for cell in drawn(html).iter("td")]


@given(st.integers(0, 60))
def test_long_lists_say_how_many_are_not_shown(count: int) -> None:
    table = drawn(rows_html([{"n": number} for number in range(count)]))
    assert len(list(table.iter("tr"))) == 1 + min(count, 20)
    assert (table.findtext("p") or "") == (f"… and {count - 20} more" if count > 20 else "")


def test_rows_of_different_kinds_share_a_table() -> None:
    table = drawn(rows_html([{"a": 1, "b": 2.0}, {"b": 0.123456, "c": None}]))
    head, first, second = ([cell.text for cell in row] for row in table.iter("tr"))
    assert head == ["a", "b", "c"]
    assert first == ["1", "2", "–"]
    assert second == ["–", "0.1235", "–"]  # a dash where there is nothing


PEOPLE = [
    Person("0" * 32, "Ada"),
    Person("1" * 32, "Zoë", {"role": "x"}, ("b", "a"), 3, "2026-01-01", Consent("door", "2026-01-01", "2027-01-01")),
    Retention(30, "2027-01-01"),
    Consent("door", "2026-01-01", evidence="form 7"),
]


@pytest.mark.parametrize("value", PEOPLE, ids=lambda value: type(value).__name__)
def test_a_value_is_plain_and_json(value: Plain) -> None:
    plain = value.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert value.to_rows() == [flat(plain)]
    assert list(plain) == list(type(value).__dataclass_fields__)  # type: ignore[attr-defined]


def test_what_is_nested_goes_along() -> None:
    row = PEOPLE[1].to_rows()[0]
    assert (row["details_role"], row["groups"], row["consent_purpose"], row["photos"]) == ("x", "b, a", "door", 3)


def test_values_of_other_libraries() -> None:
    found = as_plain(
        {
            "path": Path("a") / "b.jpg",
            "array": np.arange(4, dtype=np.float32).reshape(2, 2),
            "number": np.float64(0.5),
            "details": MappingProxyType({"a": "b"}),
            "box": Box(1, 2, 3, 4),
            "several": (1, None, "x"),
        }
    )
    assert found == {
        "path": str(Path("a") / "b.jpg"),
        "array": [[0.0, 1.0], [2.0, 3.0]],
        "number": 0.5,
        "details": {"a": "b"},
        "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4},
        "several": [1, None, "x"],
    }
    assert as_plain(math.inf) is None  # JSON has no infinity
    with pytest.raises((NotImplementedError, TypeError)):
        as_plain(object())


_RACE = """
from __future__ import annotations
import dataclasses, threading
import msgspec
from sameface.plain import known

half_way, read = threading.Event(), threading.Event()

def pause():  # while the first thread looks at the inner type, what it wrote of the outer one is half done
    half_way.set()
    read.wait(0.3)
    return int

@dataclasses.dataclass
class Inner:
    a: pause() = 0

@dataclasses.dataclass
class Card:
    inner: Inner | None = None
    last: int = 0

first = threading.Thread(target=lambda: msgspec.convert({}, known(Card)))
first.start()
half_way.wait()
assert msgspec.convert({"last": 1}, known(Card)).last == 1
read.set()
first.join()
print("well")
"""


def test_two_threads_that_meet_a_type_for_the_first_time_at_once() -> None:
    """Without `known` the second one ends the process by a segmentation fault (msgspec 0.22)."""
    done = subprocess.run([sys.executable, "-c", _RACE], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "well", "")
