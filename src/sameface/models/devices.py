"""Devices: which this ONNX Runtime was built for, which of them start here, and what keeps the others from it.

ONNX Runtime itself runs on the processor, with a line in the log at most, where a device does not start. Here that is an error with its reason.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import re
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from sameface.errors import DeviceUnavailableError
from sameface.models.vendor_calls import silence

silence()  # before the next line: it is read when the runtime is loaded

import onnxruntime as ort  # type: ignore[import-untyped]  # noqa: E402  it brings no types; silenced first

#: Device names as users say them, and the execution provider that serves each.
PROVIDERS: Final[Mapping[str, str]] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
#: Packages that bring ONNX Runtime; all of them write the same module.
BUILDS: Final = (
    *("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-silicon"),
    *("onnxruntime-rocm", "onnxruntime-migraphx", "onnxruntime-qnn"),
)
#: What each provider is told. TensorFloat-32 keeps 10 bits of 23: embeddings would not be those of the processor. The search for the
#: fastest convolution starts anew for every size of picture, and detectors see many: take what the library thinks best.
_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {"cuda": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}}
#: A network of one convolution with a kernel of one number, as `onnx.helper` serialises it (tested): convolutions need most of a GPU's libraries.
_ONE_CONVOLUTION: Final = bytes.fromhex(
    "08093a670a0f0a01780a01771201792204436f6e76120570726f62652a13080108010801080110012204000000404201775a1b0a017812160a14080112100a"
    "0208010a0208010a0208020a020802621b0a017912160a14080112100a0208010a0208010a0208020a02080242040a001011"
)
_FATAL, _WARNING = 4, 2
_ONE_AT_A_TIME: Final = threading.Lock()


def built_devices() -> tuple[str, ...]:
    """Devices that this build of ONNX Runtime knows, the processor first. Whether they start is another question: `why_not`."""
    built = set(ort.get_available_providers())
    return tuple(name for name, provider in PROVIDERS.items() if provider in built)


def providers(device: str) -> list[tuple[str, dict[str, str]]]:
    """What ONNX Runtime takes as the providers of a session.

    >>> providers("cpu")
    [('CPUExecutionProvider', {})]
    """
    return [(PROVIDERS[device], dict(_OPTIONS.get(device, {})))]


def refuse_missing(device: str) -> None:
    """Make sure that networks will run there.

    Raises:
        DeviceUnavailableError: no such device in this build, or it does not start.
    """
    if device not in built_devices():
        raise DeviceUnavailableError(
            expected=f"a device among {', '.join(built_devices())}",
            got=repr(device),
            advice="choose one of those, or install the onnxruntime build for that device",
        )
    if (problem := why_not(device)) is not None:
        raise DeviceUnavailableError(
            expected=f"the device {device} to start",
            got=problem,
            advice='install what is missing (NVIDIA: pip install "onnxruntime-gpu[cuda,cudnn]" and a driver), or use --device cpu'
            if device == "cuda"
            else "install what is missing, or use --device cpu",
        )


@cache
def why_not(device: str) -> str | None:
    """What keeps a device of this build from starting, None where one convolution ran on it. Asked once in a process.

    >>> why_not("cpu") is None
    True
    """
    if device == "cpu":
        return None
    with _ONE_AT_A_TIME:  # detector and encoder are loaded at once, and what is silenced is silenced for both
        return _try_to_start(device)


def _try_to_start(device: str) -> str | None:
    missing = _preload() if device == "cuda" else None
    try:
        with _quiet():
            options = ort.SessionOptions()
            options.log_severity_level = _FATAL
            session = ort.InferenceSession(_ONE_CONVOLUTION, options, providers=providers(device), enable_fallback=0)
            if PROVIDERS[device] in session.get_providers():
                (answer,) = session.run(None, {"x": _picture()})
                return None if float(answer[0, 0, 0, 0]) == 2 else f"a wrong product, {answer[0, 0, 0, 0]} for 2"
    except Exception as error:  # noqa: BLE001  # ONNX Runtime raises its own unrelated classes
        return _in_a_line(str(error))
    return missing or _library_problem(device) or "ONNX Runtime does not say why it will not start"


def _picture() -> Any:
    import numpy as np

    return np.ones((1, 1, 2, 2), np.float32)


def _preload() -> str | None:
    """Load NVIDIA's libraries from their Python packages, where ONNX Runtime alone does not look; which are missing, None for none."""
    load = getattr(ort, "preload_dlls", None)
    if load is None:
        return None
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(Exception):
        load()
    found = re.findall(r"Failed to load (\S+?): ", said.getvalue())
    names = list(dict.fromkeys(Path(name).name for name in found))
    return f"missing: {', '.join(names)}" if names else None


def _library_problem(device: str) -> str | None:
    """What the system's loader says about a provider that is a library of its own."""
    folder = Path(ort.__file__).parent / "capi"
    for library in folder.glob(f"*onnxruntime_providers_{device}.*"):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            return _in_a_line(str(error))
    return None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without ONNX Runtime's own lines about a device that does not start: the error says it."""
    ort.set_default_logger_severity(_FATAL)
    try:
        yield
    finally:
        ort.set_default_logger_severity(_WARNING)


def _in_a_line(text: str) -> str:
    """The telling part of a message of C++.

    >>> _in_a_line("CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=h ; file=f.cc ; line=2")
    'CUDA failure 100: no CUDA-capable device is detected'
    """
    return " ".join(text.split(" ; ")[0].split())[:300]
