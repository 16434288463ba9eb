"""Every reader on good and on bad input; what is set aside is counted with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sameface.datasets import (
    LabelledPhotos,
    PairList,
    open_data,
    read_cfp,
    read_folder,
    read_groups,
    read_lfw_pairs,
    read_lfw_people,
    read_pair_table,
)
from sameface.errors import DataError, SettingError

Make = Callable[..., Path]


def kinds(bench: PairList | LabelledPhotos) -> dict[str, int]:
    return dict(Counter(item.kind for item in bench.problems))


# -- a folder per person ----------------------------------------------------------------------------------------------
def test_folder_in_natural_order_with_what_is_odd_noted(tmp_path: Path, make_photo: Make) -> None:
    for person, photos in {"s10": ["1.png"], "s2": ["10.png", "2.png"], "s1": ["1.png", "2.png"]}.items():
        for photo in photos:
            make_photo(tmp_path / person / photo)
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "s1" / "notes.txt").write_text("no photo")
    (tmp_path / "README").write_text("not a person")
    bench = read_folder(tmp_path)
    assert bench.names == ("s1", "s2", "s10")
    assert [p.name for p in bench.photos] == ["1.png", "2.png", "2.png", "10.png", "1.png"]
    assert bench.people.tolist() == [0, 0, 1, 1, 2]
    assert kinds(bench) == {"no photos": 1, "one photo": 1}
    assert len(bench.at_most(1).photos) == 3


def test_folder_of_one_person_or_none(tmp_path: Path, make_photo: Make) -> None:
    with pytest.raises(DataError, match="nothing there"):
        read_folder(tmp_path / "no")
    make_photo(tmp_path / "only" / "1.png")
    with pytest.raises(DataError, match="at least two people"):
        read_folder(tmp_path)
    with pytest.raises(DataError, match="a file"):
        read_folder(tmp_path / "only" / "1.png")


# -- LFW --------------------------------------------------------------------------------------------------------------
def test_view_1(people_folder: Path, tmp_path: Path, make_photo: Make) -> None:
    for photo in people_folder.glob("*/*.png"):
        photo.rename(photo.with_suffix(".jpg"))
    listed = tmp_path / "pairsDevTest.txt"
    listed.write_text("2\nP_1\t1\t2\nP_2\t1\t4\nP_1\t1\tP_2\t2\nP_3\t1\tP_4\t1\n")
    pairs = read_lfw_pairs(people_folder, listed)
    assert pairs.same.tolist() == [True, True, False, False]
    assert pairs.folds is None
    assert pairs.problems == ()
    assert (pairs.person_a == pairs.person_b).tolist() == [True, True, False, False]
    assert pairs.photos[pairs.b[1]].name == "P_2_0004.jpg"


def test_view_2_with_ten_folds(people_folder: Path, tmp_path: Path) -> None:
    for photo in people_folder.glob("*/*.png"):
        photo.rename(photo.with_suffix(".jpg"))
    rows = ["10\t2"]
    for fold in range(10):
        rows += [f"P_{fold + 1}\t1\t{n}" for n in (2, 3)]
        rows += [f"P_{fold + 1}\t{n}\tP_{fold + 2}\t{n}" for n in (1, 2)]
    listed = tmp_path / "pairs.txt"
    listed.write_text("\n".join(rows) + "\n")
    pairs = read_lfw_pairs(people_folder, listed)
    assert pairs.folds is not None
    assert np.bincount(pairs.folds).tolist() == [4] * 10
    assert "View 2" in pairs.protocol
    # One lost row does not shift the folds after it.
    listed.write_text("\n".join(rows[:3] + rows[4:]) + "\n")
    shorter = read_lfw_pairs(people_folder, listed)
    assert shorter.folds is not None
    assert np.bincount(shorter.folds).tolist() == [3] + [4] * 9
    assert kinds(shorter) == {"count differs": 1}
    listed.write_text("\n".join(rows[:9]) + "\n")
    with pytest.raises(DataError, match="10 folds"):
        read_lfw_pairs(people_folder, listed)


def test_lfw_rows_that_cannot_be_scored(people_folder: Path, tmp_path: Path) -> None:
    for photo in people_folder.glob("*/*.png"):
        photo.rename(photo.with_suffix(".jpg"))
    listed = tmp_path / "pairs.txt"
    rows = [
        "P_1\t1\t2",
        "P_1\t2\t1",  # the same pair again
        "P_1\t1\t1",  # a photo with itself
        "P_1\t1\t99",  # no such photo
        "P_1\tone\t2",
        "P_1\t1\tP_1\t2",  # "different" people of one name
        "P_1\t1\tP_2\t2",
    ]
    listed.write_text("4\n" + "\n".join(rows))
    pairs = read_lfw_pairs(people_folder, listed)
    assert len(pairs.a) == 2
    assert kinds(pairs) == {
        "duplicate pair": 1,
        "photo with itself": 1,
        "missing photo": 1,
        "malformed row": 2,
        "count differs": 1,
    }
    assert all(isinstance(item.error, DataError) and item.where in str(item.error) for item in pairs.problems)
    assert "pairs.txt:5" in [item.where for item in pairs.problems]


def test_pair_in_two_folds_is_kept_once(people_folder: Path, tmp_path: Path) -> None:
    for photo in people_folder.glob("*/*.png"):
        photo.rename(photo.with_suffix(".jpg"))
    listed = tmp_path / "pairs.txt"
    fold = "P_1\t1\t2\nP_1\t1\tP_2\t1\n"
    listed.write_text("2\t1\n" + fold + "P_3\t1\t2\nP_2\t1\tP_1\t1\n")
    pairs = read_lfw_pairs(people_folder, listed)
    assert pairs.folds is not None
    assert pairs.folds.tolist() == [0, 0, 1]
    assert kinds(pairs) == {"pair in two folds": 1}


@pytest.mark.parametrize("text", ["", "name,i,j\n", "P_1\t1\t2\n"])
def test_not_a_list_of_lfw(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(DataError, match=r"first line|empty file"):
        read_lfw_pairs(tmp_path, tmp_path / "pairs.txt")


def test_list_of_other_photos_says_so(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("1\nA\t1\t2\nA\t1\tB\t2\n")
    with pytest.raises(DataError, match="2 rows set aside"):
        read_lfw_pairs(tmp_path, tmp_path / "pairs.txt")


def test_people_lists(tmp_path: Path, people_folder: Path) -> None:
    listed = tmp_path / "peopleDevTrain.txt"
    listed.write_text("3\nP_1\t4\nP_2\t4\nNobody\t1\n")
    assert read_lfw_people(listed) == {"P_1", "P_2", "Nobody"}
    bench = open_data(people_folder, people=listed)
    assert isinstance(bench, LabelledPhotos)
    assert bench.names == ("P_1", "P_2")
    assert kinds(bench) == {"unknown person": 1}
    with pytest.raises(SettingError):
        open_data(people_folder, people=listed, pairs=listed)


def test_the_real_view_1(data: Path) -> None:
    train = open_data(data / "lfw", pairs=data / "lfw" / "pairsDevTrain.txt")
    test = open_data(data / "lfw", pairs=data / "lfw" / "pairsDevTest.txt")
    assert isinstance(train, PairList)
    assert isinstance(test, PairList)
    assert (len(train.a), int(train.same.sum()), len(test.a), int(test.same.sum())) == (2200, 1100, 999, 500)
    assert not {p.parent.name for p in train.photos} & {p.parent.name for p in test.photos}
    assert kinds(test) == {"count differs": 1}


def test_orl_is_a_folder_per_person(data: Path) -> None:
    bench = open_data(data / "orl")
    assert isinstance(bench, LabelledPhotos)
    assert (len(bench.photos), len(bench.names), bench.names[1]) == (400, 40, "s2")


# -- CFP --------------------------------------------------------------------------------------------------------------
def test_cfp(tmp_path: Path, make_photo: Make) -> None:
    front, side = [], []
    for person in (1, 2, 3):
        for n in (1, 2):
            front.append(make_photo(tmp_path / f"Data/Images/{person:03d}/frontal/{n:02d}.jpg"))
            side.append(make_photo(tmp_path / f"Data/Images/{person:03d}/profile/{n:02d}.jpg"))
    protocol = tmp_path / "Protocol"
    for name, photos in (("F", front), ("P", side)):
        protocol.mkdir(exist_ok=True)
        (protocol / f"Pair_list_{name}.txt").write_text(
            "\n".join(f"{i} ../{p.relative_to(tmp_path)}" for i, p in enumerate(photos, 1))
        )
    for split, (same, diff) in {"01": ("1,2\n", "1,4\n"), "02": ("3,3\n5,6\n", "5,1\n9,9\n")}.items():
        folder = protocol / "Split" / "FP" / split
        folder.mkdir(parents=True)
        (folder / "same.txt").write_text(same)
        (folder / "diff.txt").write_text(diff)
    pairs = read_cfp(tmp_path)
    assert pairs.folds is not None
    assert pairs.folds.tolist() == [0, 0, 1, 1, 1]
    assert pairs.same.tolist() == [True, False, True, True, False]
    assert (pairs.person_a == pairs.person_b).tolist() == pairs.same.tolist()
    assert pairs.photos[pairs.b[0]].parts[-2:] == ("profile", "02.jpg")
    assert kinds(pairs) == {"malformed row": 1}
    assert isinstance(open_data(tmp_path), PairList)
    with pytest.raises(DataError, match="folds"):
        read_cfp(tmp_path, "FF")


def test_cfp_counts_every_published_pair(tmp_path: Path, make_photo: Make) -> None:
    """The published folds of frontal with frontal hold pairs twice, also the other way round and in several folds; its protocol counts them all."""
    photos = [
        make_photo(tmp_path / f"Data/Images/{person:03d}/frontal/{n:02d}.jpg") for person in (1, 2) for n in (1, 2)
    ]
    protocol = tmp_path / "Protocol"
    protocol.mkdir()
    (protocol / "Pair_list_F.txt").write_text(
        "\n".join(f"{i} ../{p.relative_to(tmp_path)}" for i, p in enumerate(photos, 1))
    )
    for split, (same, diff) in {"01": ("1,2\n2,1\n1,2\n", "1,3\n"), "02": ("1,2\n4,4\n", "3,1\n1,3\n")}.items():
        folder = protocol / "Split" / "FF" / split
        folder.mkdir(parents=True)
        (folder / "same.txt").write_text(same)
        (folder / "diff.txt").write_text(diff)
    pairs = read_cfp(tmp_path, "FF")
    assert pairs.same.tolist() == [True, True, True, False, True, True, False, False]
    assert pairs.folds is not None
    assert pairs.folds.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert kinds(pairs) == {"duplicate pair": 2, "pair in two folds": 3, "photo with itself": 1}
    assert not any(item.dropped for item in pairs.problems)


# -- a table ----------------------------------------------------------------------------------------------------------
def test_table_with_groups_and_people_from_mated_pairs(people_folder: Path) -> None:
    table = people_folder / "pairs.csv"
    table.write_text(
        "A,b,Same,light\n"
        "P_1/P_1_0001.png,P_1/P_1_0002.png,1,day\n"
        "P_1/P_1_0002.png,P_1/P_1_0003.png,yes,night\n"
        "P_1/P_1_0001.png,P_2/P_2_0001.png,False,\n"
        "P_1/P_1_0001.png,P_1/P_1_0003.png,0,day\n"  # the first two rows say that these are one person
        "P_1/P_1_0001.png,,1,day\n"
        "P_1/P_1_0001.png,P_9.png,1,day\n"
        "P_1/P_1_0002.png,P_1/P_1_0001.png,0,day\n"  # the first row with another label
        "P_1/P_1_0001.png,P_2/P_2_0002.png,perhaps,day\n"
    )
    pairs = open_data(table)
    assert isinstance(pairs, PairList)
    assert pairs.same.tolist() == [True, True, False, False]
    assert pairs.groups == {"light": ("day", "night", "", "day")}
    assert pairs.people[pairs.a[0]] == pairs.people[pairs.b[1]] != pairs.people[pairs.b[2]]
    assert kinds(pairs) == {"malformed row": 2, "missing photo": 1, "contradicting labels": 2}


@pytest.mark.parametrize(("separator", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8")])
def test_tables_as_spreadsheets_write_them(people_folder: Path, separator: str, encoding: str) -> None:
    rows = [["a", "b", "same", "fold"], ["P_1/P_1_0001.png", "P_2/P_2_0001.png", "0", "3"]]
    table = people_folder / "pairs.csv"
    table.write_text("\n".join(separator.join(row) for row in rows), encoding=encoding)
    pairs = read_pair_table(table)
    assert pairs.folds is not None
    assert pairs.folds.tolist() == [3]


def test_tables_that_are_none(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("left,right,same\n")
    with pytest.raises(DataError, match="a, b missing"):
        read_pair_table(table)
    table.write_bytes("a,b,same\nJosé.png,b.png,1\n".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_pair_table(table)
    table.write_text("")
    with pytest.raises(DataError, match="columns"):
        read_pair_table(table)
    with pytest.raises(DataError, match="CSV"):
        read_pair_table(tmp_path / "none.csv")


def test_groups_of_people(people_folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("person,country\nP_1,NL\nP_2,FI\nP_99,FR\n")
    bench = read_groups(read_folder(people_folder), table)
    assert bench.groups["country"][:3] == ("NL", "FI", "")
    assert kinds(bench) == {"unknown person": 1}
    table.write_text("name,country\n")
    with pytest.raises(DataError, match="person"):
        read_groups(bench, table)
