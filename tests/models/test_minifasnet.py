"""The rewritten networks against a PyTorch module, layer by layer as the publisher's code defines them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sameface.errors import ModelDamagedError
from sameface.models.minifasnet import write_onnx
from sameface.models.registry import load_card
from sameface.models.runtime import Session
from sameface.models.torch_state import read_state
from tests.conftest import needed

torch = pytest.importorskip("torch")
nn = torch.nn


def block(
    inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, pad: int = 0, groups: int = 1, last: Any = None
) -> Any:
    """A convolution, its normalisation and, unless it is the last of its group, PReLU."""
    layers = {
        "conv": nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups, bias=False),
        "bn": nn.BatchNorm2d(outputs),
    }
    if not last:
        layers["prelu"] = nn.PReLU(outputs)
    return nn.Sequential(layers_of(layers))


def layers_of(layers: dict[str, Any]) -> Any:
    from collections import OrderedDict

    return OrderedDict(layers)


class Excitation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1, self.bn1 = nn.Conv2d(channels, channels // 4, 1, bias=False), nn.BatchNorm2d(channels // 4)
        self.fc2, self.bn2 = nn.Conv2d(channels // 4, channels, 1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x: Any) -> Any:
        weights = torch.relu(self.bn1(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(self.bn2(self.fc2(weights)))


class Group(nn.Module):
    def __init__(self, inputs: int, inner: int, outputs: int, *, stride: int = 1, excited: bool = False) -> None:
        super().__init__()
        self.conv = block(inputs, inner)
        self.conv_dw = block(inner, inner, kernel=3, stride=stride, pad=1, groups=inner)
        self.project = block(inner, outputs, last=True)
        self.added = stride == 1
        if excited:
            self.se_module = Excitation(outputs)

    def forward(self, x: Any) -> Any:
        out = self.project(self.conv_dw(self.conv(x)))
        if hasattr(self, "se_module"):
            out = self.se_module(out)
        return x + out if self.added else out


class Stage(nn.Module):
    def __init__(self, channels: int, inner: list[int], *, excited: bool) -> None:
        super().__init__()
        last = len(inner) - 1
        groups = [
            Group(channels, width, channels, excited=excited and place == last) for place, width in enumerate(inner)
        ]
        self.model = nn.Sequential(*groups)

    def forward(self, x: Any) -> Any:
        return self.model(x)


class MiniFASNet(nn.Module):
    """Widths as published: "1.8M_" for V2, "1.8M" for V1SE."""

    def __init__(self, widths: tuple[list[int], list[int], list[int]], *, excited: bool) -> None:
        super().__init__()
        first, second, third = widths
        self.conv1 = block(3, 32, kernel=3, stride=2, pad=1)
        self.conv2_dw = block(32, 32, kernel=3, pad=1, groups=32)
        self.conv_23, self.conv_3 = Group(32, 103, 64, stride=2), Stage(64, first, excited=excited)
        self.conv_34, self.conv_4 = Group(64, 231, 128, stride=2), Stage(128, second, excited=excited)
        self.conv_45, self.conv_5 = Group(128, 308, 128, stride=2), Stage(128, third, excited=excited)
        self.conv_6_sep = block(128, 512)
        self.conv_6_dw = block(512, 512, kernel=5, groups=512, last=True)
        self.linear, self.bn, self.prob = (
            nn.Linear(512, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.Linear(128, 3, bias=False),
        )

    def forward(self, x: Any) -> Any:
        for name in (
            "conv1",
            "conv2_dw",
            "conv_23",
            "conv_3",
            "conv_34",
            "conv_4",
            "conv_45",
            "conv_5",
            "conv_6_sep",
            "conv_6_dw",
        ):
            x = getattr(self, name)(x)
        return torch.softmax(self.prob(self.bn(self.linear(x.flatten(1)))), 1)


THEIRS = {
    "minifasnet-v2": MiniFASNet(([13, 13, 13, 13], [231, 52, 26, 77, 26, 26], [26, 26]), excited=False),
    "minifasnet-v1se": MiniFASNet(([13, 26, 13, 52], [154, 52, 26, 52, 26, 26], [26, 26]), excited=True),
}


@pytest.mark.parametrize("name", THEIRS)
def test_parity_with_pytorch(data: Path, tmp_path: Path, name: str) -> None:
    path = needed(data / "models" / load_card(name).files[0].name, f"the weights of {name}")
    state = read_state(path.read_bytes(), name)
    theirs = THEIRS[name].eval()
    theirs.load_state_dict({key.removeprefix("module."): torch.tensor(value) for key, value in state.items()})
    write_onnx(state, tmp_path / "net.onnx", name=name)
    pictures = np.random.default_rng(5).integers(0, 256, (6, 80, 80, 3), dtype=np.uint8)
    pictures[3:] = pictures[3:] // 4 + 96  # not only noise
    (ours,) = Session(tmp_path / "net.onnx").run({"image": pictures})
    blue_first = torch.tensor(pictures[..., ::-1].copy()).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        expected = theirs(blue_first).numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert np.ptp(expected[:, 1]) > 0.01, "the pictures must not all look alike to it"


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamagedError, match="MiniFASNet"):
        write_onnx({"linear.weight": np.zeros((3, 3), np.float32)}, tmp_path / "net.onnx", name="other.pth")
