from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.errors import DeviceUnavailableError, ModelDamagedError, ModelMissingError
from sameface.models import prepared
from sameface.models.runtime import Session, available_devices


def write_product(path: Path, factor: float = 2.0) -> Path:
    """A network that multiplies by a number."""
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["y"])],
        "product",
        [make("x", TensorProto.FLOAT, ["m"])],
        [make("y", TensorProto.FLOAT, ["m"])],
        [numpy_helper.from_array(np.array(factor, np.float32), "factor")],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def answer(session: Session) -> list[float]:
    return list(session.run({"x": np.array([1.0, 3.0], np.float32)})[0])


@pytest.fixture
def cached_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    return write_product(tmp_path / "models" / "n.onnx")


def test_a_network_runs_from_a_path_and_from_bytes(tmp_path: Path) -> None:
    network = write_product(tmp_path / "n.onnx")
    assert answer(Session(network)) == answer(Session(network.read_bytes())) == [2.0, 6.0]
    assert list(tmp_path.iterdir()) == [network]  # outside the cache nothing is written


def test_the_optimised_form_is_kept_and_used(cached_network: Path) -> None:
    assert answer(Session(cached_network)) == [2.0, 6.0]
    (kept,) = (cached_network.parent / "prepared").iterdir()
    write_product(kept, 5.0)  # recognisably other: so it is the kept form that runs
    assert answer(Session(cached_network)) == [5.0, 15.0]


def test_a_damaged_optimised_form_is_made_again(cached_network: Path) -> None:
    Session(cached_network)
    (kept,) = (cached_network.parent / "prepared").iterdir()
    kept.write_bytes(b"damaged")
    assert answer(Session(cached_network)) == [2.0, 6.0]
    assert kept.read_bytes() != b"damaged"


def test_a_network_that_was_made_anew_is_not_taken_for_the_old_one(cached_network: Path) -> None:
    Session(cached_network)
    write_product(cached_network, 7.0)
    os.utime(cached_network, ns=(1, time.time_ns() + 10**9))
    assert answer(Session(cached_network)) == [7.0, 21.0]


def test_a_cache_that_cannot_be_written_does_no_harm(cached_network: Path) -> None:
    (cached_network.parent / "prepared").write_text("a file where a folder belongs")
    assert answer(Session(cached_network)) == [2.0, 6.0]


def test_another_processor_or_runtime_gets_its_own_form(cached_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = prepared.prepared_path(cached_network, "1.0")
    assert mine != prepared.prepared_path(cached_network, "2.0")
    monkeypatch.setattr(prepared, "processor_id", lambda: "another")
    assert mine != prepared.prepared_path(cached_network, "1.0")
    monkeypatch.setattr(prepared, "processor_id", lambda: None)
    assert prepared.prepared_path(cached_network, "1.0") is None


def test_errors_say_what_was_wrong(tmp_path: Path, cached_network: Path) -> None:
    with pytest.raises(ModelMissingError, match="nothing there"):
        Session(tmp_path / "nix.onnx")
    with pytest.raises(DeviceUnavailableError, match="'abacus'"):
        Session(cached_network, device="abacus")
    cached_network.write_bytes(b"no network")
    with pytest.raises(ModelDamagedError):
        Session(cached_network)
    assert not list((cached_network.parent / "prepared").iterdir())


def test_a_network_that_fails_on_its_input_is_said(tmp_path: Path) -> None:
    session = Session(write_product(tmp_path / "n.onnx"))
    with pytest.raises(ModelDamagedError, match=r"input of shape \(2, 2\)"):
        session.run({"x": np.ones((2, 2), np.float32)})


def test_the_processor_is_always_a_device() -> None:
    assert "cpu" in available_devices()
