"""FaceNet weights in Keras' HDF5 files, read without Keras or TensorFlow.

Read are the files of keras-facenet (``facenet_keras.h5``, ``facenet_keras_weights.h5``), of DeepFace
(``facenet_weights.h5``, ``facenet512_weights.h5``) and of the deep-learning course (``model.h5`` beside
``model.json``): whole models and weights alone, by the layer names of TensorFlow's graph, by DeepFace's, or by order.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from sameface.errors import ExtraMissingError, ModelDamagedError, ModelMissingError
from sameface.training.facenet.units import units
from sameface.training.networks.inception_resnet_v1 import InceptionResnetV1

Arrays = dict[str, npt.NDArray[np.float32]]

#: Bytes that all weights of a file may take; FaceNet's largest take 110 million.
_LARGEST: Final = 512 << 20


def read_keras_h5(path: Path) -> InceptionResnetV1:
    """Read a file into our network.

    Returns:
        The network in evaluation mode; its dimension is the file's (128 or 512).

    Raises:
        ModelMissingError: no such file.
        ModelDamagedError: not HDF5, or a layer is missing or of another shape.
    """
    layers = _renamed(_layers(path))
    dimension = int(_array(layers, "Bottleneck", "kernel", path).shape[1])
    with torch.device("meta"):  # no weights are drawn: all come from the file
        network = InceptionResnetV1(dimension=dimension)
    state: dict[str, torch.Tensor] = {}
    for unit in units(network):
        # Keras orders a kernel (h, w, in, out), PyTorch (out, in, h, w).
        kernel = _array(layers, unit.graph_name, "kernel", path).transpose(3, 2, 0, 1)
        if unit.normalised:
            state[f"{unit.module}.conv.weight"] = _tensor(kernel)
            state |= _normalisation(layers, f"{unit.graph_name}_BatchNorm", f"{unit.module}.norm", path)
        else:
            state[f"{unit.module}.weight"] = _tensor(kernel)
            state[f"{unit.module}.bias"] = _tensor(_array(layers, unit.graph_name, "bias", path))
    state["bottleneck.weight"] = _tensor(_array(layers, "Bottleneck", "kernel", path).T)
    state |= _normalisation(layers, "Bottleneck_BatchNorm", "bottleneck_norm", path)
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ModelDamagedError(
            expected="the layers of FaceNet's Inception-ResNet-v1",
            got=f"{path.name}: {' '.join(str(error).split())[:300]}",
            advice="give a FaceNet file of keras-facenet, DeepFace or the course",
        ) from error
    return network.eval()


def _renamed(layers: dict[str, Arrays]) -> dict[str, Arrays]:
    """The layers by the names of TensorFlow's graph, whichever names the file has: those, DeepFace's, or Keras' own numbers, which count the
    layers as they were made."""
    if "Bottleneck" not in layers:
        return _by_order(layers)
    with torch.device("meta"):
        named = list(units(InceptionResnetV1(dimension=1)))
    for unit in named:
        if unit.graph_name not in layers and unit.other_name in layers:
            for end in ("", "_BatchNorm"):
                if unit.other_name + end in layers:
                    layers[unit.graph_name + end] = layers[unit.other_name + end]
    return layers


def _by_order(layers: dict[str, Arrays]) -> dict[str, Arrays]:
    """``conv2d``, ``conv2d_1`` … and ``batch_normalization`` … taken in their order; as they are where their number or shapes are others."""

    def numbered(kind: str) -> list[Arrays]:
        found = {name: int(name[len(kind) + 1 :] or 0) for name in layers if re.fullmatch(rf"{kind}(_\d+)?", name)}
        return [layers[name] for name in sorted(found, key=found.__getitem__)]

    convolutions, normalisations, dense = (numbered(kind) for kind in ("conv2d", "batch_normalization", "dense"))
    with torch.device("meta"):
        network = InceptionResnetV1(dimension=1)
        named = list(units(network))
    weights = [f"{unit.module}.conv.weight" if unit.normalised else f"{unit.module}.weight" for unit in named]
    shapes = [tuple(network.get_parameter(name).shape) for name in weights]
    given = [
        tuple(layer["kernel"].transpose(3, 2, 0, 1).shape) for layer in convolutions if layer.get("kernel") is not None
    ]
    if shapes != given or len(dense) != 1 or len(normalisations) != sum(unit.normalised for unit in named) + 1:
        return layers
    *inner, last = normalisations
    renamed = dict(zip((unit.graph_name for unit in named), convolutions, strict=True))
    renamed |= dict(zip((f"{unit.graph_name}_BatchNorm" for unit in named if unit.normalised), inner, strict=True))
    return renamed | {"Bottleneck": dense[0], "Bottleneck_BatchNorm": last}


def _normalisation(layers: dict[str, Arrays], name: str, module: str, path: Path) -> dict[str, torch.Tensor]:
    shift = _array(layers, name, "beta", path)
    scale = layers[name].get("gamma")  # these networks were trained without a scale
    return {
        f"{module}.weight": _tensor(scale) if scale is not None else torch.ones(len(shift)),
        f"{module}.bias": _tensor(shift),
        f"{module}.running_mean": _tensor(_array(layers, name, "moving_mean", path)),
        f"{module}.running_var": _tensor(_array(layers, name, "moving_variance", path)),
        f"{module}.num_batches_tracked": torch.tensor(0),
    }


def _tensor(array: npt.NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _array(layers: dict[str, Arrays], layer: str, name: str, path: Path) -> npt.NDArray[np.float32]:
    if name not in layers.get(layer, {}):
        raise ModelDamagedError(
            expected=f"a layer {layer} with {name}, as FaceNet's Inception-ResNet-v1 has",
            got=f"{path.name} with {len(layers)} layers, without it",
            advice="give a FaceNet file of keras-facenet, DeepFace or the course",
        )
    return layers[layer][name]


def _layers(path: Path) -> dict[str, Arrays]:
    """Arrays by layer and short name (``kernel``), however deep the file nests them."""
    try:
        import h5py  # type: ignore[import-untyped]
    except ImportError as error:
        raise ExtraMissingError(
            expected="h5py, which reads Keras files",
            got="an installation without it",
            advice='run `pip install "sameface[train]"`',
        ) from error
    if not path.is_file():
        raise ModelMissingError(expected=f"a weights file at {path}", got="nothing there", advice="check the path")
    found: dict[str, Arrays] = {}
    room = _LARGEST

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and "optimizer_weights" not in name:
            nonlocal room
            room -= item.nbytes
            if room < 0:  # a few bytes of HDF5 can declare any number of zeros
                raise ModelDamagedError(
                    expected=f"weights of {_LARGEST >> 20} MiB at most",
                    got=f"{name} in {path.name}, of shape {item.shape}",
                    advice="give a FaceNet file of keras-facenet, DeepFace or the course",
                )
            *folders, last = name.split("/")
            layer = next((folder for folder in folders if folder != "model_weights"), "")
            found.setdefault(layer, {})[last.partition(":")[0]] = np.asarray(item, dtype=np.float32)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(take)
    except OSError as error:
        raise ModelDamagedError(
            expected="an HDF5 file",
            got=f"{path.name}: {str(error)[:200]}",
            advice="fetch it again; it may be cut short",
        ) from error
    return found
