"""FaceNet weights of facenet-pytorch: ``20180402-114759-vggface2.pt`` and ``20180408-102900-casia-webface.pt``."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sameface.errors import ModelDamagedError, ModelMissingError
from sameface.training.facenet.units import Unit, units
from sameface.training.networks.inception_resnet_v1 import InceptionResnetV1


def read_facenet_pytorch(path: Path) -> InceptionResnetV1:
    """Read a state dict into our network. The classifier that rides along (``logits``) is left out.

    Returns:
        The network in evaluation mode, usually of dimension 512.

    Raises:
        ModelMissingError: no such file.
        ModelDamagedError: not a state dict of tensors alone, or of another network.
    """
    if not path.is_file():
        raise ModelMissingError(expected=f"a weights file at {path}", got="nothing there", advice="check the path")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise ModelDamagedError(
            expected="a PyTorch file of tensors",
            got=f"{path.name}: {(str(error) or type(error).__name__).splitlines()[0][:200]}",
            advice="fetch it again; it may be cut short, or hold code, which is never run here",
        ) from error
    if not isinstance(theirs, dict) or not isinstance(theirs.get("last_linear.weight"), Tensor):
        raise ModelDamagedError(
            expected="the state dict of facenet-pytorch's InceptionResnetV1",
            got=f"{path.name}, something else",
            advice="give a .pt file of facenet-pytorch",
        )
    with torch.device("meta"):  # no weights are drawn: all come from the file
        network = InceptionResnetV1(dimension=len(theirs["last_linear.weight"]))
    state: dict[str, Tensor] = {}
    wanted = network.state_dict()
    try:
        for unit in units(network):
            name = _their_name(unit)
            if unit.normalised:
                state[f"{unit.module}.conv.weight"] = theirs[f"{name}.conv.weight"]
                state |= _normalisation(theirs, f"{name}.bn", f"{unit.module}.norm")
            else:
                state[f"{unit.module}.weight"] = theirs[f"{name}.weight"]
                state[f"{unit.module}.bias"] = theirs[f"{name}.bias"]
        state["bottleneck.weight"] = theirs["last_linear.weight"]
        state |= _normalisation(theirs, "last_bn", "bottleneck_norm")
        network.load_state_dict({name: value.to(wanted[name].dtype) for name, value in state.items()}, assign=True)
    except (KeyError, RuntimeError) as error:
        raise ModelDamagedError(
            expected="the layers of facenet-pytorch's InceptionResnetV1",
            got=f"{path.name}: {' '.join(str(error).split())[:300]}",
            advice="give a .pt file of facenet-pytorch",
        ) from error
    return network.eval()


def _normalisation(theirs: dict[str, Tensor], name: str, module: str) -> dict[str, Tensor]:
    parts = {part: theirs[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}
    return {f"{module}.{part}": value for part, value in parts.items()} | {
        f"{module}.num_batches_tracked": torch.tensor(0)
    }


def _their_name(unit: Unit) -> str:
    """Their path of a convolution: stages are ``repeat_1`` … ``repeat_3`` and ``block8``, branches ``branch0`` …"""
    if unit.module.startswith("stem."):
        return unit.module.removeprefix("stem.").rpartition("_")[0]  # conv2d_1a_3x3 → conv2d_1a
    module = unit.module
    stage, _, rest = module.partition(".")
    if stage in {"mixed_6a", "mixed_7a"}:
        prefix = stage
    else:
        number, _, rest = rest.partition(".")
        last = stage == "block8" and number == "5"
        prefix = "block8" if last else f"repeat_{ {'block35': 1, 'block17': 2, 'block8': 3}[stage] }.{number}"
    if rest == "conv2d_1x1":
        return f"{prefix}.conv2d"
    matched = re.fullmatch(r"branches\.(\d)\.conv2d_(?:\d[a-z]_)?\dx\d", rest)
    assert matched is not None, rest
    branch = matched[1]
    return f"{prefix}.branch{branch}" + (f".{_place(rest, prefix)}" if _in_chain(rest, prefix) else "")


def _in_chain(rest: str, prefix: str) -> bool:
    """Whether the branch has several convolutions: those are numbered, a lone one is not."""
    lone = rest.endswith(".conv2d_1x1") or (prefix == "mixed_6a" and rest.startswith("branches.0."))
    return not lone


def _place(rest: str, prefix: str) -> int:
    """Number of a convolution within its branch: 0a, 0b, 0c count up; 1a, where present, comes last."""
    name = rest.rpartition(".")[2].removeprefix("conv2d_")
    if name.startswith("0"):
        return "abc".index(name[1])
    return 2 if (prefix, rest.split(".")[1]) in {("mixed_6a", "1"), ("mixed_7a", "2")} else 1
