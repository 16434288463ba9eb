"""Any ONNX network with a card: fed as the card says, refused when card and network do not fit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sameface.encoders import load_encoder
from sameface.encoders.onnx_encoder import OnnxEncoder
from sameface.errors import (
    DeviceUnavailableError,
    ModelCardError,
    ModelDamagedError,
    ModelMissingError,
)
from sameface.models.card import ModelCard
from sameface.models.card_file import write_card
from sameface.models.registry import load_card, locate
from sameface.types import CropsRGB


def write_mean_network(
    path: Path,
    *,
    shape: tuple[Any, ...] = ("m", 3, 8, 8),
    kind: int = TensorProto.FLOAT,
    opset: int = 17,
    outputs: int = 1,
    scale: float = 1.0,
) -> Path:
    """A network whose embedding is the mean of each channel plane, over the last two axes."""
    nodes, results = [], []
    source = "x"
    if kind != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", ["x"], ["xf"], to=TensorProto.FLOAT))
        source = "xf"
    for index in range(outputs):
        nodes += [
            helper.make_node("ReduceMean", [source], [f"mean{index}"], axes=[2, 3], keepdims=0),
            helper.make_node("Mul", [f"mean{index}", "scale"], [f"y{index}"]),
        ]
        results.append(helper.make_tensor_value_info(f"y{index}", TensorProto.FLOAT, [shape[0], shape[1]]))
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        results,
        [numpy_helper.from_array(np.array(scale, np.float32), "scale")],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset)])
    path.write_bytes(model.SerializeToString())
    return path


def card(**changes: Any) -> ModelCard:
    fields: dict[str, Any] = {"dimension": 3, "input_size_wh": (8, 8)}
    return ModelCard("mine", "encoder", "Mine", "MIT", "yes", **(fields | changes))


@pytest.fixture
def colours() -> CropsRGB:
    """Two crops of one colour each."""
    return np.broadcast_to(np.array([[10, 20, 30], [200, 100, 0]], np.uint8)[:, None, None, :], (2, 8, 8, 3)).copy()


def test_channels_go_in_the_cards_order(tmp_path: Path, colours: CropsRGB) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    assert OnnxEncoder(network, card()).encode(colours).tolist() == [[10, 20, 30], [200, 100, 0]]
    assert OnnxEncoder(network, card(colour="bgr")).encode(colours).tolist() == [[30, 20, 10], [0, 100, 200]]


@pytest.mark.parametrize(
    ("normalisation", "ten"),
    [("x/255", 10 / 255), ("(x-127.5)/128", (10 - 127.5) / 128), ("(x-127.5)/127.5", (10 - 127.5) / 127.5)],
)
def test_pixels_are_normalised_as_named(tmp_path: Path, colours: CropsRGB, normalisation: str, ten: float) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    found = OnnxEncoder(network, card(normalisation=normalisation)).encode(colours)
    assert found[0, 0] == pytest.approx(ten, abs=1e-5)


def test_mean_and_std_follow_the_networks_channel_order(tmp_path: Path, colours: CropsRGB) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    mine = card(normalisation="mean-std", mean=(10.0, 20.0, 30.0), std=(1.0, 2.0, 5.0))
    np.testing.assert_allclose(OnnxEncoder(network, mine).encode(colours), [[0, 0, 0], [190, 40, -6]], atol=1e-4)


def test_prewhitening_makes_each_picture_zero_mean_and_unit_deviation(tmp_path: Path) -> None:
    picture = np.zeros((1, 8, 8, 3), np.uint8)
    picture[..., 0] = 100  # a third of all numbers is 100: mean 100/3, deviation 100·√2/3
    found = OnnxEncoder(write_mean_network(tmp_path / "n.onnx"), card(normalisation="per-image")).encode(picture)
    np.testing.assert_allclose(found, [[2**0.5, -(2**-0.5), -(2**-0.5)]], atol=1e-5)


def test_bytes_in_the_nhwc_order(tmp_path: Path) -> None:
    network = write_mean_network(tmp_path / "n.onnx", shape=("m", 8, 8, 3), kind=TensorProto.UINT8)
    rows = np.zeros((1, 8, 8, 3), np.uint8)
    rows[0, 2] = 9
    found = OnnxEncoder(network, card(layout="nhwc", dimension=8)).encode(rows)
    assert found.tolist() == [[0, 0, 9, 0, 0, 0, 0, 0]]


def test_a_network_of_fixed_batch_takes_any_number(tmp_path: Path, colours: CropsRGB) -> None:
    many = np.concatenate([colours] * 4)[:7]
    fixed = OnnxEncoder(write_mean_network(tmp_path / "f.onnx", shape=(4, 3, 8, 8)), card()).encode(many)
    free = OnnxEncoder(write_mean_network(tmp_path / "n.onnx"), card()).encode(many)
    np.testing.assert_array_equal(fixed, free)


def test_views_are_averaged_then_scaled_to_unit_length(tmp_path: Path, colours: CropsRGB) -> None:
    network = write_mean_network(tmp_path / "n.onnx")
    found = OnnxEncoder(network, card(views=("plain", "mirror"), unit_length=True)).encode(colours)
    by_hand = [np.array(row) / np.linalg.norm(row) for row in ([10, 20, 30], [200, 100, 0])]
    np.testing.assert_allclose(found, by_hand, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dimension": 4}, "dimension 4"),
        ({"input_size_wh": (9, 8)}, "input of"),
        ({"layout": "nhwc"}, "input of"),
    ],
)
def test_a_card_that_lies_is_caught_at_loading(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelCardError, match=said):
        OnnxEncoder(write_mean_network(tmp_path / "n.onnx"), card(**changes))


def test_a_lie_that_only_the_answer_shows_is_caught_there(tmp_path: Path, colours: CropsRGB) -> None:
    network = write_mean_network(tmp_path / "n.onnx", shape=("m", "c", "h", "w"))
    encoder = OnnxEncoder(network, card(dimension=7))
    with pytest.raises(ModelCardError, match="dimension of 7"):
        encoder.encode(colours)


def test_two_outputs_that_could_both_be_meant(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match="one output"):
        OnnxEncoder(write_mean_network(tmp_path / "n.onnx", outputs=2), card())


def test_doubles_and_normalised_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match="float32 or uint8"):
        OnnxEncoder(write_mean_network(tmp_path / "d.onnx", kind=TensorProto.DOUBLE), card())
    network = write_mean_network(tmp_path / "b.onnx", kind=TensorProto.UINT8)
    with pytest.raises(ModelCardError, match="takes bytes"):
        OnnxEncoder(network, card(normalisation="x/255"))


def test_answers_that_are_not_finite_are_refused(tmp_path: Path, colours: CropsRGB) -> None:
    network = write_mean_network(tmp_path / "n.onnx", scale=float("inf"))
    with pytest.raises(ModelDamagedError, match="NaN or infinity"):
        OnnxEncoder(network, card()).encode(colours)


def test_an_opset_of_the_future_is_refused(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "n.onnx")
    model = onnx.load(path)
    model.opset_import[0].version = 999
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelDamagedError, match="opset"):
        OnnxEncoder(path, card())


def test_external_data_that_is_missing_is_refused(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "n.onnx")
    model = onnx.load(path)
    big = numpy_helper.from_array(np.zeros(3000, np.float32), "unused")
    model.graph.initializer.append(big)
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelDamagedError):
        OnnxEncoder(path, card())


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x09" * 50])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "n.onnx").write_bytes(content)
    with pytest.raises(ModelDamagedError):
        OnnxEncoder(tmp_path / "n.onnx", card())


def test_a_network_with_several_inputs_is_no_encoder(tmp_path: Path, data: Path) -> None:
    detector = load_card("scrfd-500m")
    with pytest.raises(ModelCardError, match="is a detector"):
        load_encoder("scrfd-500m")
    with pytest.raises(ModelCardError, match="output"):
        OnnxEncoder(data / "models" / detector.files[0].name, card(input_size_wh=(640, 640), dimension=128))


def test_a_network_by_path_with_its_card_beside_it(tmp_path: Path, colours: CropsRGB) -> None:
    write_mean_network(tmp_path / "mine.onnx")
    (tmp_path / "mine.toml").write_text(write_card(card()))
    for name in (tmp_path / "mine.onnx", tmp_path / "mine.toml", str(tmp_path / "mine.onnx")):
        assert load_encoder(name).encode(colours).tolist() == [[10, 20, 30], [200, 100, 0]]
    (tmp_path / "mine.toml").unlink()
    with pytest.raises(ModelCardError, match=r"mine\.toml"):
        load_encoder(tmp_path / "mine.onnx")


def test_a_path_card_pins_its_network(tmp_path: Path) -> None:
    from sameface.models.card import WeightsFile

    write_mean_network(tmp_path / "mine.onnx")
    (tmp_path / "mine.toml").write_text(write_card(card(files=(WeightsFile("mine.onnx", "0" * 64),))))
    with pytest.raises(ModelDamagedError, match="sha256"):
        load_encoder(tmp_path / "mine.onnx")


def test_a_network_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        OnnxEncoder(tmp_path / "nix.onnx", card())
    (tmp_path / "mine.toml").write_text(write_card(card()))
    with pytest.raises((ModelMissingError, ModelCardError)):
        load_encoder(tmp_path / "mine.onnx")


def test_a_device_that_is_not_there_is_never_a_silent_cpu(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailableError, match="cpu"):
        load_encoder("dlib-resnet", device="quantum")
    assert OnnxEncoder(write_mean_network(tmp_path / "n.onnx"), card()).device == "cpu"


def test_conversion_happens_once_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    shares: list[float] = []
    load_encoder("dlib-resnet", progress=shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    again: list[float] = []
    load_encoder("dlib-resnet-mirror", progress=again.append)
    assert again == []
    assert len(list((tmp_path / "models").glob("*.onnx"))) == 1


def test_the_weights_are_needed_once_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    source = locate(load_card("dlib-resnet"))[0]
    broken = tmp_path / "package" / "models"
    broken.mkdir(parents=True)
    shutil.copy(source, broken / source.name)
    with (broken / source.name).open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\x00\x01\x02\x03")
    monkeypatch.setattr("sameface.models.registry.package_folder", lambda package: tmp_path / "package")
    with pytest.raises(ModelDamagedError, match="sha256"):
        load_encoder("dlib-resnet")
    assert not list((tmp_path / "cache").glob("models/*"))  # nothing half-written
