"""One weights file, several places: its package, the folder of models, an address; the digest decides."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from sameface.errors import DownloadError, ModelCardError, ModelDamagedError, ModelMissingError
from sameface.models import collection
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.registry import load_card, locate, package_folder
from tests.models.test_collection import Quiet

WEIGHTS = b"weights by package" * 1000
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """What the publisher offers: ``net.onnx``."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(WEIGHTS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package whose code must not run."""
    folder = tmp_path / "site" / "carrier_of_weights"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('the code of a carrier was run')")
    (folder / "data" / "net.onnx").write_bytes(WEIGHTS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


def card(url: str = "", package: str = "carrier_of_weights") -> ModelCard:
    file = WeightsFile("data/net.onnx", DIGEST, len(WEIGHTS), url)
    return ModelCard("carried", "detector", "C", "MIT", "yes", package=package, package_version="1.1.1", files=(file,))


def test_the_package_is_found_and_none_of_its_code_runs(package: Path, models: Path) -> None:
    assert locate(card()) == [package / "data" / "net.onnx"]
    assert collection.presence(card()) == "by package"
    assert "carrier_of_weights" not in sys.modules


def test_a_part_of_a_package_is_never_looked_for(package: Path) -> None:
    """Python imports a package to look for its parts."""
    assert package_folder("carrier_of_weights.data") is None
    with pytest.raises(ModelCardError, match="without dots"):
        card(package="carrier_of_weights.data")


def test_without_the_package_the_publishers_file_is_pulled(models: Path, server: str) -> None:
    gone = card(f"{server}/net.onnx")
    assert collection.presence(gone) == "missing"
    with pytest.raises(ModelMissingError, match=rf"{DIGEST[:16]}.*models pull carried"):
        locate(gone)
    assert collection.pull(gone) == [models / "net.onnx"] == locate(gone)
    assert collection.presence(gone) == "here"
    assert collection.verify(gone)[0].state == "well"
    assert collection.remove(gone) == [models / "net.onnx"]


def test_an_altered_file_in_the_package_is_refused_and_replaced(package: Path, models: Path, server: str) -> None:
    (package / "data" / "net.onnx").write_bytes(b"other weights")
    altered = card(f"{server}/net.onnx")
    with pytest.raises(ModelDamagedError, match=rf"{DIGEST}.*carrier_of_weights==1\.1\.1.*models pull carried"):
        locate(altered)
    assert collection.verify(altered)[0].state == "damaged"
    assert collection.pull(altered) == [models / "net.onnx"] == locate(altered)
    assert collection.verify(altered)[0].state == "well"


def test_another_version_without_the_file_is_said(package: Path, models: Path, tmp_path: Path) -> None:
    (package / "data" / "net.onnx").unlink()
    about = tmp_path / "site" / "carrier_of_weights-2.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: carrier_of_weights\nVersion: 2.0\n")
    with pytest.raises(ModelMissingError, match=r"nothing there, in carrier_of_weights 2\.0.*==1\.1\.1"):
        locate(card())
    with pytest.raises(ModelMissingError):
        collection.pull(card())


def test_a_server_of_another_file_is_not_trusted(models: Path, server: str, tmp_path: Path) -> None:
    (tmp_path / "published" / "net.onnx").write_bytes(b"x" * len(WEIGHTS))
    with pytest.raises(DownloadError, match=DIGEST):
        collection.pull(card(f"{server}/net.onnx"))
    assert not (models / "net.onnx").exists()


@pytest.mark.parametrize("name", ["sface-2021dec", "yunet"])
def test_the_shipped_models_come_by_package(name: str) -> None:
    """And the same bytes are to be had from their publisher."""
    shipped = load_card(name)
    assert collection.presence(shipped) == "by package"
    assert collection.verify(shipped)[0].state == "well"
    assert shipped.files[0].url.startswith("https://")
