"""Folders of photos as people really have them, through every command that takes one: nothing is lost without a word."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run

#: A file or folder name that is no UTF-8, as old systems made them, and how it is stored and printed.
LATIN, AS_TEXT = os.fsdecode(b"ren\xe9"), "ren\\xe9"


def copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return target


def test_a_tree_is_enrolled_whole_or_it_is_said(run: Run, photos: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    copy(photos / "obama.jpg", tree / "Obama" / "1.jpg")
    copy(photos / "obama2.jpg", tree / "Obama" / "later" / "2.jpg")
    copy(photos / "biden.jpg", tree / ".trash" / "1.jpg")
    copy(photos / "biden.jpg", tree / "Obama" / ".old" / "1.jpg")
    (tree / "Obama" / "notes.txt").write_text("not a photo")
    (tree / "Obama" / "round").symlink_to(tree)
    done = run("enroll", tree, "--json")
    assert done.code == 0
    assert [(item["name"], item["accepted"]) for item in done.json] == [("Obama", 2)]
    assert len(done.json[0]["reports"]) == 2  # `identify` counts no text among the photos either
    assert "passed over" in done.err
    assert "notes.txt: not a photo by its name" in done.err
    assert [person["name"] for person in run("people", "--json").json["people"]] == ["Obama"]

    copy(photos / "grace_hopper.jpg", tree / "Hopper" / "1944" / "1.jpg")
    (tree / "Obama" / "notes.txt").unlink()
    (tree / "Nobody").mkdir()
    done = run("enroll", tree, "--json")
    assert done.code == 1
    assert {item["name"]: item["error"] is None for item in done.json} == {
        "Obama": True,
        "Hopper": False,
    }
    assert "Nobody: no photo" in done.err
    assert run("enroll", tree / "Hopper").code == 0  # one level down its folders are people


def test_a_link_that_leads_nowhere_is_a_photo_that_cannot_be_read(run: Run, photos: Path, tmp_path: Path) -> None:
    copy(photos / "biden.jpg", tmp_path / "tree" / "Bea" / "1.jpg")
    (tmp_path / "tree" / "Bea" / "2.jpg").symlink_to("nowhere")
    done = run("enroll", "tree")
    assert done.code == 0
    assert "1 person enrolled; 1 photo stored" in done.out
    assert sum("2.jpg" in line for line in done.out.splitlines()) == 1
    again = run("enroll", "tree")
    assert (again.code, "1 known already" in again.out) == (0, True)
    done = run("enroll", "Bea", "tree/Bea", "--json")
    assert [report["reason"] for report in done.json[0]["reports"] if "2.jpg" in report["photo"]] == ["unreadable"]
    done = run("identify", "tree/Bea")
    assert done.code == 3
    assert "2.jpg" in done.err
    assert "Bea" in done.out


def test_a_person_and_photos_whose_names_are_no_utf8(run: Run, photos: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    photo = copy(photos / "obama.jpg", tree / LATIN / f"{LATIN}.jpg")
    done = run("enroll", tree, "--json")
    assert done.code == 0
    assert (done.json[0]["name"], done.json[0]["accepted"]) == (AS_TEXT, 1)
    assert done.json[0]["reports"][0]["photo"].endswith(f"{AS_TEXT}/{AS_TEXT}.jpg")
    for extra in ([], ["--json"]):
        done = run("identify", photo, *extra)
        assert done.code == 0
        assert AS_TEXT in done.out if not extra else done.json[0]["photo"].endswith(f"{AS_TEXT}.jpg")
    assert run("verify", photo, photos / "obama2.jpg").code == 0
    assert run("enroll", LATIN, photo).code == 7  # a name is text
    assert run("gallery", "reencode", "--encoder", "sface").code in (0, 5)  # the photo is found again by its text


def test_cluster_and_evaluate_on_names_that_are_no_utf8(run: Run, photos: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for person, file in {
        "a": "obama.jpg",
        LATIN: "biden.jpg",
        "c": "grace_hopper.jpg",
        "d": "astronaut.png",
    }.items():
        copy(photos / file, tree / person / f"{LATIN}0.jpg")
        with Image.open(photos / file) as picture:
            picture.convert("RGB").save(tree / person / f"{LATIN}1.jpg", quality=60)
    sheet, table = tmp_path / "sheet.html", tmp_path / "faces.csv"
    done = run("cluster", tree, "--html", sheet, "--csv", table, "--json")
    assert done.code == 0
    assert done.json["problems"] == {}
    assert AS_TEXT in sheet.read_text()
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["photo"] for row in rows} == {
        f"{person}/{AS_TEXT}{n}.jpg" for person in ("a", AS_TEXT, "c", "d") for n in (0, 1)
    }
    again = run("cluster", tree)
    assert "0 photos encoded" in again.err

    report = tmp_path / "report.html"
    done = run("evaluate", tree, "--no-cache", "--hardest", "2", "--report", report, "--json")
    assert done.code == 0
    assert any(AS_TEXT in pair["a"] for pair in done.json["runs"][0]["verification"]["hardest"])
    assert AS_TEXT in report.read_text()


def test_a_bad_photo_costs_no_good_answer(run: Run, photos: Path, tmp_path: Path) -> None:
    run("enroll", "Obama", photos / "obama.jpg")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((photos / "obama.jpg").read_bytes()[:9000])
    done = run("identify", photos / "obama2.jpg", cut, tmp_path / "none.jpg", "--json")
    assert done.code == 3
    assert [len(item["faces"]) for item in done.json] == [1, 0, 0]
    assert done.json[0]["faces"][0]["name"] == "Obama"
    assert [item["error"] and item["error"]["type"] for item in done.json] == [
        None,
        "urn:sameface:damaged-image",
        "urn:sameface:image-not-found",
    ]
    done = run("identify", cut, photos / "obama2.jpg")
    assert done.code == 3
    assert "Obama" in done.out
    assert "cut.jpg" in done.err
    assert run("identify", cut).code == 3


def test_evaluation_refuses_people_it_cannot_tell_from_folders(run: Run, photos: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for person in ("a", "b"):
        copy(photos / "obama.jpg", tree / person / "1.jpg")
    copy(photos / "biden.jpg", tree / "c" / "day" / "1.jpg")
    for command in (["evaluate", tree], ["train", tree, "--out", tmp_path / "out"]):
        done = run(*command)
        assert done.code == 8, done.err
        assert "c" in done.err


def test_a_terminal_without_the_characters(photos: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "sameface", "models", "list"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["enroll", "cluster", "index", "evaluate"])
@pytest.mark.timeout(60)
def test_links_in_circles_end(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "up").symlink_to(tmp_path / "tree")
    (tmp_path / "tree" / "a" / "self").symlink_to(tmp_path / "tree" / "a" / "self")
    assert run(command, tmp_path / "tree").code in (0, 8)
