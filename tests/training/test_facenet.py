"""FaceNet's readers against the other projects' own networks: random weights, saved by them, read by us, outputs
compared."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.cli import models  # noqa: E402
from sameface.errors import ModelDamagedError, ModelMissingError, SettingError  # noqa: E402
from sameface.training.facenet import adopt_facenet, load_facenet, read_facenet_pytorch, read_keras_h5  # noqa: E402
from sameface.training.facenet.units import units  # noqa: E402
from sameface.training.networks import InceptionResnetV1  # noqa: E402
from tests.left_out import lacking  # noqa: E402


def pictures(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (2, 160, 160, 3), dtype=np.uint8)


def embeddings_of(network: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()


def unlike_at_birth(network: torch.nn.Module) -> None:
    """Random scales and shifts, and statistics of real activations.

    A fresh normalisation does nothing, and hides a reader that forgets it; a random one lets no signal through.
    """
    generator = torch.Generator().manual_seed(1)
    norms = [module for module in network.modules() if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d))]
    with torch.no_grad():
        for norm in norms:
            norm.weight.copy_(torch.rand(norm.weight.shape, generator=generator) + 0.5)
            norm.bias.copy_(0.2 * torch.randn(norm.bias.shape, generator=generator))
            norm.momentum = 1.0
        network.train()
        network(torch.randn(4, 3, 160, 160, generator=generator))
    network.eval()


@pytest.fixture(scope="module")
def facenet_pytorch() -> Any:
    """Its network, from its own file; the package's __init__ needs torchvision, which is not wanted here."""
    found = importlib.util.find_spec("facenet_pytorch")
    if found is None:
        lacking("facenet-pytorch", "make test installs it")
    folder = Path(next(iter(found.submodule_search_locations))) / "models"
    package = types.ModuleType("facenet_models")
    package.__path__ = [str(folder)]
    sys.modules["facenet_models"] = package
    requests = types.ModuleType("requests")
    requests.adapters = types.ModuleType("requests.adapters")
    requests.adapters.HTTPAdapter = object
    stubs = {"requests": requests, "requests.adapters": requests.adapters}
    missing = {name: stub for name, stub in stubs.items() if importlib.util.find_spec("requests") is None}
    sys.modules.update(missing)
    try:
        yield importlib.import_module("facenet_models.inception_resnet_v1").InceptionResnetV1
    finally:
        for name in [*missing, *(name for name in sys.modules if name.startswith("facenet_models"))]:
            sys.modules.pop(name, None)


def test_facenet_pytorchs_file_gives_its_own_embeddings(facenet_pytorch: Any, tmp_path: Path) -> None:
    theirs = facenet_pytorch(pretrained=None, classify=True, num_classes=7).eval()
    unlike_at_birth(theirs)
    torch.save(theirs.state_dict(), tmp_path / "20180402-114759-vggface2.pt")
    theirs.classify = False
    images = pictures()
    with torch.no_grad():
        expected = theirs((torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127.5) / 128).numpy()
    ours, card = load_facenet(tmp_path / "20180402-114759-vggface2.pt")
    assert card.dimension == 512
    np.testing.assert_allclose(embeddings_of(ours, images), expected, atol=1e-4)
    assert np.abs(expected[0] - expected[1]).max() > 1e-2  # the comparison means something


def keras_network(keras: Any, dimension: int) -> Any:
    """FaceNet in Keras by its published layer names, as keras-facenet and DeepFace name them."""
    layers = keras.layers

    def conv(x: Any, filters: int, kernel: Any, name: str, stride: int = 1, padding: str = "same") -> Any:
        x = layers.Conv2D(filters, kernel, strides=stride, padding=padding, use_bias=False, name=name)(x)
        x = layers.BatchNormalization(momentum=0.995, epsilon=0.001, scale=False, name=f"{name}_BatchNorm")(x)
        return layers.ReLU(name=f"{name}_Activation")(x)

    def block(x: Any, name: str, branches: list[list[tuple[int, Any, str]]], scale: float, relu: bool = True) -> Any:
        ends = []
        for number, branch in enumerate(branches):
            y = x
            for filters, kernel, part in branch:
                y = conv(y, filters, kernel, f"{name}_Branch_{number}_Conv2d_{part}")
            ends.append(y)
        mixed = layers.Concatenate(name=f"{name}_Concatenate")(ends)
        up = layers.Conv2D(x.shape[-1], 1, padding="same", name=f"{name}_Conv2d_1x1")(mixed)
        up = layers.Rescaling(scale, name=f"{name}_Scale")(up)
        x = layers.Add(name=f"{name}_Sum")([x, up])
        return layers.ReLU(name=f"{name}_Activation")(x) if relu else x

    def reduction(x: Any, name: str, branches: list[list[tuple[int, str]]]) -> Any:
        ends = []
        for number, branch in enumerate(branches):
            y = x
            for filters, part in branch:
                last = part == "1a_3x3"
                kernel, stride, padding = (3, 2, "valid") if last else (int(part[-1]), 1, "same")
                y = conv(y, filters, kernel, f"{name}_Branch_{number}_Conv2d_{part}", stride, padding)
            ends.append(y)
        ends.append(layers.MaxPooling2D(3, strides=2, name=f"{name}_Branch_{len(branches)}_MaxPool_1a_3x3")(x))
        return layers.Concatenate(name=name)(ends)

    inputs = keras.Input((160, 160, 3))
    x = conv(inputs, 32, 3, "Conv2d_1a_3x3", 2, "valid")
    x = conv(x, 32, 3, "Conv2d_2a_3x3", 1, "valid")
    x = conv(x, 64, 3, "Conv2d_2b_3x3")
    x = layers.MaxPooling2D(3, strides=2, name="MaxPool_3a_3x3")(x)
    x = conv(x, 80, 1, "Conv2d_3b_1x1", 1, "valid")
    x = conv(x, 192, 3, "Conv2d_4a_3x3", 1, "valid")
    x = conv(x, 256, 3, "Conv2d_4b_3x3", 2, "valid")
    for number in range(1, 6):
        branches = [[(32, 1, "1x1")], [(32, 1, "0a_1x1"), (32, 3, "0b_3x3")]]
        branches.append([(32, 1, "0a_1x1"), (32, 3, "0b_3x3"), (32, 3, "0c_3x3")])
        x = block(x, f"Block35_{number}", branches, 0.17)
    x = reduction(x, "Mixed_6a", [[(384, "1a_3x3")], [(192, "0a_1x1"), (192, "0b_3x3"), (256, "1a_3x3")]])
    for number in range(1, 11):
        branches = [[(128, 1, "1x1")], [(128, 1, "0a_1x1"), (128, [1, 7], "0b_1x7"), (128, [7, 1], "0c_7x1")]]
        x = block(x, f"Block17_{number}", branches, 0.1)
    halves = [[(256, "0a_1x1"), (384, "1a_3x3")], [(256, "0a_1x1"), (256, "1a_3x3")]]
    x = reduction(x, "Mixed_7a", [*halves, [(256, "0a_1x1"), (256, "0b_3x3"), (256, "1a_3x3")]])
    for number in range(1, 7):
        branches = [[(192, 1, "1x1")], [(192, 1, "0a_1x1"), (192, [1, 3], "0b_1x3"), (192, [3, 1], "0c_3x1")]]
        x = block(x, f"Block8_{number}", branches, 1.0 if number == 6 else 0.2, relu=number < 6)
    x = layers.GlobalAveragePooling2D(name="AvgPool")(x)
    x = layers.Dense(dimension, use_bias=False, name="Bottleneck")(x)
    x = layers.BatchNormalization(momentum=0.995, epsilon=0.001, scale=False, name="Bottleneck_BatchNorm")(x)
    return keras.Model(inputs, x, name="inception_resnet_v1")


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras on PyTorch; no TensorFlow."""
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def keras_facenet(keras: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = keras_network(keras, 128)
    # Statistics of real activations, made by another network's forward pass; any numbers would do, but few let
    # signal through.
    helper = InceptionResnetV1(dimension=128)
    unlike_at_birth(helper)
    names = {f"{unit.module}.norm": f"{unit.graph_name}_BatchNorm" for unit in units(helper) if unit.normalised}
    for path, name in (names | {"bottleneck_norm": "Bottleneck_BatchNorm"}).items():
        norm, layer = helper.get_submodule(path), model.get_layer(name)
        layer.set_weights([norm.bias.detach().numpy(), norm.running_mean.numpy(), norm.running_var.numpy()])
        if name != "Bottleneck_BatchNorm":
            conv = helper.get_submodule(path.removesuffix("norm") + "conv")
            model.get_layer(name.removesuffix("_BatchNorm")).set_weights(
                [conv.weight.detach().permute(2, 3, 1, 0).numpy()]
            )
    return model


def keras_embeddings(model: Any, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        embeddings = model(torch.from_numpy(inputs.astype(np.float32)), training=False).cpu().numpy()
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def save_whole_model(keras: Any, model: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)


def save_weights_alone(model: Any, path: Path, *, dimension: int | None = None) -> None:
    """The old layout of ``save_weights``: /layer/layer/kernel:0, without Keras 3's own folder names.

    Args:
        dimension: write the last layers for as many numbers, with other weights; None as they are.
    """
    import h5py

    with h5py.File(path, "w") as file:
        for layer in model.layers:
            group = file.create_group(layer.name)
            for weight in layer.weights:
                values = weight.value.detach().cpu().numpy()
                if dimension is not None and layer.name.startswith("Bottleneck"):
                    values = np.resize(values, (*values.shape[:-1], dimension))
                group.create_dataset(f"{layer.name}/{weight.name}:0", data=values)


def test_kerasfacenets_whole_model_gives_its_own_embeddings(
    keras: Any, keras_facenet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_whole_model(keras, keras_facenet, tmp_path / "facenet_keras.h5")
    images = pictures()
    wide = images.astype(np.float64)
    mean, deviation = wide.mean(axis=(1, 2, 3), keepdims=True), wide.std(axis=(1, 2, 3), keepdims=True)
    expected = keras_embeddings(keras_facenet, (wide - mean) / np.maximum(deviation, 1 / np.sqrt(160 * 160 * 3)))
    # As a user types it: sameface models add facenet_keras.h5 --as facenet-128
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    models.add(tmp_path / "facenet_keras.h5", name="facenet-128")
    encoder = sameface.load_encoder("facenet-128")
    assert (encoder.card.id, encoder.card.dimension) == ("facenet-128", 128)
    assert np.abs(expected[0] - expected[1]).max() > 1e-2
    np.testing.assert_allclose(encoder.encode(images), expected, atol=1e-4)
    small = images[:1, ::2, ::2]  # the course's smaller crops are scaled to 160×160
    assert encoder.encode(small).shape == (1, 128)
    # And as a network that can be fine-tuned.
    from sameface.training.tuning.backbone import EncoderBackbone
    from sameface.training.tuning.base import open_base

    again = EncoderBackbone(open_base("facenet-128")).eval()
    with torch.no_grad():
        tuned = torch.nn.functional.normalize(again(torch.from_numpy(images).permute(0, 3, 1, 2)), dim=1).numpy()
    np.testing.assert_allclose(tuned, encoder.encode(images), atol=1e-4)


def test_the_courses_weights_give_its_own_embeddings(keras_facenet: Any, tmp_path: Path) -> None:
    save_weights_alone(keras_facenet, tmp_path / "model.h5")
    (tmp_path / "model.json").write_text(keras_facenet.to_json())
    images = pictures(5)
    ours, _ = load_facenet(tmp_path / "model.h5")
    np.testing.assert_allclose(embeddings_of(ours, images), keras_embeddings(keras_facenet, images / 255), atol=1e-4)


def test_files_that_are_not_facenet_are_refused(tmp_path: Path) -> None:
    import h5py

    with pytest.raises(ModelMissingError):
        read_keras_h5(tmp_path / "none.h5")
    with pytest.raises(ModelMissingError):
        read_facenet_pytorch(tmp_path / "none.pt")
    (tmp_path / "text.h5").write_text("not a model")
    (tmp_path / "text.pt").write_text("not a model")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.create_dataset("dense/dense/kernel:0", data=np.zeros((3, 3)))
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    for name in ("text.h5", "other.h5", "text.pt", "other.pt"):
        with pytest.raises(ModelDamagedError):
            adopt_facenet(tmp_path / name, tmp_path / "x.onnx")
    with pytest.raises(SettingError):
        adopt_facenet(tmp_path / "x.bin", tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_a_small_file_that_declares_gigabytes_is_refused(tmp_path: Path) -> None:
    """HDF5 stores nothing for what was never written."""
    import h5py

    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("Bottleneck/Bottleneck/kernel:0", shape=(75_000, 75_000), dtype="float32")
    assert (tmp_path / "bomb.h5").stat().st_size < 10_000
    with pytest.raises(ModelDamagedError, match="512 MiB"):
        read_keras_h5(tmp_path / "bomb.h5")


def save_renamed(model: Any, path: Path, name_of: Any) -> None:
    """The weights alone, each layer under another name."""
    import h5py

    with h5py.File(path, "w") as file:
        for layer in model.layers:
            group = file.create_group(name_of(layer.name))
            for weight in layer.weights:
                group.create_dataset(f"{weight.name}:0", data=weight.value.detach().cpu().numpy())


@pytest.fixture(scope="module")
def read_by_name(keras_facenet: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """Our network's weights, from a file with the published names of layers."""
    path = tmp_path_factory.mktemp("named") / "named.h5"
    save_weights_alone(keras_facenet, path)
    return read_keras_h5(path).state_dict()


def test_deepfaces_names_of_layers_are_read(
    keras_facenet: Any, read_by_name: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """Its second branches bear the number of their block: ``Block17_3_Branch_3_Conv2d_0a_1x1``; those of ``Block8_6`` are called as elsewhere."""
    import re

    def deepface(name: str) -> str:
        return re.sub(
            r"^(Block17_\d+|Block8_[1-5])_Branch_1_", lambda found: f"{found[1]}_Branch_{found[1].split('_')[1]}_", name
        )

    assert deepface("Block17_3_Branch_1_Conv2d_0a_1x1_BatchNorm") == "Block17_3_Branch_3_Conv2d_0a_1x1_BatchNorm"
    save_renamed(keras_facenet, tmp_path / "facenet_weights.h5", deepface)
    ours = read_keras_h5(tmp_path / "facenet_weights.h5").state_dict()
    assert all(torch.equal(ours[name], value) for name, value in read_by_name.items())


def test_layers_without_names_are_read_by_their_order(
    keras_facenet: Any, read_by_name: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """Keras numbers what is not named, kind by kind, as it is made."""
    kinds = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization", "Dense": "dense"}
    made: dict[str, int] = {}
    names = {}
    for unit in units(InceptionResnetV1(dimension=1)):
        for layer in (unit.graph_name, *([f"{unit.graph_name}_BatchNorm"] if unit.normalised else [])):
            kind = kinds[type(keras_facenet.get_layer(layer)).__name__]
            number = made[kind] = made.get(kind, -1) + 1
            names[layer] = f"{kind}_{number}" if number else kind
    names |= {"Bottleneck": "dense", "Bottleneck_BatchNorm": f"batch_normalization_{made['batch_normalization'] + 1}"}
    save_renamed(keras_facenet, tmp_path / "numbered.h5", lambda name: names.get(name, name))
    ours = read_keras_h5(tmp_path / "numbered.h5").state_dict()
    assert all(torch.equal(ours[name], value) for name, value in read_by_name.items())


def test_512_numbers_have_their_own_standardisation(keras_facenet: Any, tmp_path: Path) -> None:
    """The networks of 2018 were fed (x − 127.5) / 128 and learned from other photos."""
    save_weights_alone(keras_facenet, tmp_path / "facenet512_weights.h5", dimension=512)
    ours, card = load_facenet(tmp_path / "facenet512_weights.h5")
    assert card.dimension == 512
    assert "VGGFace2" in card.training_data
    assert "MS-Celeb" not in card.training_data
    assert ours.intake.kind == "centred"
    assert load_facenet(tmp_path / "facenet512_weights.h5", "keras-facenet")[0].intake.kind == "per-image"
