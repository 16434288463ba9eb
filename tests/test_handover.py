"""Train → calibrate → enroll → identify → verify → serve, by the very commands that training prints: on drawings, on crops, on faces.

What is calibrated on decides how long a test takes. It needs 30,000 pairs: five photos each of 50 people make 30,625. Under the smallest FMR that its
people support nobody is named, so one photo is enrolled; from 60 people on, the domain is learned too, which takes ten times as long.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import time
import urllib.error
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch")

from sameface.cli.app import app  # noqa: E402
from tests.warm import Warm  # noqa: E402


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)


def drawings(folder: Path, people: int, each: int, seed: int) -> Path:
    """Signs of a few strokes, black on white, each drawn several times by an unsteady hand."""
    random = np.random.default_rng(seed)
    for person in range(people):
        corners = random.uniform(15, 90, (6, 2))
        (folder / f"sign {person}").mkdir(parents=True)
        for number in range(each):
            picture = Image.new("L", (105, 105), 255)
            ImageDraw.Draw(picture).line([tuple(at) for at in corners + random.normal(0, 0.7, (6, 2))], fill=0, width=3)
            picture.save(folder / f"sign {person}" / f"{number}.png", compress_level=1)
    return folder


def crops(folder: Path, people: int, each: int, seed: int) -> Path:
    """Patches of light, one pattern a person: stand for faces that somebody cut out already."""
    random = np.random.default_rng(seed)
    for person in range(people):
        pattern = random.uniform(60, 200, (6, 6, 3))
        (folder / f"crop {person}").mkdir(parents=True)
        for number in range(each):
            light = pattern * (1.0, 0.85, 0.7) * random.uniform(0.9, 1.1) + random.normal(0, 6, pattern.shape)
            small = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
            small.resize((96, 96), Image.Resampling.BICUBIC).save(
                folder / f"crop {person}" / f"{number}.png", compress_level=1
            )
    return folder


def run(*arguments: str) -> tuple[int, str]:
    """A command as users call it, in this process (a process of its own would import PyTorch again)."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code = app(list(arguments), standalone_mode=False)
        except SystemExit as end:
            code = end.code
    return int(code or 0), said.getvalue()


def printed_commands(said: str) -> dict[str, list[str]]:
    """What training prints to type next, by command."""
    lines = [shlex.split(line.strip()) for line in said.splitlines() if line.startswith("  sameface ")]
    return {words[1]: words[1:] for words in lines}


def hand_over(said: str, words: dict[str, str]) -> None:
    """Run every command that a training printed, with the reader's own folders put in; each must exit 0."""
    commands = printed_commands(said)
    assert list(commands) == ["calibrate", "enroll", "identify", "verify", "serve"]
    filled = {name: [words.get(word, word) for word in command] for name, command in commands.items()}
    for name in ("calibrate", "enroll", "identify", "verify"):
        code, said = run(*filled[name])
        assert code == 0, f"{shlex.join(filled[name])}: {said}"
    serves(filled["serve"], Path(words["PHOTO"]))


def trained(*arguments: str) -> str:
    code, said = run("train", *arguments)
    assert code == 0, said
    return said


def serves(command: list[str], photo: Path) -> None:
    """The service comes up and names the person of a photo."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Warm([*command, "--port", str(port)], output=Path("serve.log").absolute(), environment=os.environ)
    try:
        address = f"http://127.0.0.1:{port}/v1"
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{address}/galleries", timeout=10) as answer:
                    assert "people" in answer.read().decode()
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.returncode is None, Path("serve.log").read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.2)
        boundary = "x-boundary"
        body = (
            (
                f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n'
                "Content-Type: image/png\r\n\r\n"
            ).encode()
            + photo.read_bytes()
            + f"\r\n--{boundary}--\r\n".encode()
        )
        request = urllib.request.Request(
            f"{address}/galleries/people/identify",
            data=body,
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert photo.parent.name in json.dumps(json.load(answer))
    finally:
        server.stop()


def quick(data: Path, *more: str) -> list[str]:
    settings = [
        "--steps",
        "50",
        "--people",
        "12",
        "--every",
        "50",
        "--device",
        "cpu",
        "--rate",
        "3e-3",
        "--threads",
        "1",
    ]
    return [str(data), "--out", "out", "--network-setting", "widths=16,32", "--dimension", "32", *settings, *more]


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An encoder of drawings in ``out``, and what training it printed; the folder is nobody's current one."""
    folder = tmp_path_factory.mktemp("signs")
    data = drawings(folder / "signs", 24, 6, seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return folder, trained(*quick(data, "--size", "24", "--augment", "characters"))


@pytest.fixture
def here(signs: tuple[Path, str], tmp_path: Path) -> str:
    """The encoder of drawings in the current folder; what training it printed."""
    shutil.copytree(signs[0] / "out", tmp_path / "out")
    return signs[1]


def test_drawings(here: str, tmp_path: Path) -> None:
    known = drawings(tmp_path / "known", 1, 2, seed=3)
    photo = known / "sign 0" / "1.png"
    apart = tmp_path / "apart" / "sign 0" / "1.png"
    apart.parent.mkdir(parents=True)
    shutil.move(photo, apart)  # a picture that was not enrolled
    hand_over(
        here,
        {
            "OTHER_PEOPLE": str(drawings(tmp_path / "others", 50, 5, seed=1)),
            "PEOPLE": str(known),
            "PHOTO": str(apart),
            "A": str(apart),
            "B": str(known / "sign 0" / "0.png"),
        },
    )


def test_crops_without_alignment(tmp_path: Path) -> None:
    known = crops(tmp_path / "known", 1, 2, seed=3)
    apart = tmp_path / "apart" / "crop 0" / "1.png"
    apart.parent.mkdir(parents=True)
    shutil.move(known / "crop 0" / "1.png", apart)
    hand_over(
        trained(*quick(crops(tmp_path / "crops", 24, 6, seed=0), "--size", "24")),
        {
            "OTHER_PEOPLE": str(crops(tmp_path / "others", 50, 5, seed=1)),
            "PEOPLE": str(known),
            "PHOTO": str(apart),
            "A": str(apart),
            "B": str(known / "crop 0" / "0.png"),
        },
    )


def test_faces(tmp_path: Path, data: Path) -> None:
    """A head on the pretrained encoder, for 12 people of LFW; others and the known ones are strangers to it."""
    images = data / "lfw" / "images"
    several = sorted(folder for folder in images.iterdir() if len(list(folder.glob("*.jpg"))) >= 5)

    def of(people: list[Path], to: str, photos: int, first: int = 0) -> Path:
        for person in people:
            (tmp_path / to / person.name).mkdir(parents=True)
            for photo in sorted(person.glob("*.jpg"))[first : first + photos]:
                shutil.copy(photo, tmp_path / to / person.name)
        return tmp_path / to

    known = images / "Serena_Williams"
    of([known], "known", 1)
    apart = of([known], "apart", 1, first=1) / known.name
    photo = next(apart.glob("*.jpg"))
    words = {
        "OTHER_PEOPLE": str(of(several[:50], "others", 5)),
        "PEOPLE": str(tmp_path / "known"),
        "PHOTO": str(photo),
        "A": str(photo),
        "B": str(next((tmp_path / "known" / known.name).glob("*.jpg"))),
    }
    faces = of(several[200:212], "faces", 4)
    hand_over(
        trained(str(faces), "--out", "out", "--network", "head", "--steps", "20", "--people", "6", "--every", "20"),
        words,
    )


def test_models_add_reads_the_card_beside_the_file(here: str) -> None:
    code, said = run("models", "add", "out/my-encoder.onnx", "--as", "signs")
    assert code == 0, said
    code, said = run("models", "show", "signs", "--json")
    assert code == 0, said
    card = json.loads(said)
    assert (card["id"], card["landmarks"], card["template"]) == ("signs", "none", "none")
    assert "signs: " in card["training_data"]


def test_a_gallery_says_what_to_do_when_its_encoder_is_gone(here: str, tmp_path: Path) -> None:
    known = drawings(tmp_path / "known", 2, 1, seed=3)
    code, said = run("enroll", str(known), "--encoder", "out/my-encoder.onnx", "-d", "none", "--gallery", "p.db")
    assert code == 0, said
    photo = str(known / "sign 1" / "0.png")
    code, said = run("identify", photo, "--gallery", "p.db", "--threshold", "0.5")
    assert code == 0, said
    (tmp_path / "elsewhere").mkdir()
    for name in ("my-encoder.onnx", "my-encoder.toml"):
        shutil.move(tmp_path / "out" / name, tmp_path / "elsewhere" / name)
    from sameface.errors import UnknownModelError

    with pytest.raises(UnknownModelError, match="models add"):
        run("identify", photo, "--gallery", "p.db", "--threshold", "0.5")
    code, said = run("models", "add", "elsewhere/my-encoder.onnx")
    assert code == 0, said
    code, said = run("identify", photo, "--gallery", "p.db", "--threshold", "0.5")
    assert code == 0, said
