"""Random command lines without end, from a seed: from the program's own tree of commands, with good and bad arguments, files, surroundings."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import typer
from PIL import Image

from sameface import Gallery
from sameface.cli.app import app, main
from sameface.defaults import DEFAULT_ENCODER
from sameface.errors import OUTCOMES
from sameface.gallery.transfer import export_file
from sameface.models.operating_points import save_operating_point, shipped_operating_points

#: How a command may end.
CODES = {0, 1, 130, *(outcome.exit_code for outcome in OUTCOMES.values())}
#: Seconds after which a call counts as one that never ends.
LONGEST = 120

NAMES = [
    "Ada",
    "Ada Lovelace",
    "Ada ",
    "",
    " ",
    "名前",
    "x" * 300,
    "a\nb",
    "../../etc",
    "--json",
    "\udce9",
    "👩‍🚀",
    "0",
    "-1",
]
NUMBERS = [
    *("0", "1", "2", "3", "-1", "0.4", "0.5", "1.5", "4.15", "nan", "inf", "-inf", "1e309", "1e-320"),
    *("2147483648", "9" * 30, "x", "", "١", "1_0", "0x10"),
]
WORDS = [
    *("only", "centre", "largest", "Largest", "off", "standard", "strict", "cpu", "cuda", "tpu", "FF", "fp"),
    *(
        "mtcnn",
        "mtcnn/t9",
        "yunet",
        "yunet/t0.5/side9",
        "none",
        "pixels",
        "dlib-resnet",
        "no-such",
        "../x",
        "admin",
        "read",
        "a=b",
        "=",
        "a=",
    ),
    *(
        "triplet",
        "tripplet",
        "contrastive",
        "SupConLoss",
        "NoSuchLoss",
        "convnet",
        "head",
        "os:path",
        "hard",
        "all",
        "koch",
        "orl",
        "lfw",
    ),
    *("faces", "none", "mixed", "float32", "arcface5", "MIT", "yes", "no", "navy", "127.0.0.1", "::1", "example.com"),
]
TEXTS = [
    *(*NAMES, *NUMBERS, *WORDS, "-", "@key", "~", ".", ":memory:", "file:x"),
    *("postgresql://nobody@127.0.0.1:1/x", "postgresql://", "rtsp://u:secret@127.0.0.1:1/x"),
]
#: What reaches beyond this machine or runs for ever is not tried: no network, no camera, no cluster of machines.
NEVER = {"--scheduler", "--background", "--processes", "--workers", "--threads", "--tensorboard"}
VARIABLES = [
    *("SAMEFACE_GALLERY", "SAMEFACE_KEYS", "SAMEFACE_GALLERY_KEY", "SAMEFACE_SCAN", "SAMEFACE_SEARCH_THREADS"),
    *("SAMEFACE_MODELS", "COLUMNS", "LINES", "TERM", "NO_COLOR", "LANG", "HOME"),
]


@dataclass
class World:
    """A folder with every kind of file that a command may meet."""

    folder: Path
    files: list[str] = field(default_factory=list)
    gallery: dict[str, bytes] = field(default_factory=dict)

    def build(self, photos: Path) -> None:
        """Make it, afresh."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        inside = self.folder
        for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
            with Image.open(photos / name) as picture:
                picture.thumbnail((220, 220))
                picture.convert("RGB").save(inside / name)
        portrait = (inside / "obama.jpg").read_bytes()
        for person, name in (("Ada", "obama.jpg"), ("Ada", "obama2.jpg"), ("Bob", "biden.jpg")):
            target = inside / "people" / person / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((inside / name).read_bytes())
        (inside / "people" / "Empty").mkdir()
        (inside / "empty").mkdir()
        (inside / "loop").symlink_to(inside)
        (inside / "people" / "round").symlink_to(inside / "people")
        (inside / "gone.jpg").symlink_to(inside / "nowhere")
        made = {
            "cut.jpg": portrait[: len(portrait) // 3],
            "empty.jpg": b"",
            "text.jpg": b"hello",
            "noise.onnx": b"\x08\x07" + bytes(range(256)),
            "noise.pt": b"PK\x03\x04" + bytes(50),
            "noise.h5": b"\x89HDF\r\n\x1a\n" + bytes(50),
            "noise.npz": b"PK\x03\x04",
            "noise.db": b"SQLite format 3\x00" + bytes(range(200)),
            "noise.avi": b"RIFF\x00\x00\x00\x00AVI LIST",
            "pairs.csv": b"a,b,same\nobama.jpg,obama2.jpg,1\nobama.jpg,biden.jpg,0\n",
            "pairs.txt": b"1\nAda\t1\t2\nAda\t1\tBob\t1\n",
            "odd.csv": b"a,b\n\xff\xfe,\x00\n",
            "point.json": b'{"threshold": -1, "space": {"encoder": "a", "detector": "b", "alignment": "c"}, "target": "x"}',
            "keys.json": b"[]",
            "list.json": b'{"a": [1, 2',
            "card.toml": b'id = "x"\nkind = 3\n',
            "key": b"AAAA",
            "caf\udce9.jpg": portrait,
        }
        for name, content in made.items():
            (inside / name).write_bytes(content)
        other = sqlite3.connect(inside / "other.db")
        other.execute("CREATE TABLE notes (text)")
        other.commit()
        other.close()
        Image.fromarray(np.full((60, 60, 3), 90, np.uint8)).save(inside / "wall.png")
        if not self.gallery:
            with Gallery(inside / "people.db") as people:
                for name, photo in (("Ada", "obama.jpg"), ("Bob", "biden.jpg")):
                    people.enroll(name, inside / photo, groups=["navy"], review="off")
                export_file(people.store, inside / "people.npz")
            self.gallery = {name: (inside / name).read_bytes() for name in ("people.db", "people.npz")}
        for name, content in self.gallery.items():
            (inside / name).write_bytes(content)
        point = shipped_operating_points(DEFAULT_ENCODER)[0]
        save_operating_point(point, inside / "good.json")
        self.files = [
            *self.gallery,
            "good.json",
            *made,
            "obama.jpg",
            "obama2.jpg",
            "biden.jpg",
            "wall.png",
            "people",
            "empty",
            "loop",
            "gone.jpg",
            "other.db",
        ]
        self.files += [
            "people.db",
            "nowhere/new",
            "new.jpg",
            "new.db",
            "new.json",
            "new",
            ".",
            "..",
            "/dev/null",
            "people/Ada/obama.jpg",
            "obama.jpg/below",
        ]


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    if command.invoke_without_command:
        yield path, command
    context = command.make_context("sameface", [], resilient_parsing=True)
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), (*path, name))


class Calls:
    """Draws command lines and surroundings."""

    def __init__(self, world: World, seed: int) -> None:
        self.draw = random.Random(seed)
        self.world = world
        self.commands = list(leaves(typer.main.get_command(app)))

    def one(self) -> tuple[list[str], dict[str, str]]:
        """The arguments, and variables of the environment."""
        draw = self.draw
        words, command = draw.choice(self.commands)
        call = list(words)
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                many = parameter.nargs != 1
                for _ in range(draw.choice([0, 1, 1, 2, 3]) if many else draw.choice([0, 1, 1, 1, 1, 1])):
                    call.append(self._value(parameter))
                continue
            option = next((text for text in parameter.opts if text.startswith("--")), parameter.opts[0])
            if option in NEVER or draw.random() > (0.5 if option in ("--json", "--gallery") else 0.12):
                continue
            call.append(option)
            if not parameter.is_flag:
                call.append(self._value(parameter))
        call += self._quick(words)
        if draw.random() < 0.05:
            call.insert(
                draw.randrange(len(call) + 1), draw.choice(["--no-such", "--", "-x", "--help", "", "--version", *TEXTS])
            )
        if draw.random() < 0.03:
            draw.shuffle(call)
        if draw.random() < 0.03:
            call = [draw.choice(["verfy", "", "--version", "-h", "people people", "\udcff"]), *call[1:]]
        variables = {name: self._text() for name in VARIABLES if draw.random() < 0.04}
        return [text.replace("\x00", "") for text in call], {
            name: text.replace("\x00", "") for name, text in variables.items()
        }

    def _quick(self, words: tuple[str, ...]) -> list[str]:
        """What keeps a valid call short."""
        if words == ("train",):
            return ["--steps", "1", "--size", "12", "--device", "cpu", "--threads", "1"]
        return ["--seconds", "1"] if words == ("watch",) else []

    def _value(self, parameter: Any) -> str:
        """Mostly of the right kind."""
        hint = str(getattr(parameter, "type", "")).lower() + str(getattr(parameter, "type_descriptor", "")).lower()
        name = parameter.name or ""
        if self.draw.random() < 0.05:
            return self._text()
        if "int" in hint.split("(")[0] or "float" in hint:
            return self.draw.choice(NUMBERS)
        good = self._good(name)
        if good and self.draw.random() < 0.85:
            return self.draw.choice(good)
        if "path" in hint or name in {"photos", "gallery", "source", "target", "file", "galleries", "operating_point"}:
            return self.draw.choice(self.world.files)
        if name in {"name", "new", "into", "other", "others", "names", "claimed", "group"}:
            return self.draw.choice([*NAMES, "people"])
        return self.draw.choice(WORDS)

    def _good(self, name: str) -> list[str]:
        """Values that this parameter may well take, so that calls come far."""
        photos = ["obama.jpg", "obama2.jpg", "biden.jpg", "people/Ada/obama.jpg", "cut.jpg"]
        return {
            "photos": photos,
            "like": photos,
            "gallery": ["people.db"],
            "data": ["people"],
            "folder": ["people", "."],
            "name": ["Ada", "Bob", "Eve"],
            "claimed": ["Ada", "Bob"],
            "names": ["Ada", "Bob"],
            "into": ["Ada", "1"],
            "other": ["Bob", "2"],
            "others": ["Bob", "2"],
            "new": ["Eve", "Bob"],
            "group": ["navy", "1"],
            "operating_point": ["good.json"],
            "encoder": ["pixels", DEFAULT_ENCODER],
            "detector": ["none", "mtcnn", "yunet"],
            "device": ["cpu"],
            "choose": ["only", "centre", "largest"],
            "review": ["off", "standard", "strict"],
            "file": ["people.npz", "new.npz"],
            "source": ["people.db"],
            "model": ["pixels", "mtcnn"],
            "models": ["pixels", "mtcnn"],
            "role": ["admin", "read"],
        }.get(name, [])

    def _text(self) -> str:
        return self.draw.choice([*TEXTS, *self.world.files])


class NeverEndsError(BaseException):
    """A call took too long; no error that a command may take for its own."""


def call(arguments: list[str], variables: dict[str, str], folder: Path) -> tuple[int | None, str, str, str]:
    """Run the program in this process: exit code (None for a fault), both outputs, and what was wrong, "" for nothing."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    before = Path.cwd()
    fault, code = "", None

    def too_long(*_: object) -> None:
        raise NeverEndsError

    previous = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST)
    try:
        os.chdir(folder)
        with (
            mock.patch.dict(os.environ, variables),
            mock.patch.object(sys, "argv", ["sameface", *arguments]),
            mock.patch("sameface.service.server.run"),  # it would serve
            mock.patch("urllib.request.OpenerDirector.open", side_effect=OSError("no network in this test")),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  whatever it is, it is what is looked for
        fault = traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
        os.chdir(before)
    said, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))  # type: ignore[attr-defined]
    return code, said, told, fault or wrong(arguments, code, said, told)


def wrong(arguments: list[str], code: int | None, said: str, told: str) -> str:
    """What no call may do: end otherwise than the table says, show a traceback, or print something else where JSON was asked for."""
    if code not in CODES:
        return f"exit code {code}"
    if "Traceback (most recent call last)" in told + said:
        return told
    if "secret" in told + said:
        return "a password is shown"
    asked = "--json" in arguments and "--" not in arguments and not {"--help", "-h", "--version"} & set(arguments)
    if asked and said and "watch" not in arguments:
        try:
            json.loads(said)
        except ValueError:
            return f"no JSON: {said[:300]}"
    return ""
