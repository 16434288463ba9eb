"""Scores and embeddings out and in again: the same numbers to the last digit, and other people's tables."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sameface.cli.app import main
from sameface.datasets import LabelledPhotos, read_folder, read_pair_table
from sameface.errors import DataError, SettingError
from sameface.evaluation.given import read_embeddings
from sameface.evaluation.plan import Plan
from sameface.evaluation.run import evaluate
from sameface.evaluation.run_scores import evaluate_scores
from sameface.evaluation.scores_file import is_scores, read_scores, write_scores
from tests.evaluation.test_verification import pair_scores


def grouped(bench: LabelledPhotos) -> LabelledPhotos:
    from dataclasses import replace

    sides = tuple("left" if number % 2 else "right" for number in range(len(bench.names)))
    light = tuple(("dim", "bright", "")[number % 3] for number in range(len(bench.photos)))
    return replace(bench, groups={"side": sides}, photo_groups={"light": light})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_all_pairs_come_back(suffix: str, colour_people: Path, fake: Any, tmp_path: Path) -> None:
    """Every number of 1:1, its intervals, the groups, the spreads and the calibration of the probability."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    file = tmp_path / f"scores.{suffix}"
    bench = grouped(read_folder(colour_people))
    (before,) = evaluate(bench, [fake], plan=Plan(folds=4, scores_out=file)).runs
    given = read_scores(file)
    (after,) = evaluate_scores(given, plan=Plan(folds=4)).runs
    assert asdict(after.verification) == asdict(before.verification)
    assert after.reliability == before.reliability
    assert after.acquisition.rate == before.acquisition.rate
    assert after.acquisition.failed == 1
    assert given.photos[:2] == ("p00/0.png", "p00/1.png")
    assert {row.column for row in after.verification.groups} == {"side", "light"}


def test_a_list_of_pairs_comes_back(colour_people: Path, fake: Any, tmp_path: Path) -> None:
    for folds in (True, False):
        table = tmp_path / f"pairs{folds}.csv"
        rows = [f"a,b,same{',fold' * folds},light"]
        for number in range(120):
            first, photo, mated = number // 2 % 24, number // 48, number % 2 == 0
            other = f"p{first:02d}/4.png" if mated else f"p{(first * 7 + 1) % 24:02d}/{photo}.png"
            cells = [f"colours/p{first:02d}/{photo}.png", f"colours/{other}", str(int(mated))]
            rows.append(",".join([*cells, *([str(number // 12)] * folds), "dim" if number % 5 else "bright"]))
        table.write_text("\n".join(rows))
        out = tmp_path / f"scores{folds}.csv"
        (before,) = evaluate(read_pair_table(table), [fake], plan=Plan(scores_out=out)).runs
        (after,) = evaluate_scores(read_scores(out)).runs
        assert asdict(after.verification) == asdict(before.verification)
        assert after.reliability == before.reliability


def test_encoders_side_by_side_are_compared_again(colour_people: Path, tmp_path: Path) -> None:
    from tests.evaluation.conftest import FakeRecognizer

    out = tmp_path / "scores.csv"
    bench = read_folder(colour_people)
    before = evaluate(bench, [FakeRecognizer("one"), FakeRecognizer("two")], plan=Plan(folds=4, scores_out=out))
    assert out.read_text().splitlines()[0].endswith("distance:one,distance:two")
    after = evaluate_scores(read_scores(out), plan=Plan(folds=4))
    assert [run.space.encoder for run in after.runs] == ["one", "two"]
    assert after.comparisons[0].differences == before.comparisons[0].differences


def test_somebody_elses_table(tmp_path: Path) -> None:
    """Cosines, semicolons, names, a missing face: as the same distances give."""
    file = tmp_path / "theirs.csv"
    generator = np.random.default_rng(0)
    rows, distances = ["a;b;same;similarity"], []
    for number in range(60):
        same = number % 2 == 0
        cosine = round(float(generator.uniform(0.2, 0.9) if same else generator.uniform(-0.2, 0.4)), 4)
        rows.append(f"x{number}.jpg;y{number}.jpg;{'true' if same else 'False'};{'' if number == 4 else cosine}")
        distances.append(np.inf if number == 4 else np.sqrt(2 - 2 * cosine))
    file.write_text("\n".join(rows))
    assert is_scores(file)
    given = read_scores(file)
    (scores,) = given.scores.values()
    assert scores.distances == pytest.approx(distances, abs=1e-6)
    assert scores.disjoint
    assert scores.photos_of is None
    found = evaluate_scores(given)
    assert found.runs[0].space.encoder == "theirs"
    assert found.runs[0].acquisition.failed == 2
    metrics = pytest.importorskip("sklearn.metrics")
    finite = np.where(np.isinf(distances), 9, distances)
    assert found.runs[0].verification.auc.value == pytest.approx(metrics.roc_auc_score(scores.same, -finite))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a,b,distance\nx,y,0.5", "same missing"),
        ("a,b,same,distance\nx,y,2,0.5", "1 or 0"),
        ("a,b,same,distance\nx,y,1,far", "numbers in the column distance"),
        ("a,b,same,distance\nx,y,1,-0.5", "0 or more"),
        ("a,b,same,distance\nx,y,1,nan", "NaN"),
        ("a,b,same,similarity\nx,y,1,73.5", "cosines"),
        ("a,b,same,distance\nx,y,1", "4 cells"),
        ("a,b,same,distance\nx,y,1,0.5,z", "4 cells"),
    ],
)
def test_tables_that_are_none(text: str, match: str, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(DataError, match=match):
        read_scores(tmp_path / "scores.csv")


def test_other_files_are_no_scores(tmp_path: Path) -> None:
    for name, text in {
        "pairs.csv": "a,b,same\n",
        "photos.csv": "photo,person\n",
        "raw.csv": "\x00\n",
        "x.bin": "a",
    }.items():
        (tmp_path / name).write_text(text)
        assert not is_scores(tmp_path / name)
    assert not is_scores(tmp_path / "absent.csv")
    assert not is_scores(tmp_path)


def test_distances_are_written_to_the_last_bit(tmp_path: Path) -> None:
    scores = pair_scores(n=500, failures=5)
    photos = [Path(f"photos/{number}.jpg") for number in range(1000)]
    write_scores(tmp_path / "s.csv", photos, {"x": scores}, {})
    (back,) = read_scores(tmp_path / "s.csv").scores.values()
    assert back.distances.tobytes() == scores.distances.tobytes()
    assert back.person_a.tolist() == scores.person_a.tolist()


def test_embeddings_come_back(colour_people: Path, fake: Any, tmp_path: Path) -> None:
    bench = read_folder(colour_people)
    file = tmp_path / "e.npz"
    (before,) = evaluate(bench, [fake], plan=Plan(folds=4, embeddings_out=file)).runs
    given = read_embeddings(file)
    assert len(given.photos) == len(bench.photos)
    (after,) = evaluate(bench, [given], plan=Plan(folds=4)).runs
    assert asdict(after.verification) == asdict(before.verification)
    assert after.identification == before.identification
    assert dict(after.acquisition.reasons) == {"no face": 1}
    few = read_folder(colour_people).only(range(60))
    (part,) = evaluate(few, [given], plan=Plan(folds=4)).runs
    assert part.acquisition.photos == 60


def test_a_photo_without_a_row_counts_as_not_found(colour_people: Path, tmp_path: Path) -> None:
    bench = read_folder(colour_people)
    names = [f"{photo.parent.name}/{photo.name}" for photo in bench.photos][1:]
    rows = np.random.default_rng(0).normal(size=(len(names), 4)).astype(np.float32)
    np.savez(tmp_path / "e.npz", photos=np.array(names), embeddings=rows)
    (run,) = evaluate(bench, [read_embeddings(tmp_path / "e.npz")], plan=Plan(folds=4, identification=False)).runs
    assert dict(run.acquisition.reasons) == {"no embedding given": 1}
    np.savez(tmp_path / "other.npz", photos=np.array(["elsewhere.png"]), embeddings=rows[:1])
    with pytest.raises(DataError, match="other names"):
        evaluate(bench, [read_embeddings(tmp_path / "other.npz")])


def test_files_that_are_no_embeddings(tmp_path: Path) -> None:
    np.savez(tmp_path / "lacks.npz", photos=np.array(["a"]))
    np.savez(tmp_path / "flat.npz", photos=np.array(["a"]), embeddings=np.ones(3))
    np.savez(tmp_path / "objects.npz", photos=np.array(["a", None]), embeddings=np.ones((2, 3)))
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("lacks", "flat", "objects", "text", "absent"):
        with pytest.raises(DataError):
            read_embeddings(tmp_path / f"{name}.npz")


def test_one_encoder_for_a_file_of_embeddings(colour_people: Path, tmp_path: Path) -> None:
    from tests.evaluation.conftest import FakeRecognizer

    plan = Plan(folds=4, identification=False, embeddings_out=tmp_path / "e.npz")
    with pytest.raises(SettingError, match="one encoder"):
        evaluate(read_folder(colour_people), [FakeRecognizer("one"), FakeRecognizer("two")], plan=plan)


def run_at_shell(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("SAMEFACE_PROGRESS", "0")
    monkeypatch.setattr("sys.argv", ["sameface", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_out_and_in_at_the_shell(
    colour_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["evaluate", str(colour_people), "--photos", "2", "--no-cache", "--json"]
    scores, embeddings = str(tmp_path / "s.csv"), str(tmp_path / "e.npz")
    arguments = [*common, "-d", "none", "-e", "pixels", "--scores-out", scores, "--embeddings-out", embeddings]
    found = []
    for given in (arguments, ["evaluate", scores, "--json"], [*common, "--embeddings", embeddings]):
        assert run_at_shell(given, monkeypatch) == 0
        (run,) = json.loads(capsys.readouterr().out)["runs"]
        found.append(run["verification"])
    assert found[0] == found[1] == found[2]
    assert run_at_shell(arguments, monkeypatch) > 1  # the files are kept
    assert "--overwrite" in capsys.readouterr().err
    assert run_at_shell(["evaluate", scores, "--classifiers", "-e", "pixels"], monkeypatch) > 1
    assert "--encoder and --classifiers" in capsys.readouterr().err
    assert run_at_shell([*common, "--embeddings", embeddings, "-e", "pixels"], monkeypatch) > 1
    assert "both" in capsys.readouterr().err
