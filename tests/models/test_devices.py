"""Devices without hardware: what this build knows, what starts, and that a failure is told and never hidden."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from sameface.encoders.onnx_encoder import OnnxEncoder
from sameface.errors import DeviceUnavailableError
from sameface.models import devices
from sameface.models.registry import load_card


def test_the_probe_is_one_convolution() -> None:
    make = helper.make_tensor_value_info
    shape = [1, 1, 2, 2]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "probe",
        [make("x", TensorProto.FLOAT, shape)],
        [make("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 1, 1], [2.0])],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    assert model.SerializeToString() == devices._ONE_CONVOLUTION


def test_the_processor_is_always_a_device() -> None:
    assert devices.built_devices()[0] == "cpu"
    assert devices.why_not("cpu") is None
    devices.refuse_missing("cpu")


class Pretended:
    """A session of ONNX Runtime that took the processor instead of what it was asked for, as ONNX Runtime does."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


@pytest.fixture
def with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that knows CUDA, on a machine that has none of its libraries."""
    monkeypatch.setattr(
        devices.ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(devices.ort, "InferenceSession", Pretended)
    devices.why_not.cache_clear()
    monkeypatch.setattr(devices, "_library_problem", lambda device: "libcudart.so.13: cannot open shared object file")


@pytest.mark.usefixtures("with_cuda")
def test_a_device_that_falls_back_in_silence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.ort, "preload_dlls", lambda: None, raising=False)
    with pytest.raises(
        DeviceUnavailableError, match=r"cuda to start; got libcudart\.so\.13.*onnxruntime-gpu\[cuda,cudnn\]"
    ):
        devices.refuse_missing("cuda")
    devices.why_not.cache_clear()


@pytest.mark.usefixtures("with_cuda")
def test_libraries_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def preload() -> None:
        sys.stdout.write("Failed to load libcudnn.so.9: libcudnn.so.9: cannot open shared object file\n")
        sys.stdout.write("Failed to load /venv/nvidia/libcurand.so.10: no such file\n")

    monkeypatch.setattr(devices.ort, "preload_dlls", preload, raising=False)
    assert devices.why_not("cuda") == "missing: libcudnn.so.9, libcurand.so.10"
    assert capsys.readouterr().out == ""  # what the library prints is in the error
    devices.why_not.cache_clear()


def test_a_driver_without_a_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=h ; line=2")

    monkeypatch.setattr(devices.ort, "InferenceSession", fail)
    devices.why_not.cache_clear()
    assert devices.why_not("cuda") == "CUDA failure 100: no CUDA-capable device is detected"
    devices.why_not.cache_clear()


def test_an_encoder_of_8_bits_stays_on_the_processor() -> None:
    """On a GPU its embeddings would lie up to 0.14 elsewhere: those of another encoder under the same id."""
    with pytest.raises(
        DeviceUnavailableError, match="cpu for sface-2021dec-unit-int8, an encoder of 8 bits; got 'cuda'"
    ):
        OnnxEncoder(Path("unread.onnx"), load_card("sface-2021dec-unit-int8"), device="cuda")
