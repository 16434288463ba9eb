"""The weights of the PyPI package `mtcnn` (MIT), read without that package, joblib or TensorFlow, and turned into ONNX.

Each file is a joblib pickle in an LZ4 frame: a list of Keras arrays. The file's sha256 is checked first, and the unpickler admits nothing but
arrays. Source of the format: joblib's numpy_pickle (an array's bytes follow its wrapper in the stream, aligned by a counted padding).
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError
from sameface.models.cache import cached
from sameface.models.registry import load_card, locate

Array = npt.NDArray[np.float32]

SHA256: Final[Mapping[str, str]] = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
#: Raise it when the written networks change, so that nobody runs an old one from the cache.
_VERSION: Final = 2


def mtcnn_network(name: str) -> Path:
    """The ONNX file of ``pnet``, ``rnet`` or ``onet``, converted when it is first asked for.

    See `sameface.models.mtcnn_onnx` for inputs and outputs.

    Raises:
        ModelMissingError, ModelDamagedError: the package is not installed, or its file was changed.
    """
    return cached(
        f"mtcnn-{name}-{SHA256[name][:16]}-v{_VERSION}.onnx",
        lambda path, tell: _convert(name, path),
        what=f"mtcnn {name}",
    )


def _convert(name: str, path: Path) -> None:
    from sameface.models.mtcnn_onnx import write_onnx

    source = next(path for path in locate(load_card("mtcnn")) if path.stem == name)
    write_onnx(name, read_arrays(source.read_bytes(), source.name), path)


class _ArrayInStream:
    """Stands for joblib's array wrapper: once its state is known, the array's bytes are next in the stream."""

    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream
        self.array: Array = np.empty(0, np.float32)

    def __setstate__(self, state: dict[str, Any]) -> None:
        dtype, shape = np.dtype(state["dtype"]), tuple(state["shape"])
        if dtype != np.float32 or not all(isinstance(side, int) and 0 < side < 10_000 for side in shape):
            raise pickle.UnpicklingError(f"an array of {dtype} and shape {shape}")
        if state.get("numpy_array_alignment_bytes"):
            self._stream.read(self._stream.read(1)[0])
        raw = self._stream.read(int(np.prod(shape)) * dtype.itemsize)
        array = np.frombuffer(raw, dtype)
        self.array = (array.reshape(shape[::-1]).T if state["order"] == "F" else array.reshape(shape)).astype(
            np.float32
        )


class _OnlyArrays(pickle.Unpickler):
    """Admits a list of float32 arrays and nothing that could run."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)  # a stream without peek() is read to the byte, so the arrays can be read in between
        self._stream = stream

    def find_class(self, module_name: str, global_name: str) -> Any:
        match module_name, global_name:
            case "joblib.numpy_pickle", "NumpyArrayWrapper":
                stream = self._stream

                class Wrapper(_ArrayInStream):
                    def __new__(cls) -> Wrapper:
                        made = object.__new__(cls)
                        _ArrayInStream.__init__(made, stream)
                        return made

                    def __init__(self) -> None:
                        """Made ready by `__new__`, which is all that unpickling calls."""

                return Wrapper
            case "numpy", "ndarray":
                return np.ndarray
            case "numpy", "dtype":
                return np.dtype
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not an array")


def read_arrays(data: bytes, name: str) -> list[Array]:
    """The arrays of one weights file.

    Raises:
        ModelDamagedError: not LZ4, not such a pickle, or something in it that is not an array.
    """
    import lz4.frame  # type: ignore[import-untyped]

    try:
        items = _OnlyArrays(io.BytesIO(lz4.frame.decompress(data))).load()
        return [item.array for item in items]
    except (
        RuntimeError,
        pickle.UnpicklingError,
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelDamagedError(
            expected=f"a list of arrays in {name}", got=str(error), advice="install the package mtcnn 1.0.0 again"
        ) from error
