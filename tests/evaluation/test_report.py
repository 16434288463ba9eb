"""The commands from folder to table, JSON, report and file, with a recognizer whose answers are known."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from sameface.cli.app import app
from sameface.errors import NotEnoughDataError
from sameface.evaluation import calibrate
from sameface.evaluation.results import SCHEMA
from sameface.models.operating_points import load_operating_point


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake):  # type: ignore[no-untyped-def]
    """The commands get fake recognizers by the names asked for."""
    made = {}

    def give(encoders, detectors, **options):  # type: ignore[no-untyped-def]
        for encoder in encoders:
            made[encoder] = type(fake)(encoder)
            made[encoder].point = options.get("operating_point")
            yield made[encoder]

    monkeypatch.setattr(calibrate, "recognizers", give)
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    return made


class Outline(HTMLParser):
    """What a page is made of: tags, and everything it would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            value or "" for name, value in attrs if name in ("src", "data") or (tag == "link" and name == "href")
        ]


def run(*arguments: str):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_evaluate_writes_table_json_report_and_plots(colour_people: Path, tmp_path: Path, fakes) -> None:  # type: ignore[no-untyped-def]
    report, plots = tmp_path / "report.html", tmp_path / "png"
    done = run(
        "evaluate", str(colour_people), "-e", "one", "-e", "two", "--folds", "4", "--fpir", "0.2",
        "--report", str(report), "--png", str(plots), "--json",
    )  # fmt: skip
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["schema"] == SCHEMA
    assert [item["space"]["encoder"] for item in found["runs"]] == ["one", "two"]
    assert fakes["two"].calls["detect"] == 0  # the same detector: faces came from the first encoder's run
    first = found["runs"][0]
    assert (first["acquisition"]["failed"], first["verification"]["mated_pairs"]) == (1, 240)
    assert first["identification"]["closed_people"] == 24
    documented = (Path(__file__).parents[2] / "docs" / "reference" / "evaluation-schema.md").read_text()
    for part in (found, first, first["verification"], first["acquisition"], first["identification"], first["speed"]):
        assert [name for name in part if f"`{name}`" not in documented] == []

    page = report.read_text()
    outline = Outline()
    outline.feed(page)
    assert outline.loads == []  # nothing from elsewhere, and no picture of a face
    assert outline.tags.count("svg") >= 5
    assert "colours" in page
    assert page.count('class="tiles"') >= 4
    assert {path.stem for path in plots.iterdir()} >= {"roc", "det", "cmc", "distances-0", "distances-1", "reliability"}
    for path in plots.iterdir():
        assert np.asarray(Image.open(path).convert("L")).std() > 3  # something was drawn


def test_table_for_people(colour_people: Path, fakes) -> None:  # type: ignore[no-untyped-def]
    done = run("evaluate", str(colour_people), "-e", "one", "--folds", "4", "--classifiers", "--no-cache")
    assert done.exit_code == 0
    for words in (
        "accuracy %",
        "EER %",
        "TAR % at FMR 0.01",
        "1 of 120",
        "rank 1 of 24 people",
        "FNIR",
        "nearest the centre",
    ):
        assert words in " ".join(done.stdout.split())
    assert "more than 5 photos" in done.stdout  # five each: the learning curve is refused with its reason
    assert "not kept" in done.stderr


def test_pictures_of_hardest_pairs_only_when_asked_for(colour_people: Path, tmp_path: Path, fakes) -> None:  # type: ignore[no-untyped-def]
    page = tmp_path / "own.html"
    run(
        "evaluate",
        str(colour_people),
        "-e",
        "one",
        "--folds",
        "4",
        "--hardest",
        "2",
        "--report",
        str(page),
        "--no-cache",
    )
    outline = Outline()
    outline.feed(page.read_text())
    assert len(outline.loads) == 8
    assert all(item.startswith("data:image/jpeg;base64,") for item in outline.loads)
    assert "for your own machine" in page.read_text()


def test_calibrate_then_evaluate_with_the_file(colour_people: Path, tmp_path: Path, fakes) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "point.json"
    done = run("calibrate", str(colour_people), "--fmr", "0.01", "-e", "one", "-o", str(out), "--json")
    assert done.exit_code == 0
    point = load_operating_point(out)
    assert json.loads(done.stdout)["operating_point"]["threshold"] == point.threshold
    assert point.fmr is not None
    assert point.fmr <= 0.01
    assert (point.people, point.space.encoder, point.probability is not None) == (24, "one", True)
    shown = run("evaluate", str(colour_people), "-e", "one", "--operating-point", str(out), "--folds", "4", "--json")
    scored = json.loads(shown.stdout)["runs"][0]["verification"]["at_thresholds"][0]
    assert (scored["name"], scored["threshold"]) == ("FMR 0.01", point.threshold)
    assert scored["fmr"]["value"] == pytest.approx(point.fmr)
    table = run(
        "calibrate",
        str(colour_people),
        "--fmr",
        "0.01",
        "-e",
        "one",
        "-o",
        str(out),
        "--confirm",
        str(colour_people),
        "--overwrite",
    )
    assert "confirmed" in table.stdout


def test_calibrate_without_a_probability_where_few_people_support_a_threshold(
    colour_people: Path, tmp_path: Path, fakes
) -> None:  # type: ignore[no-untyped-def]
    few = tmp_path / "few"
    for person in sorted(colour_people.iterdir())[:4]:
        (few / person.name).mkdir(parents=True)
        for photo in person.iterdir():
            (few / person.name / photo.name).symlink_to(photo)
    out = tmp_path / "point.json"
    done = run("calibrate", str(few), "--fmr", "0.3", "-e", "one", "-o", str(out))
    assert done.exit_code == 0
    assert "probability: none, too few people" in done.stdout
    assert load_operating_point(out).probability is None


def test_calibrate_refuses_what_the_photos_cannot_support(colour_people: Path, tmp_path: Path, fakes) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "point.json"
    with pytest.raises(NotEnoughDataError, match="300,000 non-mated pairs"):
        run("calibrate", str(colour_people), "--fmr", "1e-4", "-e", "one", "-o", str(out))
    assert not out.exists()


def test_groups_and_lists(colour_people: Path, tmp_path: Path, fakes) -> None:  # type: ignore[no-untyped-def]
    groups = tmp_path / "groups.csv"
    groups.write_text("person,side\n" + "\n".join(f"p{i:02d},{'left' if i % 2 else 'right'}" for i in range(24)))
    found = json.loads(
        run("evaluate", str(colour_people), "-e", "one", "--folds", "4", "--groups", str(groups), "--json").stdout
    )
    rows = found["runs"][0]["verification"]["groups"]
    assert [row["group"] for row in rows] == ["left", "right"]
    assert rows[0]["fmr"]["trials"] == 12 * 11 // 2 * 25  # both people of the group
    table = tmp_path / "pairs.csv"
    lines = [
        f"colours/p{i:02d}/{a}.png,colours/p{(i + shift) % 24:02d}/{b}.png,{int(shift == 0)},{'indoor' if i % 2 else 'outdoor'}"
        for i in range(24)
        for shift, a, b in ((0, 0, 1), (0, 2, 3), (1, 1, 2), (2, 3, 0))
    ]
    table.write_text("a,b,same,light\n" + "\n".join([*lines, "colours/none.png,colours/p01/1.png,1,indoor"]))
    done = run("evaluate", str(table), "-e", "one", "--folds", "3", "--report", str(tmp_path / "g.html"), "--json")
    found = json.loads(done.stdout)
    assert found["data"]["problems"] == {"missing photo": 1}
    assert "none.png" in done.stderr
    assert [row["group"] for row in found["runs"][0]["verification"]["groups"]] == ["indoor", "outdoor"]
    assert found["runs"][0]["identification"] is None
    assert "Groups" in (tmp_path / "g.html").read_text()
