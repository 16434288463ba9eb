"""What goes wrong at the shell ends in one message and an exit code, never in a traceback."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.privileges import permissions_hold


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size without having its pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.fixture
def bad(tmp_path: Path, photos: Path) -> dict[str, Path]:
    """Files that are not one good photo of one face, by what is wrong with them."""
    made = {name: tmp_path / name for name in ("text.jpg", "empty.jpg", "cut.jpg", "bomb.png", "wall.png", "tiny.png")}
    made["text.jpg"].write_text("hello")
    made["empty.jpg"].touch()
    whole = (photos / "obama.jpg").read_bytes()
    made["cut.jpg"].write_bytes(whole[: len(whole) // 3])
    made["bomb.png"].write_bytes(png_header(30_000, 30_000))
    Image.fromarray(np.full((300, 300, 3), 128, np.uint8)).save(made["wall.png"])
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(made["tiny.png"])
    made["missing"] = tmp_path / "missing.jpg"
    made["folder"] = tmp_path / "folder"
    made["folder"].mkdir()
    return made


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("text.jpg", 3),
        ("empty.jpg", 3),
        ("cut.jpg", 3),
        ("bomb.png", 3),
        ("missing", 3),
        ("folder", 3),
        ("wall.png", 4),
        ("tiny.png", 4),
    ],
)
def test_photos(run: Run, bad: dict[str, Path], photos: Path, what: str, code: int) -> None:
    done = run("verify", photos / "obama.jpg", bad[what])
    assert done.code == code
    assert done.err.startswith("sameface: expected ")
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["forget", "Ada", "-g", "a.db", "--gallery", "b.db"], "--gallery"),
        (["gallery", "check", "-g", "a.db", "-g", "a.db"], "--gallery"),
        (["people", "-g", "a.db", "-g", "b.db"], "--gallery"),
        (["verify", "a.jpg", "b.jpg", "-t", "0.4", "--threshold=0.5"], "--threshold"),
        (["models", "list", "--kind", "encoder", "--kind", "detector"], "--kind"),
        (["cluster", "photos", "--album", "a", "--album", "b"], "--album"),
    ],
)
def test_an_option_of_one_value_is_given_once(run: Run, command: list[str], option: str) -> None:
    done = run(*command)
    assert done.code == 2
    assert f"expected {option} once; got it 2 times" in done.err
    assert run(*command, "--json").json["error"]["expected"] == f"{option} once"


def test_options_of_many_values_and_flags_may_be_given_twice(run: Run, photos: Path) -> None:
    arguments = ["--group", "a", "--group", "b", "--detail", "x=1", "--detail", "y=2", "-v", "-v"]
    done = run("enroll", "Ada", photos / "obama.jpg", *arguments, "--json", "--json")
    assert done.code == 0
    assert (done.json[0]["person"]["groups"], done.json[0]["person"]["details"]) == (["a", "b"], {"x": "1", "y": "2"})


def test_several_faces_where_one_is_wanted(run: Run, photos: Path, tmp_path: Path) -> None:
    with Image.open(photos / "obama.jpg") as a, Image.open(photos / "astronaut.png") as b:
        pair = Image.new("RGB", (1024, 700))
        pair.paste(a.convert("RGB").resize((512, 640)), (0, 0))
        pair.paste(b.convert("RGB"), (512, 0))
    pair.save(tmp_path / "pair.png", compress_level=1)
    done = run("verify", photos / "obama.jpg", tmp_path / "pair.png")
    assert done.code == 4
    assert "2" in done.err
    assert run("enroll", "Pair", tmp_path / "pair.png").code == 4
    assert run("verify", photos / "obama.jpg", tmp_path / "pair.png", "--choose", "largest").code in (0, 1)


@pytest.mark.parametrize("name", ["", "   ", "x" * 10_000, "a\x00b", "line\nbreak"])
def test_names_that_cannot_be_stored(run: Run, photos: Path, tmp_path: Path, name: str) -> None:
    done = run("enroll", name, photos / "obama.jpg")
    assert done.code == 7
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b\\c", "名前", "Ada 👩‍🚀", "'; DROP TABLE person; --", "--help me"]
)
def test_names_are_data(run: Run, photos: Path, tmp_path: Path, name: str) -> None:
    assert run("enroll", "--", name, photos / "obama.jpg").code == 0
    assert [person["name"] for person in run("people", "--json").json["people"]] == [name]
    assert run("forget", "--", name).code == 0
    assert run("people", "--json").json["people"] == []


def test_nobody_of_that_name(run: Run, photos: Path) -> None:
    run("enroll", "Ada", photos / "astronaut.png")
    assert run("verify", "--as", "Bob", photos / "obama.jpg").code == 7
    assert run("forget", "Ada", "Bob").code == 7
    assert [person["name"] for person in run("people", "--json").json["people"]] == ["Ada"]  # all or nobody


def test_no_gallery(run: Run, photos: Path, tmp_path: Path) -> None:
    for command in (["people"], ["identify", photos / "obama.jpg"], ["forget", "Ada"]):
        done = run(*command)
        assert done.code == 6, command
        assert not (tmp_path / "people.db").exists()


def test_a_gallery_that_is_none(run: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "people.db").write_text("certainly not SQLite" * 100)
    before = (tmp_path / "people.db").read_bytes()
    assert run("people").code == 6
    assert run("enroll", "Ada", photos / "astronaut.png").code == 6
    assert (tmp_path / "people.db").read_bytes() == before
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE notes (text)")
    other.commit()
    other.close()
    assert run("people", "--gallery", tmp_path / "other.db").code == 6


def test_a_gallery_of_another_encoder(run: Run, photos: Path) -> None:
    run("enroll", "Ada", photos / "astronaut.png", "--encoder", "dlib-resnet", "--detector", "mtcnn")
    done = run("enroll", "Bob", photos / "obama.jpg", "--encoder", "pixels")
    assert done.code == 6
    assert "dlib-resnet" in done.err
    assert "pixels" in done.err
    assert run("identify", photos / "astronaut.png").code == 0  # without options it takes its own encoder


def test_an_empty_path_is_no_folder(run: Run, photos: Path) -> None:
    done = run("verify", photos / "obama.jpg", "")
    assert done.code == 3
    assert "an empty one" in done.err


def test_a_name_given_twice_is_forgotten_once(run: Run, photos: Path) -> None:
    run("enroll", "Ada", photos / "astronaut.png")
    assert run("forget", "Ada", "Ada", "--json").json["Ada"]["templates"] == 1


def test_an_output_that_cannot_be_written(run: Run, photos: Path, tmp_path: Path) -> None:
    run("enroll", "Ada", photos / "astronaut.png")
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "named.png"):
        done = run("identify", photos / "astronaut.png", "--annotate", place)
        assert done.code == 12
        assert "sameface: expected to write" in done.err
        assert "Traceback" not in done.err
    assert not list(tmp_path.glob(".*.part"))


def test_a_cache_that_cannot_be_written(
    run: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "file"))
    assert run("verify", photos / "obama.jpg", photos / "obama2.jpg").code == 12
    done = run("evaluate", photos.parent)
    assert done.code in (8, 12)
    assert "Traceback" not in done.err


def test_wrong_options(run: Run, photos: Path) -> None:
    obama = photos / "obama.jpg"
    for arguments in (
        ["verify", obama],
        ["verify", obama, obama, obama],
        ["verify", obama, obama, "--as", "Ada"],
        ["verify", obama, obama, "--threshold", "-1"],
        ["verify", obama, obama, "--threshold", "nan"],
        ["verify", obama, obama, "--threshold", "4.15"],  # embeddings of length 1 are 2 apart at most
        ["verify", obama, obama, "--choose", "best"],
        ["verify", obama, obama, "--choose", "Largest"],
        ["identify", obama, "--fpir", "nan"],
        ["identify", obama, "--fpir", "5"],
        ["cluster", photos, "--threshold", "nan"],
        ["cluster", photos, "--threshold", "3"],
        ["calibrate", photos, "--fmr", "7"],
        ["calibrate", photos, "--prior", "nan"],
        ["train", photos, "--margin", "nan"],
        ["train", photos, "--rate", "inf"],
        ["train", photos, "--every", "-1"],
        ["train", photos, "--seed", "-1"],
        ["train", photos, "--threads", "-1"],
        ["enroll", "Ada", obama, "--review", "lax"],
        ["enroll", "Ada", obama, "--detail", "no equals sign"],
        ["identify", obama, "--candidates", "0"],
        ["evaluate", photos, "--workers", "-3"],
        ["evaluate", photos, "--photos", "-1"],
        ["evaluate", photos, "--hardest", "-1"],
        ["nonsense"],
    ):
        assert run(*arguments).code == 2, arguments
    assert run("verify", obama, obama, "--encoder", "no-such").code == 5
    assert run("verify", obama, obama, "--detector", "no-such").code == 5
    assert run("verify", obama, obama, "--device", "cuda").code == 5


@pytest.mark.parametrize("nameless", [".", "/", ".."])
def test_folders_where_a_file_belongs(run: Run, photos: Path, nameless: str) -> None:
    for arguments in (
        ["models", "add", nameless],
        ["people", "-g", nameless],
        ["gallery", "stats", "-g", nameless],
        ["verify", photos / "obama.jpg", nameless],
        ["verify", photos / "obama.jpg", photos / "obama2.jpg", "--operating-point", nameless],
        ["identify", nameless + "/obama.jpg", "-g", nameless],
    ):
        done = run(*arguments)
        assert done.code >= 2, arguments
        assert "sameface: expected " in done.err, arguments


def test_no_permission(run: Run, photos: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes((photos / "obama.jpg").read_bytes())
    secret.chmod(0)
    with permissions_hold():
        assert run("verify", photos / "obama.jpg", secret).code == 3
