from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sameface.errors import DownloadError, ModelInUseError, SettingError
from sameface.models import collection
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.card_file import write_card
from sameface.models.registry import load_card

WEIGHTS = b"weights of a model" * 1000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """A server of one folder that holds ``mine.onnx``."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "mine.onnx").write_bytes(WEIGHTS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models, and no other place."""
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def mine(url: str = "", digest: str | None = None) -> ModelCard:
    sha256 = hashlib.sha256(WEIGHTS).hexdigest() if digest is None else digest
    file = WeightsFile("mine.onnx", sha256, len(WEIGHTS), url)
    return ModelCard("mine", "detector", "Mine", "MIT", "yes", source="me", files=(file,))


def test_pull_verify_remove(folder: Path, mirror: str) -> None:
    card = mine(f"{mirror}/mine.onnx")
    assert collection.presence(card) == "missing"
    assert collection.verify(card)[0].state == "missing"
    assert collection.pull(card) == [folder / "mine.onnx"]
    assert collection.presence(card) == "here"
    assert collection.verify(card)[0].state == "well"
    with (folder / "mine.onnx").open("r+b") as file:
        file.write(b"W")
    assert collection.verify(card)[0].state == "damaged"
    collection.pull(card)  # a damaged file is replaced
    assert collection.verify(card)[0].state == "well"
    assert collection.remove(card) == [folder / "mine.onnx"]
    assert collection.presence(card) == "missing"
    assert collection.remove(card) == []


def test_a_mirror_is_used_instead_of_the_cards_address(
    tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", mirror)
    monkeypatch.setattr("sameface.models.registry.user_data_path", lambda *_, **__: tmp_path / "data")
    card = mine("https://models.invalid/mine.onnx")
    assert collection.source_of(card) == mirror
    assert collection.pull(card) == [tmp_path / "data" / "models" / "mine.onnx"]


def test_a_file_of_no_public_address_says_how_to_get_it(folder: Path) -> None:
    with pytest.raises(DownloadError, match="SAMEFACE_MODELS"):
        collection.pull(mine())


def test_a_model_by_package_is_there_without_a_download(folder: Path) -> None:
    paths = collection.pull(load_card("dlib-resnet-mirror"))
    assert [path.name for path in paths] == ["dlib_face_recognition_resnet_model_v1.dat"]
    assert collection.presence(load_card("dlib-resnet-mirror")) == "by package"
    assert collection.presence(load_card("pixels")) == "built in"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["dlib-resnet", "mtcnn", "pixels"])
def test_what_was_not_fetched_cannot_be_removed(folder: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"package|built in"):
        collection.remove(load_card(name))


def test_what_was_converted_from_a_removed_model_goes_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(WEIGHTS).hexdigest()[:16]
    models = tmp_path / "cache" / "models"
    (models / "prepared" / f"mine-{digest}-v2.x").mkdir(parents=True)
    for name in (f"mine-{digest}-v2.onnx", f"mine-{digest}-v2.onnx.crc32", "yours-0123456789abcdef-v2.onnx"):
        (models / name).write_bytes(b"converted")
    (folder / "mine.onnx").write_bytes(WEIGHTS)
    collection.remove(mine())
    assert sorted(path.name for path in models.rglob("*")) == ["prepared", "yours-0123456789abcdef-v2.onnx"]


def test_a_gallery_keeps_its_model(folder: Path) -> None:
    (folder / "mine.onnx").write_bytes(WEIGHTS)
    with pytest.raises(ModelInUseError, match=r"people\.db"):
        collection.remove(mine(), needed_by=["the gallery people.db"])
    assert (folder / "mine.onnx").is_file()


def test_a_card_keeps_the_network_it_runs(folder: Path) -> None:
    (folder / "mine.toml").write_text(write_card(mine()))
    user = ModelCard("variant", "detector", "V", "MIT", "yes", network="mine")
    (folder / "variant.toml").write_text(write_card(user))
    with pytest.raises(ModelInUseError, match="variant"):
        collection.remove(load_card("mine"))
    collection.remove(load_card("variant"))
    assert [path.name for path in collection.remove(load_card("mine"))] == ["mine.toml"]


def test_files_without_a_digest_are_named_so(folder: Path) -> None:
    (folder / "mine.onnx").write_bytes(WEIGHTS)
    assert collection.verify(mine(digest=""))[0].state == "not pinned"


def test_the_networks_behind_models() -> None:
    needed = collection.with_networks(["dlib-resnet-mirror", "yunet", "of-tomorrow"])
    assert needed == {"dlib-resnet-mirror", "dlib-resnet", "yunet", "of-tomorrow"}
