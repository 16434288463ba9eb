"""A network that is replaced under its name is noticed by whoever keeps it loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sameface import shortcuts
from sameface.compat.estimators import face_encoder
from sameface.encoders.loading import state_of


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"first")
    path.with_suffix(".toml").write_text("card", encoding="utf-8")
    return path


def test_the_state_of_a_file_is_that_of_network_and_card(network: Path) -> None:
    before = state_of(network)
    assert state_of(str(network)) == before
    network.write_bytes(b"second")
    second = state_of(network)
    assert second != before
    network.with_suffix(".toml").write_text("another card", encoding="utf-8")
    assert state_of(network) not in (before, second)
    again = network.with_name("again.onnx")
    again.write_bytes(b"second")  # of the same size and time: another file
    os.utime(again, ns=(network.stat().st_atime_ns, network.stat().st_mtime_ns))
    third = state_of(network)
    again.replace(network)
    assert state_of(network) != third


def test_shipped_names_have_no_state() -> None:
    assert state_of("pixels") == ()


def test_what_is_kept_loaded_is_loaded_again(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained again under its path, a network answered as before until the process ended."""
    loaded: list[str] = []

    def load(name: str, **settings: object) -> object:
        loaded.append(name)
        return object()

    monkeypatch.setattr(face_encoder, "load_encoder", load)
    monkeypatch.setattr("sameface.recognizer.Recognizer", lambda encoder, detector: load(encoder))
    first = shortcuts.recognizer_of(str(network)), face_encoder.FaceEncoder(str(network))._network()
    assert shortcuts.recognizer_of(str(network)) is first[0]
    assert face_encoder.FaceEncoder(str(network))._network() is first[1]
    network.write_bytes(b"second")
    assert shortcuts.recognizer_of(str(network)) is not first[0]
    assert face_encoder.FaceEncoder(str(network))._network() is not first[1]
    assert loaded == [str(network)] * 4
