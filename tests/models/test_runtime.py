from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.errors import DeviceUnavailableError, ModelDamagedError, ModelMissingError
from sameface.models import prepared
from sameface.models.cache import damaged_in_cache
from sameface.models.runtime import Session
from sameface.models.sums import write_sum


def write_product(path: Path, factor: float | np.ndarray = 2.0) -> Path:
    """A network that multiplies by a number, or by as many as come in."""
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


def kept_form(network: Path) -> Path:
    """The folder of a network's optimised form."""
    (kept,) = (network.parent / "prepared").iterdir()
    return kept


def test_the_optimised_form_is_kept_and_used(cached_network: Path) -> None:
    assert answer(Session(cached_network)) == [2.0, 6.0]
    folder = kept_form(cached_network)
    before = (folder / "graph.onnx").read_bytes()
    assert before.count(struct.pack("<f", 2.0)) == 1
    with prepared.keep_prepared(folder, cached_network) as part:  # recognisably other: so it is the kept form that runs
        (part / "graph.onnx").write_bytes(before.replace(struct.pack("<f", 2.0), struct.pack("<f", 5.0)))
    assert answer(Session(cached_network)) == [5.0, 15.0]


def test_one_changed_byte_of_the_optimised_form_is_seen(cached_network: Path) -> None:
    """It would load, and give other answers."""
    Session(cached_network)
    graph = kept_form(cached_network) / "graph.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole.replace(struct.pack("<f", 2.0), struct.pack("<f", 3.0)))
    assert damaged_in_cache() == [graph.parent]
    assert answer(Session(cached_network)) == [2.0, 6.0]
    assert graph.read_bytes() == whole
    assert damaged_in_cache() == []


def test_large_weights_of_the_optimised_form_lie_apart_and_are_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    network = write_product(tmp_path / "models" / "n.onnx", np.arange(5000, dtype=np.float32))
    ones = {"x": np.ones(5000, np.float32)}
    Session(network)
    weights = kept_form(network) / "weights.bin"
    assert weights.stat().st_size >= 20_000
    np.testing.assert_array_equal(Session(network).run(ones)[0], np.arange(5000))
    with weights.open("r+b") as file:
        file.seek(4000)
        file.write(b"\x01")
    np.testing.assert_array_equal(Session(network).run(ones)[0], np.arange(5000))
    weights.unlink()
    np.testing.assert_array_equal(Session(network).run(ones)[0], np.arange(5000))


def test_an_optimised_form_that_does_not_load_is_made_again(cached_network: Path) -> None:
    Session(cached_network)
    folder = kept_form(cached_network)
    with prepared.keep_prepared(folder, cached_network) as part:
        (part / "graph.onnx").write_bytes(b"damaged")
    assert answer(Session(cached_network)) == [2.0, 6.0]
    assert (folder / "graph.onnx").read_bytes() != b"damaged"


def test_a_damaged_network_is_refused_and_removed(cached_network: Path) -> None:
    """One that an optimised form does not stand for."""
    write_sum(cached_network)
    write_product(cached_network, 9.0)
    assert damaged_in_cache() == [cached_network]
    with pytest.raises(ModelDamagedError, match="made anew"):
        Session(cached_network)
    assert not cached_network.exists()


def test_a_network_that_was_made_anew_is_not_taken_for_the_old_one(cached_network: Path) -> None:
    Session(cached_network)
    write_product(cached_network, 7.0)
    os.utime(cached_network, ns=(1, time.time_ns() + 10**9))
    assert answer(Session(cached_network)) == [7.0, 21.0]


def test_a_cache_that_cannot_be_written_does_no_harm(cached_network: Path) -> None:
    (cached_network.parent / "prepared").write_text("a file where a folder belongs")
    assert answer(Session(cached_network)) == [2.0, 6.0]


def test_another_processor_or_runtime_gets_its_own_form(cached_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = prepared.prepared_folder(cached_network, "1.0")
    assert mine != prepared.prepared_folder(cached_network, "2.0")
    monkeypatch.setattr(prepared, "processor_id", lambda: "another")
    assert mine != prepared.prepared_folder(cached_network, "1.0")
    monkeypatch.setattr(prepared, "processor_id", lambda: None)
    assert prepared.prepared_folder(cached_network, "1.0") is None


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
