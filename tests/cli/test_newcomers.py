"""What people who see the program for the first time type, and what they have to read then."""

from __future__ import annotations

import builtins
import copy
import pickle
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from PIL import Image

import sameface
from sameface.cli.app import COMMANDS, GUESSED
from sameface.gallery import open_store
from sameface.models.operating_points import save_operating_point
from sameface.types import EmbeddingSpace, Template
from tests.cli.conftest import Run

#: The first bytes of a photo of an iPhone.
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(300)


@pytest.fixture
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extra `heic`."""
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **settings: Any) -> Any:
        if name == "pillow_heif":
            raise ImportError(name)
        return real(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", missing)


@pytest.fixture
def phone(tmp_path: Path, photos: Path) -> Path:
    """A folder as a phone leaves it: one photo in JPEG, one in HEIC."""
    folder = tmp_path / "phone" / "Obama"
    folder.mkdir(parents=True)
    shutil.copy(photos / "obama.jpg", folder / "1.jpg")
    (folder / "2.heic").write_bytes(HEIC)
    return folder


def test_one_heic_without_the_extra_does_not_take_the_other_answers_along(
    run: Run, phone: Path, photos: Path, without_heic: None
) -> None:
    run("enroll", "Obama", photos / "obama2.jpg")
    done = run("identify", phone, "--json")
    assert done.code == 10
    assert [bool(item["error"]) for item in done.json] == [False, True]
    assert done.json[0]["faces"][0]["name"] == "Obama"
    assert "2.heic: expected the extra `heic`" in done.err
    alone = run("identify", phone / "2.heic")
    assert alone.code == 10
    assert 'pip install "sameface[heic]"' in alone.err


def test_a_tree_says_why_a_photo_could_not_be_read(run: Run, phone: Path, photos: Path, without_heic: None) -> None:
    (phone.parent / "Hopper").mkdir()
    shutil.copy(photos / "grace_hopper.jpg", phone.parent / "Hopper")
    done = run("enroll", phone.parent)
    assert done.code == 0
    assert "2.heic: unreadable: expected the extra `heic`" in done.out
    assert "2 people enrolled; 2 photos stored" in done.out
    (phone / "2.heic").unlink()
    again = run("enroll", phone.parent)
    assert "0 people enrolled, 2 known already; 0 photos stored" in again.out


def test_an_album_tries_heic_again_once_its_reader_is_there(
    run: Run, phone: Path, monkeypatch: pytest.MonkeyPatch, photos: Path
) -> None:
    from sameface.imaging import formats

    pytest.importorskip("scipy")
    real = builtins.__import__
    with mock.patch.object(
        builtins,
        "__import__",
        lambda name, *rest, **more: (
            (_ for _ in ()).throw(ImportError(name)) if name == "pillow_heif" else real(name, *rest, **more)
        ),
    ):
        assert "expected the extra `heic`" in run("cluster", phone).err
    monkeypatch.setattr(formats, "_open_heic", lambda data, name: Image.open(photos / "obama3.jpg"))
    done = run("cluster", phone)
    assert "1 photo encoded" in done.err
    assert "expected the extra" not in done.err
    assert "--html album.html" in done.err


def test_where_nobody_may_be_named_the_nearest_are_shown(run: Run, photos: Path, tmp_path: Path) -> None:
    point = sameface.Recognizer().operating_point
    few = tmp_path / "few.json"
    save_operating_point(replace(point, tail=(), smallest_fmr=1.0), few)
    run("enroll", "Obama", photos / "obama.jpg")
    run("enroll", "Hopper", photos / "grace_hopper.jpg")
    done = run("identify", photos / "obama2.jpg", "--operating-point", few)
    assert done.code == 1
    row = next(line for line in done.out.splitlines() if "obama2.jpg" in line)
    assert row.split()[-3:-1] == ["nobody", "Obama"]
    assert "nearest" in done.out
    assert "nearest" not in run("identify", photos / "obama2.jpg").out


def test_a_word_of_a_name_finds_the_person(run: Run, photos: Path) -> None:
    run("enroll", "Hugo Chávez", photos / "obama.jpg")
    done = run("forget", "Hugo", "--yes")
    assert done.code == 7
    assert "Did you mean Hugo Chávez?" in done.err


@pytest.mark.parametrize("threshold", ["5", "-1"])
def test_no_threshold_is_advised_that_names_nobody(run: Run, photos: Path, threshold: str) -> None:
    done = run("verify", photos / "obama.jpg", photos / "obama2.jpg", "--threshold", threshold)
    assert done.code == 2
    assert "leave it out for the one that was measured" in done.err
    assert "0.4" not in done.err


def test_several_faces_say_what_to_type(run: Run, photos: Path, tmp_path: Path) -> None:
    two = Image.new("RGB", (1536, 1200))
    for place, name in enumerate(("obama.jpg", "grace_hopper.jpg")):
        with Image.open(photos / name) as photo:
            two.paste(photo.convert("RGB").resize((700, 1000)), (place * 760, 0))
    two.save(tmp_path / "two.jpg")
    done = run("enroll", "Ada", tmp_path / "two.jpg")
    assert done.code == 4
    assert "at the shell `--choose`" in done.err
    assert run("enroll", "Ada", tmp_path / "two.jpg", "--choose", "largest").code == 0


@pytest.mark.parametrize("command", ["calibrate", "evaluate"])
def test_a_photo_is_no_table(run: Run, photos: Path, command: str) -> None:
    done = run(command, photos / "obama.jpg")
    assert done.code == 8
    assert "one picture, obama.jpg" in done.err
    assert "UTF-8" not in done.err


def test_an_empty_folder_is_no_album(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("cluster", empty)
    assert done.code == 8
    assert "expected photos; got none" in done.err
    assert not list(empty.iterdir())


def test_a_pickle_is_no_exported_gallery_and_the_way_in_is_told(run: Run, tmp_path: Path) -> None:
    pickle = tmp_path / "encodings.pickle"
    pickle.write_bytes(b"\x80\x04}.")
    done = run("gallery", "import", pickle)
    assert done.code == 6
    assert "sameface gallery import-encodings" in done.err


def test_serve_says_what_it_does_not_serve(run: Run, photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    with mock.patch("sameface.service.server.run"):
        assert "not served" not in run("serve").err
        run("enroll", "Obama", photos / "obama.jpg")
        run("keys", "add", "identify")
        done = run("serve")
        assert "add --keys keys.json" in done.err
        assert "not used" not in run("serve", "--keys", "keys.json").err
        assert done.err.count("not served") == 1
        assert "sameface serve ." in done.err
        assert "not served" not in run("serve", ".").err


@pytest.mark.parametrize(
    ("guess", "meant"),
    [
        ("enroll", "Gallery"),
        ("search", "identify"),
        ("represent", "embed"),
        ("extract_faces", "detect"),
        ("compare_faces", "verify"),
        ("load_image_file", "load_image"),
        ("annotate", "annotated"),
        ("Client", "sameface.client"),
        ("group", "cluster"),
    ],
)
def test_a_guessed_name_at_the_top_leads_to_the_right_one(guess: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=meant):
        getattr(sameface, guess)
    assert not hasattr(sameface, "no_such_thing")


@pytest.mark.parametrize(("guess", "meant"), [("add", "enroll"), ("delete", "forget"), ("search", "identify")])
def test_a_guessed_name_of_a_gallery_leads_to_the_right_one(guess: str, meant: str, tmp_path: Path) -> None:
    with sameface.Gallery(tmp_path / "people.db") as people:
        with pytest.raises(AttributeError, match=rf"write \.{meant}"):
            getattr(people, guess)
        assert hasattr(people, meant)
        with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
            _ = people.no_such_thing  # type: ignore[attr-defined]


def test_a_rate_given_as_text_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(sameface.SamefaceError, match=r"'0\.1', which is no number"):
        sameface.calibrate(tmp_path, fmr="0.1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("delete", "forget"),
        ("remove", "forget"),
        ("search", "identify"),
        ("recognize", "identify"),
        ("list", "people"),
        ("compare", "verify"),
        ("add", "enroll"),
        ("Server", "serve"),
        ("verfy", "verify"),
    ],
)
def test_a_guessed_command_leads_to_the_right_one(run: Run, word: str, meant: str) -> None:
    done = run(word, "Ada")
    assert done.code == 2
    assert re.search(rf"did you mean .*{meant}", done.err)


def test_guessed_commands_are_none_that_there_are() -> None:
    assert not set(GUESSED) & set(COMMANDS)
    assert {meant.split()[0] for meant in GUESSED.values()} <= set(COMMANDS)


def test_watch_of_a_photo_leads_to_identify(run: Run, photos: Path) -> None:
    done = run("watch", photos / "obama.jpg")
    assert done.code == 3
    assert "got a photo" in done.err
    assert f"sameface identify {photos / 'obama.jpg'}" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--keys", "nothing.json"),
        ("serve", "deep/galleries", "--keys", "nothing.json"),
        ("serve", "--encoder", "no-such-encoder"),
        ("enroll", "Ada", "nothing.jpg"),
        ("keys", "revoke", "abc"),
        ("keys", "rotate", "abc"),
        ("train", "nowhere", "--recipe", "omniglot", "--out", "trained"),
    ],
)
def test_a_command_that_refuses_leaves_nothing_behind(run: Run, arguments: tuple[str, ...]) -> None:
    if arguments[0] == "serve":
        pytest.importorskip("uvicorn")
    if arguments[0] == "train":
        pytest.importorskip("torch")
    assert run(*arguments).code > 1
    assert not list(Path.cwd().iterdir())


def test_forget_names_the_galleries_beside(run: Run, tmp_path: Path) -> None:
    space = EmbeddingSpace("test-encoder", "test-detector", "test-alignment")
    for place in ("people.db", "office.db", "galleries/team.db"):
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        with open_store(path, space=space, dimension=4) as store:
            store.add("Ada Lovelace", [Template(np.eye(4, dtype=np.float32)[0])])
    (tmp_path / "notes.db").write_text("no gallery")
    done = run("forget", "Ada Lovelace", "--gallery", tmp_path / "people.db")
    assert done.code == 0
    assert f"sameface forget 'Ada Lovelace' --gallery {tmp_path / 'office.db'}" in done.err
    assert f"sameface forget 'Ada Lovelace' --gallery {tmp_path / 'galleries' / 'team.db'}" in done.err
    assert "notes.db" not in done.err
    assert (
        f"--gallery {tmp_path / 'people.db'}"
        in run("forget", "Ada Lovelace", "--gallery", tmp_path / "galleries" / "team.db").err
    )


def test_a_name_that_is_nearly_right_is_told_in_python_too(tmp_path: Path) -> None:
    space = EmbeddingSpace("test-encoder", "test-detector", "test-alignment")
    with open_store(tmp_path / "people.db", space=space, dimension=4) as store:
        store.add("Anna Freud", [Template(np.eye(4, dtype=np.float32)[0])])
    with sameface.Gallery(tmp_path / "people.db") as people:
        for ask in (people.person, people.forget, people.access, people.history, people.lift_hold):
            with pytest.raises(LookupError, match="Did you mean Anna Freud"):
                ask("Anna")
        with pytest.raises(LookupError, match="lists all"):
            people.forget("Xaver")
        with pytest.raises(LookupError, match="Did you mean Anna Freud"):
            people.verify("Ana Freud", "no-photo-is-opened.jpg")


def test_what_is_guessed_of_an_answer_leads_to_what_is_meant(photos: Path) -> None:
    answer: Any = sameface.verify(photos / "obama.jpg", photos / "obama2.jpg")
    face: Any = sameface.detect(photos / "obama.jpg")[0]
    for value, guess, meant in (
        (answer, "verified", "same"),
        (answer, "confidence", "probability"),
        (answer, "facial_area", "probe_box"),
        (face, "bbox", "box"),
    ):
        with pytest.raises(AttributeError, match=rf"no attribute '{guess}'; write \.{meant}$"):
            getattr(value, guess)
        with pytest.raises(TypeError, match=rf"write \.{meant}$"):
            value[guess]
        assert hasattr(value, meant)
    with pytest.raises(TypeError, match=r"write \.same"):
        answer["same"]
    with pytest.raises(TypeError, match=r"write \.to_dict\(\)"):
        answer[0]
    with pytest.raises(AttributeError, match=r"no attribute 'nothing_like_it'$"):
        _ = answer.nothing_like_it
    assert pickle.loads(pickle.dumps(answer)).distance == answer.distance
    assert copy.copy(answer).same
