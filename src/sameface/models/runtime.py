"""The one door to ONNX Runtime: a network in, arrays through, arrays out.

No other file imports onnxruntime, so devices, threads and log levels are decided here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort  # type: ignore[import-untyped]

from sameface.errors import DeviceUnavailableError, ModelDamagedError, ModelMissingError

#: Device names as users say them, and the execution provider that serves each.
PROVIDERS: Final[Mapping[str, str]] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}


def available_devices() -> tuple[str, ...]:
    """Devices that this installation of ONNX Runtime was built for, best known first."""
    built = set(ort.get_available_providers())
    return tuple(name for name, provider in PROVIDERS.items() if provider in built)


class Session:
    """A loaded network. Safe to run from several threads at once.

    Args:
        network: path of an ONNX file, or its bytes.
        device: a key of `PROVIDERS`; a device that is missing is an error, never a silent CPU.
        threads: threads of one run; None leaves it to ONNX Runtime (one per core).

    Raises:
        DeviceUnavailableError: the device is not built in, or does not start.
        ModelMissingError, ModelDamagedError: no such file; not a network that runs here.
    """

    def __init__(self, network: Path | bytes, *, device: str = "cpu", threads: int | None = None) -> None:
        if device not in available_devices():
            raise DeviceUnavailableError(
                expected=f"a device among {', '.join(available_devices())}",
                got=repr(device),
                advice="choose one of those, or install the onnxruntime build for that device",
            )
        if isinstance(network, Path) and not network.is_file():
            raise ModelMissingError(expected=f"a network at {network}", got="nothing there", advice="check the path")
        options = ort.SessionOptions()
        options.log_severity_level = 3
        # Spinning threads burn the core that the next stage of the pipeline needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = ort.InferenceSession(
                str(network) if isinstance(network, Path) else network, options, providers=[PROVIDERS[device]]
            )
        except Exception as error:  # ONNX Runtime raises its own unrelated classes
            raise ModelDamagedError(
                expected="an ONNX network that runs here",
                got=str(error).splitlines()[0][:300],
                advice="check the file, its opset and its external data",
            ) from error
        used = self._session.get_providers()
        if PROVIDERS[device] not in used:
            raise DeviceUnavailableError(
                expected=f"{PROVIDERS[device]} to start",
                got=", ".join(used),
                advice="run `sameface doctor` to see what is missing",
            )
        self.device = device
        self.inputs: dict[str, list[Any]] = {item.name: list(item.shape) for item in self._session.get_inputs()}
        #: ONNX Runtime's names of the inputs' types, for instance ``tensor(uint8)``.
        self.input_types: dict[str, str] = {item.name: item.type for item in self._session.get_inputs()}
        self.outputs: dict[str, list[Any]] = {item.name: list(item.shape) for item in self._session.get_outputs()}

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Outputs in the network's own order."""
        return self._session.run(None, dict(feeds))  # type: ignore[no-any-return]
