"""Pairs as they are gathered: what is kept, what is set aside, and what is said of it; tables as spreadsheets write them; groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.datasets.csv_file import read_csv
from sameface.datasets.groups import read_groups
from sameface.datasets.model import LabelledPhotos, PairCollector, PairList
from sameface.errors import DataError


@pytest.fixture
def photo(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A file by name; what is in it is nobody's business here."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(name.encode())
        return path

    return make


def kinds(collector: PairCollector) -> list[tuple[str, bool]]:
    return [(problem.kind, problem.dropped) for problem in collector.problems]


def test_photos_are_numbered_once_and_pairs_keep_their_order(photo) -> None:  # type: ignore[no-untyped-def]
    a, b, c = (photo(name) for name in "abc")
    collector = PairCollector("set", "by hand")
    collector.add(a, b, True, where="row 1", people=("Ada", "Ada"))
    collector.add(c, a, False, where="row 2", people=("Grace", "Ada"))
    made = collector.finish()
    assert made.photos == (a, b, c)
    assert list(zip(made.a.tolist(), made.b.tolist(), made.same.tolist(), strict=True)) == [(0, 1, True), (2, 0, False)]
    assert made.people[0] == made.people[1] != made.people[2]
    assert made.folds is None
    assert made.problems == ()


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        (("a", "b", True, 0), "duplicate pair"),
        (("b", "a", True, 0), "duplicate pair"),  # whichever comes first
        (("a", "b", False, 0), "contradicting labels"),
        (("a", "b", True, 1), "pair in two folds"),
        (("a", "a", True, 0), "photo with itself"),
        (("a", "gone", True, 0), "missing photo"),
    ],
)
@pytest.mark.parametrize("published", [False, True])
def test_what_is_odd(photo, second, kind: str, published: bool) -> None:  # type: ignore[no-untyped-def]
    files = {name: photo(name) for name in ("a", "b")} | {"gone": Path("gone")}
    collector = PairCollector("set", "by hand", published=published)
    collector.add(files["a"], files["b"], True, where="row 1", fold=0)
    first, other, same, fold = second
    collector.add(files[first], files[other], same, where="row 2", fold=fold)
    # a published list counts what it repeats, as everybody's numbers do; a photo that is missing can be scored by nobody
    dropped = not published or kind == "missing photo"
    assert kinds(collector) == [(kind, dropped)]
    assert "row 2" in str(collector.problems[0].error)
    assert len(collector._rows) == (1 if dropped else 2)


def test_what_was_dropped_is_not_remembered_as_seen(photo) -> None:  # type: ignore[no-untyped-def]
    a, b = photo("a"), photo("b")
    collector = PairCollector("set", "by hand")
    collector.add(a, Path("gone"), True, where="row 1")
    collector.add(a, b, False, where="row 2")
    collector.add(a, b, False, where="row 3")
    assert kinds(collector) == [("missing photo", True), ("duplicate pair", True)]
    assert len(collector._rows) == 1


def test_people_are_those_whom_mated_pairs_link(photo) -> None:  # type: ignore[no-untyped-def]
    a, b, c, d, e = (photo(name) for name in "abcde")
    collector = PairCollector("set", "by hand")
    for number, (first, second, same) in enumerate([(a, b, True), (b, c, True), (d, e, False), (a, c, False)]):
        collector.add(first, second, same, where=f"row {number}", fold=number % 2)
    made = collector.finish()
    whose = dict(zip((path.name for path in made.photos), made.people.tolist(), strict=True))
    assert whose["a"] == whose["b"] == whose["c"]
    assert len({whose["a"], whose["d"], whose["e"]}) == 3
    assert made.folds is not None
    assert made.folds.tolist() == [0, 1, 0, 1]
    # the last row says that a and c are two people, whom the first two rows link: that is said, and nothing is guessed
    assert [(problem.kind, problem.dropped) for problem in made.problems] == [("contradicting labels", False)]


def test_folds_only_where_every_pair_has_one(photo) -> None:  # type: ignore[no-untyped-def]
    a, b, c = (photo(name) for name in "abc")
    collector = PairCollector("set", "by hand")
    collector.add(a, b, True, where="row 1", fold=0, groups={"light": "dim"})
    collector.add(b, c, False, where="row 2", groups={"age": "old"})
    made = collector.finish()
    assert made.folds is None
    assert made.groups == {"age": ("", "old"), "light": ("dim", "")}


def test_no_pair_is_no_list() -> None:
    collector = PairCollector("set", "by hand")
    collector.malformed("row 1", "two paths", "one")
    collector.add(Path("gone"), Path("away"), True, where="row 2")
    with pytest.raises(DataError, match="2 rows set aside; the first problem: expected two paths"):
        collector.finish()
    alone = PairCollector("set", "by hand")
    alone.malformed("row 1", "two paths", "one")
    with pytest.raises(DataError, match="1 row set aside"):
        alone.finish()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_any_spreadsheet(tmp_path: Path, separator: str, encoding: str, end: str) -> None:
    path = tmp_path / "table.csv"
    rows = [["name", "city"], ["Zoë", 'Sankt "Peterburg"'], ["名前", ""]]
    cells = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    path.write_bytes(end.join(separator.join(row) for row in cells).encode(encoding))
    assert list(read_csv(path)) == [{"name": "Zoë", "city": 'Sankt "Peterburg"'}, {"name": "名前", "city": ""}]


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Check the path"):
        read_csv(tmp_path / "gone.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes("name\nZoë\n".encode("latin-1"))
    with pytest.raises(DataError, match="at 7"):
        read_csv(path)


def people(*names: str) -> LabelledPhotos:
    return LabelledPhotos("set", tuple(Path(name) for name in names), np.arange(len(names)), names)


def test_groups_follow_the_people_not_the_table(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("city, person ,age\nBerlin,Grace,old\nRome,Nobody,young\nParis, Ada ,\n", encoding="utf-8")
    made = read_groups(people("Ada", "Grace", "Mary"), path)
    assert made.groups == {"city": ("Paris", "Berlin", ""), "age": ("", "old", "")}
    assert [(problem.kind, "Nobody" in str(problem.error)) for problem in made.problems] == [("unknown person", True)]


def test_groups_of_photos(tmp_path: Path) -> None:
    path = tmp_path / "glasses.csv"
    path.write_text(
        "photo,glasses\nAda/1.jpg,yes\nlfw/Bo/1.jpg, no \nBo/2.jpg,yes\nelsewhere.jpg,no\n", encoding="utf-8"
    )
    photos = [Path(f"lfw/{name}.jpg") for name in ("Ada/1", "Ada/2", "Bo/1", "Bo/2")]
    bench = LabelledPhotos("set", tuple(photos), np.array([0, 0, 1, 1]), ("Ada", "Bo"), groups={"side": ("l", "r")})
    made = read_groups(bench, path)
    assert made.photo_groups == {"glasses": ("yes", "", "no", "yes")}
    assert made.groups == bench.groups
    assert [(item.kind, "elsewhere" in str(item.error)) for item in made.problems] == [("unknown photo", True)]
    pairs = PairList("p", "p", tuple(photos), np.array([0]), np.array([2]), np.array([False]), np.array([0, 0, 1, 1]))
    assert read_groups(pairs, path).photo_groups == made.photo_groups
    path.write_text("photo,glasses\n1.jpg,yes\n", encoding="utf-8")
    with pytest.raises(DataError, match="more of the path"):
        read_groups(bench, path)


def test_a_list_of_pairs_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("person,city\nAda,Paris\n", encoding="utf-8")
    photos = (Path("a.jpg"), Path("b.jpg"))
    pairs = PairList("p", "p", photos, np.array([0]), np.array([1]), np.array([True]), np.array([0, 0]))
    with pytest.raises(DataError, match="names nobody"):
        read_groups(pairs, path)


@pytest.mark.parametrize("head", ["person", "name,city", ""])
def test_groups_without_their_columns(tmp_path: Path, head: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(f"{head}\nAda,Paris\n", encoding="utf-8")
    with pytest.raises(DataError, match="column person"):
        read_groups(people("Ada"), path)


def test_some_of_the_photos_keep_everybody(photo) -> None:  # type: ignore[no-untyped-def]
    bench = LabelledPhotos(
        "set",
        tuple(Path(str(n)) for n in range(6)),
        np.array([0, 1, 0, 0, 2, 1]),
        ("a", "b", "c"),
        groups={"g": ("x", "y", "z")},
    )
    two = bench.at_most(2)
    assert [str(path) for path in two.photos] == ["0", "1", "2", "4", "5"]
    assert two.people.tolist() == [0, 1, 0, 2, 1]
    assert (two.names, two.groups) == (bench.names, bench.groups)
    assert bench.at_most(0).photos == ()
    assert bench.only([5, 0]).people.tolist() == [1, 0]
