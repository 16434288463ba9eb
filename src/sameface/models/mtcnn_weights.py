"""The weights of the PyPI package `mtcnn` (MIT), read without that package, joblib or TensorFlow, and turned into ONNX.

Each file is a joblib pickle in an LZ4 frame: a list of Keras arrays. The file's sha256 is checked first, and the unpickler admits nothing but
arrays. Source of the format: joblib's numpy_pickle (an array's bytes follow its wrapper in the stream, aligned by a counted padding).
"""

from __future__ import annotations

import importlib.util
import io
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError, ModelMissingError
from sameface.models.cache import cached, check_sha256

Array = npt.NDArray[np.float32]

SHA256: Final[Mapping[str, str]] = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
#: Raise it when the written networks change, so that nobody runs an old one from the cache.
_VERSION: Final = 1


def mtcnn_network(name: str) -> Path:
    """The ONNX file of ``pnet``, ``rnet`` or ``onet``, converted when it is first asked for.

    Input ``image``: ``(n, 3, h, w)`` float32 RGB 0…255; h = w = 24 and 48 for the last two. Outputs: ``face`` probability, ``box`` offsets, and
    for ``onet`` ``points``.

    Raises:
        ModelMissingError, ModelDamagedError: the package is not installed, or its file was changed.
    """
    return cached(f"mtcnn-{name}-{SHA256[name][:16]}-v{_VERSION}.onnx", lambda path: _convert(name, path))


def _source(name: str) -> Path:
    spec = importlib.util.find_spec("mtcnn")  # finds the folder without importing the package
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissingError(
            expected="the package mtcnn 1.0.0, which brings the detector's weights",
            got="no such package",
            advice="run `pip install mtcnn==1.0.0`",
        )
    return Path(spec.submodule_search_locations[0]) / "assets" / "weights" / f"{name}.lz4"


def _convert(name: str, path: Path) -> None:
    import onnx

    source = _source(name)
    check_sha256(source, SHA256[name])
    onnx.save(_BUILDERS[name](iter(read_arrays(source.read_bytes(), source.name))), path)


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
        order = "F" if state["order"] == "F" else "C"
        self.array = np.frombuffer(raw, dtype).reshape(shape, order=order).astype(np.float32)


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
    import lz4.frame

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


class _Graph:
    """Collects nodes and weights of a chain of layers; each call appends a layer and returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def _add(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _weight(self, array: npt.NDArray[np.floating[Any]]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def conv(self, x: str, kernel_hwio: Array, bias: Array, output: str = "") -> str:
        kernel = kernel_hwio.transpose(3, 2, 0, 1)
        return self._add("Conv", [x, self._weight(kernel), self._weight(bias)], output)

    def first_conv(self, x: str, kernel_hwio: Array, bias: Array) -> str:
        """With ``(x − 127.5) / 128`` folded in: exact, since nothing is padded."""
        kernel = kernel_hwio.astype(np.float64) / 128
        shift = bias - 127.5 * kernel.sum(axis=(0, 1, 2))
        return self.conv(x, kernel.astype(np.float32), shift.astype(np.float32))

    def dense(self, x: str, matrix: Array, bias: Array, width: int, height: int) -> str:
        """A fully connected layer as a convolution over its whole input; the rows come in (w, h, c) order."""
        inputs = matrix.shape[0] // (width * height)
        kernel = matrix.reshape(width, height, inputs, -1).transpose(1, 0, 2, 3)
        return self.conv(x, kernel, bias)

    def prelu(self, x: str, slope: Array) -> str:
        return self._add("PRelu", [x, self._weight(slope.reshape(-1, 1, 1))])

    def pool(self, x: str, size: int, same: bool) -> str:
        """Stride 2. Keras' ``same`` adds its padding at the bottom and right: what rounding up of the output size does too."""
        return self._add("MaxPool", [x], kernel_shape=[size, size], strides=[2, 2], ceil_mode=int(same))

    def probability(self, x: str) -> None:
        """Second of two classes: face."""
        both = self._add("Softmax", [x], axis=1)
        index = self._weight_index(1)
        self._add("Gather", [both, index], "face", axis=1)

    def _weight_index(self, value: int) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def model(self, name: str, size: int | None, outputs: list[str]) -> Any:
        from onnx import TensorProto, helper

        side: Any = size if size is not None else None
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, side or "height", side or "width"])
        results = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs]
        graph = helper.make_graph(self.nodes, name, [image], results, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _pnet(w: Iterator[Array]) -> Any:
    g = _Graph()
    x = g.prelu(g.first_conv("image", next(w), next(w)), next(w))
    x = g.pool(x, 2, same=True)
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    g.conv(x, next(w), next(w), "box")
    g.probability(g.conv(x, next(w), next(w)))
    return g.model("pnet", None, ["face", "box"])


def _rnet(w: Iterator[Array]) -> Any:
    g = _Graph()
    x = g.prelu(g.first_conv("image", next(w), next(w)), next(w))
    x = g.pool(x, 3, same=True)
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    x = g.pool(x, 3, same=False)
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    x = g.prelu(g.dense(x, next(w), next(w), 3, 3), next(w))
    g.conv(x, next(w)[None, None], next(w), "box")
    g.probability(g.conv(x, next(w)[None, None], next(w)))
    return g.model("rnet", 24, ["face", "box"])


def _onet(w: Iterator[Array]) -> Any:
    g = _Graph()
    x = g.prelu(g.first_conv("image", next(w), next(w)), next(w))
    x = g.pool(x, 3, same=True)
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    x = g.pool(x, 3, same=False)
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    x = g.pool(x, 2, same=True)
    x = g.prelu(g.conv(x, next(w), next(w)), next(w))
    x = g.prelu(g.dense(x, next(w), next(w), 3, 3), next(w))
    g.conv(x, next(w)[None, None], next(w), "box")
    g.conv(x, next(w)[None, None], next(w), "points")
    g.probability(g.conv(x, next(w)[None, None], next(w)))
    return g.model("onet", 48, ["face", "box", "points"])


_BUILDERS: Final = {"pnet": _pnet, "rnet": _rnet, "onet": _onet}
