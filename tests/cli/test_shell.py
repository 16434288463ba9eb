"""What makes a shell pleasant: suggestions, questions before what cannot be undone, narrow terminals, folders, names completed."""

from __future__ import annotations

import html
import io
import re
import shlex
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface import Gallery
from sameface.cli.app import COMMANDS
from sameface.cli.options import known_choices, known_detectors, known_encoders, known_names
from sameface.cli.watch import _say
from sameface.errors import ListenError, PersonNotFoundError, SettingError
from sameface.indexing.tracking import Event
from tests.cli.conftest import Run

LONG = "Wilhelmina Katherine"  # 20 characters


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def two(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gallery of two."""
    folder = tmp_path_factory.mktemp("two")
    with Gallery(folder / "people.db") as people:
        people.enroll("Ada Lovelace", photos / "astronaut.png")
        people.enroll("Grace Hopper", photos / "grace_hopper.jpg", groups=["navy"])
    return folder


@pytest.fixture
def enrolled(two: Path, tmp_path: Path) -> None:
    """A copy of it, in the folder where the shell is."""
    shutil.copytree(two, tmp_path, dirs_exist_ok=True)


# -- did you mean -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["verfy"], "verify"),
        (["Identify"], "identify"),
        (["people", "renam"], "rename"),
        (["verify", "a", "b", "--encoder", "pixel"], "pixels"),
        (["verify", "a", "b", "--detector", "mtcn"], "mtcnn"),
        (["verify", "a", "b", "--treshold", "1"], "--threshold"),
        (["forget", "Ada Lovelase"], "Ada Lovelace"),
        (["people", "rename", "ada lovelace", "Ada"], "Ada Lovelace"),
        (["people", "merge", "Ada Lovelace", "Grace Hoper"], "Grace Hopper"),
        (["verify", "photo", "--as", "Grace Hoper"], "Grace Hopper"),
        (["identify", "photo", "--group", "nayv"], "navy"),
        (["train", "people", "--recipe", "omniglott"], "omniglot"),
    ],
)
def test_did_you_mean(run: Run, enrolled: None, photos: Path, words: list[str], hint: str) -> None:
    done = run(*(photos / "grace_hopper.jpg" if word == "photo" else word for word in words))
    assert done.code >= 2
    assert hint in done.err


def test_a_group_that_nobody_is_in_is_no_answer(photos: Path, tmp_path: Path) -> None:
    with Gallery(tmp_path / "people.db") as people:
        assert [face.why for face in people.identify(photos / "obama.jpg", group="staff")] == ["nobody is enrolled"]
        people.enroll("Obama", photos / "obama2.jpg", groups=["staff"])
        assert people.identify(photos / "obama.jpg", group="staff")[0].name == "Obama"
        with pytest.raises(PersonNotFoundError, match="Did you mean staff"):
            people.identify(photos / "obama.jpg", group="stuff")
        for wrong in ({"fpir": 0.0}, {"fpir": float("nan")}, {"candidates": -1}):
            with pytest.raises(SettingError):
                people.identify(tmp_path / "never opened.jpg", **wrong)  # type: ignore[arg-type]
        with pytest.raises(SettingError):
            people.identify(photos / "obama.jpg", fpir=2)
    with pytest.raises(SettingError):
        Gallery(tmp_path / "people.db", fpir=1.0)


# -- before what cannot be undone ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("said", "erased"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_forget_asks_at_a_terminal(
    run: Run, enrolled: None, monkeypatch: pytest.MonkeyPatch, said: str, erased: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(said))
    done = run("forget", "Ada Lovelace")
    assert "Erase Ada Lovelace (1 photo)?" in done.err
    assert done.code == (0 if erased else 1)
    left = [person["name"] for person in run("people", "--json").json["people"]]
    assert left == ["Ada Lovelace", "Grace Hopper"][erased:]


def test_merge_asks_and_yes_answers(run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("enroll", "Obama", photos / "obama.jpg")
    run("enroll", "Barack", photos / "obama2.jpg", "--review", "off")
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert run("people", "merge", "Obama", "Barack").code == 1
    done = run("people", "merge", "Obama", "Barack", "--yes", "--json")
    assert (done.json["name"], done.json["photos"]) == ("Obama", 2)
    assert run("forget", "Obama", "--yes").out == "Obama: erased 2 templates\n"


# -- narrow terminals ---------------------------------------------------------------------------------------------------
def test_no_table_wraps_at_80_columns(run: Run, photos: Path, tmp_path: Path, narrow: None) -> None:
    for name in ("obama.jpg", "biden.jpg"):
        (tmp_path / name).symlink_to(photos / name)
    person = tmp_path / "tree" / LONG
    person.mkdir(parents=True)
    (person / "a.jpg").symlink_to(photos / "obama2.jpg")
    for words in (
        ["enroll", LONG, "obama.jpg", "--group", "night shift"],
        ["enroll", "tree"],
        ["people"],
        ["identify", "obama.jpg", "biden.jpg"],
        ["cluster", "."],
        ["keys", "add", "admin", "--note", "the front door"],
        ["keys", "list"],
        ["gallery", "audit"],
        ["gallery", "stats"],
        ["gallery", "retention", "--group", "night shift", "--days", "30"],
        ["gallery", "retention"],
        ["people"],
        ["models", "list"],
    ):
        done = run(*words)
        assert done.code in (0, 1), done.err
        lines = done.out.splitlines()
        assert all(len(line) <= 80 for line in lines), words
        for row in lines:  # a wrapped cell leaves its row's first column empty
            assert not row.strip() or len(row) - len(row.lstrip()) < 12, (words, done.out)
    assert f"{LONG}  " in run("people").out


def test_several_faces_of_a_photo_are_numbered(run: Run, photos: Path, tmp_path: Path) -> None:
    with Image.open(photos / "obama.jpg") as one, Image.open(photos / "grace_hopper.jpg") as other:
        both = Image.new("RGB", (1200, 750))
        both.paste(one.convert("RGB").resize((600, 750)), (0, 0))
        both.paste(other.convert("RGB").resize((600, 750)), (600, 0))
    both.save(tmp_path / "both.png", compress_level=1)
    run("enroll", "Obama", photos / "obama2.jpg")
    rows = [
        line.split() for line in run("identify", "both.png", photos / "obama3.jpg").out.splitlines() if line.strip()
    ]
    assert rows[0] == ["photo", "face", "who", "distance"]
    assert {tuple(row[1:3]) for row in rows[2:]} == {("1", "Obama"), ("2", "nobody")}
    alone = run("identify", photos / "obama3.jpg").out
    assert alone.split()[:3] == ["photo", "who", "distance"]


def test_nobody_to_list_is_said_in_words(run: Run, photos: Path) -> None:
    run("enroll", "Ada", photos / "astronaut.png", "--group", "navy")
    assert "did you mean navy?" in run("people", "--group", "nayv").out
    assert run("people", "--group", "nayv", "--json").json["total"] == 0
    run("forget", "Ada")
    assert run("people").out == "nobody is enrolled\n"


def test_on_a_terminal_each_row_is_one_line(
    run: Run, photos: Path, tmp_path: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # as Rich says of what is a terminal
    deep = tmp_path / "a folder of photos" / "with another one inside" / "and one more in that"
    deep.mkdir(parents=True)
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        (deep / name).symlink_to(photos / name)
    tags = [word for tag in ("executive-committee", "board of directors", "founders") for word in ("--group", tag)]
    for words, rows in (
        (["enroll", LONG, deep / "obama.jpg", *tags], 1),
        (["people"], 1),
        (["identify", deep], 3),
        (["cluster", deep], 2),
        (["keys", "add", "admin", "--note", "the front door of the second house"], 0),
        (["keys", "list"], 1),
        (["gallery", "stats"], 0),
    ):
        done = run(*words)
        assert done.code in (0, 1), done.err
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.out)
        lines = plain.splitlines()
        if words[0] != "keys" or words[1] == "list":
            assert all(len(line) <= 80 for line in lines), (words, plain)
        if rows:
            ruled = next(at for at, line in enumerate(lines) if "───" in line)
            below = lines[ruled + 1 :]
            assert len(below[: next((at for at, line in enumerate(below) if not line.strip()), len(below))]) == rows, (
                plain
            )
    assert f"{LONG} " in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", run("people").out)


def test_a_persons_folder_and_whole_ids(run: Run, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ada"
    folder.mkdir()
    for name in ("obama.jpg", "obama2.jpg"):
        (folder / name).symlink_to(photos / name)
    assert run("enroll", "Barack", folder, "--detail", "team=blue").out.count("accepted") == 2
    (person,) = run("people", "--json").json["people"]
    assert run("people", "-v").out.splitlines() == [
        "Barack",
        f"  id: {person['person_id']}",
        "  photos: 2",
        f"  enrolled: {person['created'][:19]}",
        "  team: blue",
    ]


def test_what_cluster_prints_works_when_it_is_copied(run: Run, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my photos; of 'us'"
    folder.mkdir()
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        (folder / name).symlink_to(photos / name)
    done = run("cluster", folder.name, "--html", "sheet.html", "--album", "an album.json")
    hint = next(line for line in done.err.splitlines() if line.startswith("name a group: "))
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    commands = [html.unescape(found) for found in re.findall(r"<code>(.*?)</code>", page)]
    assert shlex.split(commands.pop())[-2:] == ["apply", "album-changes.json"]
    assert [shlex.split(command)[-2] for command in commands[:1]] == ["1"]
    assert [shlex.split(command)[4 + 1] for command in commands] == ["name", "merge", "split"]
    for command in [commands[2], commands[1], hint.removeprefix("name a group: ")]:
        words = shlex.split(command)
        assert words[0] == "sameface"
        assert run(*words[1:]).code == 0, command


def test_identify_takes_folders_and_says_what_decided(run: Run, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "album" / "inside"
    folder.mkdir(parents=True)
    for name in ("obama2.jpg", "biden.jpg"):
        (folder / name).symlink_to(photos / name)
    (folder / "cut.jpg").write_bytes((photos / "obama.jpg").read_bytes()[:500])
    run("enroll", "Obama", photos / "obama.jpg")
    done = run("identify", tmp_path / "album")
    assert done.code == 3  # the cut photo's, and the others are answered
    assert "cut.jpg" in done.err
    assert "obama2.jpg   Obama" in done.out
    assert "biden.jpg    nobody" in done.out
    found = {Path(item["photo"]).name: item for item in run("identify", tmp_path / "album", "--json").json}
    assert found["cut.jpg"]["error"]["type"] == "urn:sameface:damaged-image"
    assert found["obama2.jpg"]["faces"][0]["name"] == "Obama"
    reasons = run("identify", folder / "obama2.jpg", "-v").out
    assert "is under τ(K)" in reasons
    assert "nearest: Obama 0." in reasons
    (tmp_path / "empty").mkdir()
    assert run("identify", tmp_path / "empty").code == 8


def test_a_tree_is_summed_up(run: Run, photos: Path, tmp_path: Path) -> None:
    for person, names in {"Obama": ["obama.jpg", "obama2.jpg"], "Collins": ["astronaut.png"], "Wall": []}.items():
        (tmp_path / "tree" / person).mkdir(parents=True)
        for name in names:
            (tmp_path / "tree" / person / name).symlink_to(photos / name)
    Image.fromarray(np.full((99, 99, 3), 90, np.uint8)).save(tmp_path / "tree" / "Wall" / "wall.png")
    done = run("enroll", tmp_path / "tree")
    assert done.code == 1
    assert done.out.splitlines()[-1] == "2 people enrolled, 1 refused; 3 photos stored"
    assert "Obama          2        2" in done.out
    assert "obama.jpg" not in done.out
    assert "obama.jpg" in run("enroll", tmp_path / "tree", "-v").out


# -- the rest -----------------------------------------------------------------------------------------------------------
def test_names_are_completed(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAMEFACE_GALLERY", raising=False)

    class Context:
        def __init__(self) -> None:
            self.params = {"gallery": None}

    assert known_names(Context(), "A") == []  # type: ignore[arg-type]  no gallery: no names, no error, no file made
    assert list(tmp_path.iterdir()) == []
    with Gallery("people.db") as people:
        people.enroll("Ada Lovelace", photos / "astronaut.png")
        people.enroll("Grace Hopper", photos / "grace_hopper.jpg")
    assert known_names(Context(), "ada") == ["Ada Lovelace"]  # type: ignore[arg-type]
    assert known_names(Context(), "") == ["Ada Lovelace", "Grace Hopper"]  # type: ignore[arg-type]


def test_a_busy_port_is_one_message(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    from sameface.service.listening import check_address

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=str(port)):
            check_address("127.0.0.1", port)
        done = run("serve", tmp_path / "galleries", "--port", port)
        assert done.code == 13
        assert "already in use" in done.err
    check_address("127.0.0.1", port)
    for host in ("192.0.2.1", "no such host", "x" * 300):
        with pytest.raises(ListenError):
            check_address(host, 0)


def test_models_and_choices_are_completed() -> None:
    assert known_encoders("pix") == ["pixels"]
    assert "yunet" in known_detectors("yu")
    assert known_detectors("non") == ["none"]
    assert known_choices("") == ["only", "centre", "largest"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_one_screen_wide(command: str, run: Run, narrow: None) -> None:
    assert all(len(line) <= 80 for line in run(command, "--help").out.splitlines())


def test_watch_says_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    _say([Event("appeared", 0.0, 1, None, None, 0.0, 1, None), Event("named", 1.26, 1, "Ada", "0", 0.0, 5, 0.2)])
    _say([Event("left", 75.0, 1, "Ada", "0", 0.0, 40, 0.2)])
    assert capsys.readouterr().out.splitlines() == [
        "0:00.0  #1  a face appears",
        "0:01.3  #1  this is Ada",
        "1:15.0  #1  Ada leaves, seen in 40 frames since 0:00.0",
    ]
