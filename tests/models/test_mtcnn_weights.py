"""MTCNN's weights: what the reader refuses, and the rewritten networks against the layers as they are defined."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import lz4.frame
import numpy as np
import pytest

from sameface.errors import ModelDamagedError
from sameface.models.mtcnn_weights import SHA256, mtcnn_network, read_arrays
from sameface.models.registry import package_folder
from sameface.models.runtime import Session


def source(name: str) -> bytes:
    folder = package_folder("mtcnn")
    assert folder is not None
    return (Path(folder) / "assets" / "weights" / f"{name}.lz4").read_bytes()


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("false",)


@pytest.mark.parametrize("what", [Evil(), [Evil()], {"a": 1}, [1, 2], io.BytesIO(b"x").getvalue()])
def test_only_arrays_come_in(what: object) -> None:
    with pytest.raises(ModelDamagedError):
        read_arrays(lz4.frame.compress(pickle.dumps(what)), "evil")


def test_cut_or_other_files() -> None:
    whole = source("pnet")
    for data in (b"", b"\0" * 100, whole[:-100], whole[: len(whole) // 2]):
        with pytest.raises(ModelDamagedError):
            read_arrays(data, "cut")


def test_the_digest_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "mtcnn" / "assets" / "weights"
    weights.mkdir(parents=True)
    (tmp_path / "mtcnn" / "__init__.py").touch()
    (weights / "pnet.lz4").write_bytes(source("rnet"))
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelDamagedError, match=SHA256["pnet"]):
        mtcnn_network("pnet")
    assert not list((tmp_path / "cache").rglob("*.onnx"))


# -- the networks as defined in the paper and the package, in plain NumPy ------------------------------------------------
def convolved(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    rows, columns = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(0, 1))
    return np.einsum("yxirc,rcio->yxo", windows, kernel) + bias


def bent(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + slope.ravel() * np.minimum(x, 0)


def pooled(x: np.ndarray, size: int, same: bool) -> np.ndarray:
    height, width = x.shape[:2]
    if same:
        rows, columns = -(-height // 2), -(-width // 2)
        padding = ((0, (rows - 1) * 2 + size - height), (0, (columns - 1) * 2 + size - width), (0, 0))
        x = np.pad(x, [(0, max(0, after)) for _, after in padding], constant_values=-np.inf)
    rows, columns = (x.shape[0] - size) // 2 + 1, (x.shape[1] - size) // 2 + 1
    return np.stack(
        [[x[2 * r : 2 * r + size, 2 * c : 2 * c + size].max(axis=(0, 1)) for c in range(columns)] for r in range(rows)]
    )


def defined(name: str, image: np.ndarray) -> tuple[np.ndarray, ...]:
    w = iter([array.astype(np.float64) for array in read_arrays(source(name), name)])
    x = (image.astype(np.float64) - 127.5) / 128
    pools = {"pnet": [(2, True)], "rnet": [(3, True), (3, False)], "onet": [(3, True), (3, False), (2, True)]}[name]
    for layer in range({"pnet": 3, "rnet": 3, "onet": 4}[name]):
        x = bent(convolved(x, next(w), next(w)), next(w))
        if layer < len(pools):
            x = pooled(x, *pools[layer])
    if name == "pnet":
        box, both = convolved(x, next(w), next(w)), convolved(x, next(w), next(w))
        return both[..., 1] - both[..., 0], box
    x = bent(x.transpose(1, 0, 2).reshape(-1) @ next(w) + next(w), next(w))
    heads = [x @ next(w) + next(w) for _ in range(2 if name == "rnet" else 3)]
    both = heads.pop()
    return (both[1] - both[0], *heads)


@pytest.mark.parametrize(("name", "size"), [("pnet", (23, 30)), ("rnet", (24, 24)), ("onet", (48, 48))])
def test_rewritten_networks_are_the_same_function(name: str, size: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    session = Session(mtcnn_network(name))
    outputs = session.run({"image": image})
    for n in range(2):
        face, *others = defined(name, image[n])
        assert outputs[0][n, 0].squeeze() == pytest.approx(face, abs=2e-4)
        for output, expected in zip(outputs[1:], others, strict=True):
            assert output[n].transpose(1, 2, 0).squeeze() == pytest.approx(expected, abs=2e-4)
