"""A PyTorch state dict of before 1.6, read without PyTorch and without running anything in it.

Such a file is a row of pickles (a magic number, a version, facts about the machine, the dict, the keys of its storages), and then each storage: a
count of 8 bytes and the raw numbers. A pickle is a program; the reader here admits the few names that put tensors together, each stands for a
plain function of ours, and everything else is refused.

Source: the behaviour of ``torch.save(…, _use_new_zipfile_serialization=False)``, checked against ``torch.load`` (tests/models/test_torch_state.py).
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001
_DTYPES: Final = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
#: Larger files are no network that is read here.
_LARGEST: Final = 256 * 2**20


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    numbers: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]


class _Names(dict[str, Any]):
    """Stands for an OrderedDict; what PyTorch hangs on to it (versions of modules) is let go."""

    def __setstate__(self, state: object) -> None:
        """Nothing of it is needed."""


def read_state(data: bytes, name: str) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a file, by name.

    Args:
        data: the file.
        name: what to call it in errors.

    Returns:
        float32 and int64 arrays, in the file's order.

    Raises:
        ModelDamagedError: cut short, of another form, or with something in it that is no tensor.
    """
    try:
        if len(data) > _LARGEST:
            raise pickle.UnpicklingError(f"{len(data):,} bytes")
        return _read(io.BytesIO(data))
    except (
        pickle.UnpicklingError,
        struct.error,
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelDamagedError(
            expected=f"a PyTorch state dict of tensors alone in {name}",
            got=(str(error) or type(error).__name__)[:200],
            advice="fetch it again; it may be cut short, or hold code, which is never run here",
        ) from error


def _read(file: io.BytesIO) -> dict[str, npt.NDArray[Any]]:
    if _OnlyTensors(file).load() != _MAGIC or _OnlyTensors(file).load() != _VERSION:
        raise pickle.UnpicklingError("another kind of file")
    _OnlyTensors(file).load()  # sizes of C's types where it was written
    tensors = _OnlyTensors(file).load()
    keys = _OnlyTensors(file).load()
    if not isinstance(tensors, dict) or not all(isinstance(item, _Tensor) for item in tensors.values()):
        raise pickle.UnpicklingError("something else than a dict of tensors")
    wanted = {item.storage.key: item.storage for item in tensors.values()}
    storages = {key: _numbers(file, wanted[key]) for key in keys}
    return {str(name): _view(item, storages[item.storage.key]) for name, item in tensors.items()}


def _numbers(file: io.BytesIO, storage: _Storage) -> npt.NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    raw = file.read(count * storage.dtype.itemsize) if count == storage.numbers else b""
    if len(raw) != count * storage.dtype.itemsize:
        raise pickle.UnpicklingError("a storage that is cut short")
    return np.frombuffer(raw, storage.dtype)


def _view(tensor: _Tensor, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    end = tensor.offset + math.prod(tensor.shape)
    if not 0 <= tensor.offset <= end <= len(numbers):
        raise pickle.UnpicklingError("a tensor that reaches beyond its storage")
    return numbers[tensor.offset : end].reshape(tensor.shape)


def _rebuild(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *rest: object
) -> _Tensor:
    """In place of ``torch._utils._rebuild_tensor_v2``: only tensors that lie in one row, which weights do."""
    if not isinstance(storage, _Storage) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise pickle.UnpicklingError("a tensor of no storage")
    if tuple(strides) != tuple(math.prod(shape[place + 1 :]) for place in range(len(shape))):
        raise pickle.UnpicklingError("a tensor that does not lie in one row")
    return _Tensor(storage, int(offset), tuple(shape))


class _OnlyTensors(pickle.Unpickler):
    """Admits what puts tensors together and nothing that could run."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        match module_name, global_name:
            case "collections", "OrderedDict":
                return _Names
            case "torch._utils", "_rebuild_tensor_v2":
                return _rebuild
            case "torch", "FloatStorage" | "LongStorage":
                return _DTYPES[global_name]
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count, view = pid
        if kind != "storage" or dtype not in _DTYPES.values() or view is not None or not 0 <= count < _LARGEST:
            raise pickle.UnpicklingError("a storage of another form")
        return _Storage(str(key), dtype, int(count))
