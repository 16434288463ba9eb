"""The door to ONNX Runtime: a network in, arrays through, arrays out.

Only this file and `devices` import onnxruntime, so devices, threads and log levels are decided once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import DeviceUnavailableError, ModelDamagedError, ModelMissingError, SamefaceError
from sameface.models.cache import refuse_damaged
from sameface.models.devices import PROVIDERS, providers, refuse_missing
from sameface.models.prepared import GRAPH, WEIGHTS, keep_prepared, open_prepared, prepared_folder
from sameface.models.refusals import reason, why_refused
from sameface.models.vendor_calls import silence

silence()  # before the next line: it is read when the runtime is loaded

import onnxruntime as ort  # type: ignore[import-untyped]  # noqa: E402  it brings no types; silenced first

#: Weights of a tensor from this size on, in bytes, lie in a file that is mapped.
_MAPPED_FROM: Final = 4096
#: Another process may put its own file in the place between making the optimised form and opening it.
_TRIES: Final = 3


class Session:
    """A loaded network. Safe to run from several threads at once.

    Args:
        network: path of an ONNX file, or its bytes.
        device: a key of `devices.PROVIDERS`; a device that is missing is an error, never a silent CPU.
        threads: threads of one run; None leaves it to ONNX Runtime (one per core).

    Raises:
        DeviceUnavailableError: the device is not built in, or does not start.
        ModelMissingError, ModelDamagedError: no such file; not a network that runs here.
    """

    def __init__(self, network: Path | bytes, *, device: str = "cpu", threads: int | None = None) -> None:
        refuse_missing(device)
        if isinstance(network, Path) and not network.is_file():
            raise ModelMissingError(expected=f"a network at {network}", got="nothing there", advice="check the path")
        try:
            self._session = _start(network, device, threads)
        except (SamefaceError, MemoryError):
            raise
        except Exception as error:  # ONNX Runtime raises its own unrelated classes
            raise ModelDamagedError(**why_refused(network, str(error))._asdict()) from error
        used = self._session.get_providers()
        if PROVIDERS[device] not in used:
            raise DeviceUnavailableError(
                expected=f"{PROVIDERS[device]} to take the network",
                got=", ".join(used),
                advice="run `sameface doctor` to see what is missing",
            )
        self.device = device
        self.inputs: dict[str, list[Any]] = {item.name: list(item.shape) for item in self._session.get_inputs()}
        #: ONNX Runtime's names of the inputs' types, for instance ``tensor(uint8)``.
        self.input_types: dict[str, str] = {item.name: item.type for item in self._session.get_inputs()}
        self.outputs: dict[str, list[Any]] = {item.name: list(item.shape) for item in self._session.get_outputs()}

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Outputs in the network's own order.

        Raises:
            ModelDamagedError: the network fails on what it was given.
        """
        try:
            return self._session.run(None, dict(feeds))  # type: ignore[no-any-return]
        except MemoryError:
            raise
        except Exception as error:  # as above
            shapes = ", ".join(str(value.shape) for value in feeds.values())
            raise ModelDamagedError(
                expected=f"a network that takes an input of shape {shapes}",
                got=reason(str(error)),
                advice="correct its card, or export it again with free sizes",
            ) from error


def _start(network: Path | bytes, device: str, threads: int | None) -> Any:
    """A session, from the optimised form of the network where there is one; makes that form where it belongs."""
    on = providers(device)
    if not isinstance(network, Path):
        return ort.InferenceSession(network, _options(threads), providers=on, enable_fallback=0)
    folder = prepared_folder(network, ort.__version__) if device == "cpu" else None
    if folder is None:
        refuse_damaged(network)
        return ort.InferenceSession(str(network), _options(threads), providers=on, enable_fallback=0)
    made = None
    for _ in range(_TRIES):
        # The first run computes as every later one will: weights that are packed round the last bit in another way.
        if (session := _from_prepared(folder, network, threads)) is not None:
            return session
        refuse_damaged(network)
        try:
            with keep_prepared(folder, network) as part:
                options = _options(threads)
                options.optimized_model_filepath = str(part / GRAPH)
                options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
                options.add_session_config_entry(
                    "session.optimized_model_external_initializers_min_size_in_bytes", str(_MAPPED_FROM)
                )
                made = ort.InferenceSession(str(network), options, providers=on, enable_fallback=0)
        except Exception:  # noqa: BLE001  # no room or no right to write, which ONNX Runtime calls by many names: it works without
            return ort.InferenceSession(str(network), _options(threads), providers=on, enable_fallback=0)
    return made


def _from_prepared(folder: Path, network: Path, threads: int | None) -> Any:
    """A session from the optimised form, None where there is none that loads: a cache is made again."""
    prepared = open_prepared(folder, network)
    if prepared is None:
        return None
    options = _options(threads)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if not prepared.packs:  # else large weights are copied: float32 products take them as they lie in the mapped file
        options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        return ort.InferenceSession(str(prepared.graph), options, providers=providers("cpu"), enable_fallback=0)
    except Exception:  # noqa: BLE001  # as above
        return None


def _options(threads: int | None) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    # Spinning threads burn the core that the next stage of the pipeline needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def quantise_network(network: Path, target: Path, batches: Iterable[Mapping[str, npt.NDArray[Any]]]) -> None:
    """Write an 8-bit copy of a network: static quantisation with inserted scales (QDQ), U8 activations, S8 weights per channel.

    U8S8 is what x86 processors with VNNI multiply directly; the ranges of activations are the smallest and largest values seen.

    Args:
        network: float32 ONNX file.
        target: written whole.
        batches: inputs by name, typical of what the network will see.

    Raises:
        ModelDamagedError: the network cannot be quantised.
    """
    import logging
    import tempfile

    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]

    class Reader(q.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._rest = iter(batches)

        def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
            batch = next(self._rest, None)
            return None if batch is None else dict(batch)

    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.ERROR)  # the quantiser tells the root logger how it goes
    try:
        with tempfile.TemporaryDirectory(prefix="sameface-quantise-") as folder:
            prepared = Path(folder) / "prepared.onnx"
            quant_pre_process(str(network), str(prepared), skip_symbolic_shape=True)
            q.quantize_static(
                str(prepared),
                str(target),
                Reader(),
                quant_format=q.QuantFormat.QDQ,
                activation_type=q.QuantType.QUInt8,
                weight_type=q.QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["Conv", "Add", "Relu", "MaxPool", "PRelu", "MatMul", "Gemm"],
            )
    except Exception as error:  # many unrelated classes
        raise ModelDamagedError(
            expected="a float32 network that can be quantised",
            got=(str(error).splitlines() or [type(error).__name__])[0][:300],
            advice="quantise the original float32 network",
        ) from error
    finally:
        root.setLevel(level)
