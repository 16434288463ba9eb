"""State dicts of before PyTorch 1.6: read as PyTorch itself reads them, and nothing in them runs."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from sameface.errors import ModelDamagedError
from sameface.models.torch_state import read_state
from tests.conftest import needed

torch = pytest.importorskip("torch")


def saved(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@pytest.mark.parametrize("name", ["2.7_80x80_MiniFASNetV2.pth", "4_0_0_80x80_MiniFASNetV1SE.pth"])
def test_the_published_files_as_pytorch_reads_them(data: Path, name: str) -> None:
    path = needed(data / "models" / name, f"{name} among the research data")
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    ours = read_state(path.read_bytes(), name)
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        assert ours[key].dtype == value.numpy().dtype
        np.testing.assert_array_equal(ours[key], value.numpy())


def test_tensors_that_share_a_storage() -> None:
    whole = torch.arange(12, dtype=torch.float32)
    ours = read_state(saved(OrderedDict(whole=whole, part=whole[4:10].view(2, 3))), "shared")
    np.testing.assert_array_equal(ours["part"], [[4, 5, 6], [7, 8, 9]])


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("false",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 50,
        pickle.dumps(Evil()),
        pickle.dumps(0x1950A86A20F9469CFC6C) + pickle.dumps(1001) + pickle.dumps({}) + pickle.dumps(Evil()),
        saved({"a": torch.zeros(3)})[:-2],
        saved({"a": torch.zeros(4, 4).t()[1:]}),
        saved({"a": 1}),
        saved([torch.zeros(2)]),
        saved(torch.nn.Linear(2, 2)),
    ],
    ids=["nothing", "zeros", "code", "code inside", "cut", "strides", "number", "list", "module"],
)
def test_what_is_no_dict_of_tensors_is_refused(data: bytes) -> None:
    with pytest.raises(ModelDamagedError):
        read_state(data, "bad")


@pytest.mark.parametrize("at", range(0, 700, 7))
def test_flipped_bytes_never_do_anything_else_than_fail_or_read(at: int) -> None:
    whole = bytearray(saved(OrderedDict(a=torch.zeros(3), b=torch.ones(2))))
    whole[at % len(whole)] ^= 0x55
    with contextlib.suppress(ModelDamagedError):
        read_state(bytes(whole), "flipped")
