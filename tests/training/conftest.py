"""Tiny people: pictures that a tiny network learns to tell apart in seconds."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from sameface.training.networks import NetworkSpec  # noqa: E402
from sameface.training.pictures import Pictures  # noqa: E402

TINY = NetworkSpec("convnet", 12, 1, 8, intake="unit", options={"widths": (8, 16)})


@pytest.fixture(autouse=True)
def begins_from_one_random_state() -> None:
    """No test draws what another one left over."""
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def operators_are_read_once() -> Iterator[None]:
    """For each export PyTorch reads its five hundred operators of ONNX from their sources, and changes nothing of them."""
    from torch.onnx._internal.exporter import _registration

    with pytest.MonkeyPatch.context() as patch:
        read = functools.cache(_registration.ONNXRegistry.from_torchlib)
        patch.setattr(_registration.ONNXRegistry, "from_torchlib", staticmethod(read))
        yield


def make_people(people: int = 8, photos: int = 6, *, side: int = 12, seed: int = 0, noise: float = 25) -> Pictures:
    """Smooth random patterns, one a person, with noise that differs from photo to photo."""
    random = np.random.default_rng(seed)
    rows, labels = [], []
    for person in range(people):
        pattern = np.kron(random.uniform(40, 215, size=(4, 4)), np.ones((side // 4, side // 4)))
        for _ in range(photos):
            rows.append(np.clip(pattern + random.normal(0, noise, pattern.shape), 0, 255).astype(np.uint8))
            labels.append(person)
    pixels = torch.from_numpy(np.stack(rows))[:, None]
    return Pictures(pixels, np.array(labels), tuple(f"person {number}" for number in range(people)))


def write_people(folder: Path, people: int = 8, photos: int = 5) -> Path:
    """The same as files: a folder a person."""
    pictures = make_people(people, photos, side=24)
    for number, label in enumerate(pictures.labels):
        path = folder / pictures.people[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures.pixels[number, 0].numpy()).save(path)
    return folder


@pytest.fixture
def people() -> Pictures:
    return make_people()


@pytest.fixture
def tiny() -> NetworkSpec:
    return TINY
