"""Which device and which precision, decided once and said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from sameface.errors import DeviceUnavailableError, SettingError


@dataclass(frozen=True)
class Compute:
    """Where and how a training computes.

    Attributes:
        device: PyTorch's device.
        autocast: type of the mixed precision, None for plain float32.
        compiled: whether PyTorch compiles the network before the first step; needs a C++ compiler on a CPU.
    """

    device: torch.device
    autocast: torch.dtype | None
    compiled: bool = False

    def __str__(self) -> str:
        """What is used, in words: ``cpu, bfloat16 where safe``."""
        name = str(self.device)
        if self.device.type == "cuda":
            name += f" ({torch.cuda.get_device_name(self.device)})"
        kind = "float32" if self.autocast is None else f"{str(self.autocast).removeprefix('torch.')} where safe"
        return f"{name}, {kind}" + (", compiled" if self.compiled else "")


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 here, and not emulated."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    flags = Path("/proc/cpuinfo")
    return device.type == "cpu" and flags.is_file() and bool({"avx512_bf16", "amx_bf16"} & _cpu_flags(flags))


def _cpu_flags(path: Path) -> set[str]:
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("flags"):
            return set(line.split())
    return set()


def choose_compute(device: str | None = None, precision: str = "mixed", *, compiled: bool = False) -> Compute:
    """Decide.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; None takes a GPU where there is one, else the CPU.
        precision: ``float32``; ``mixed`` is bfloat16 where the device is built for it, else float32.
        compiled: see `Compute`.

    Raises:
        DeviceUnavailableError: the device that was asked for is not there.
        SettingError: another precision.
    """
    if precision not in {"float32", "mixed"}:
        raise SettingError(expected="precision float32 or mixed", got=repr(precision), advice="use mixed when in doubt")
    wanted = device or ("cuda" if torch.cuda.is_available() else "cpu")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind = wanted.partition(":")[0]
    if not there.get(kind, False):
        raise DeviceUnavailableError(
            expected=f"a device among {', '.join(name for name, is_there in there.items() if is_there)}",
            got=repr(wanted),
            advice="choose one of those, or install the PyTorch build for that device",
        )
    chosen = torch.device(wanted)
    return Compute(chosen, torch.bfloat16 if precision == "mixed" and has_fast_bfloat16(chosen) else None, compiled)


def use_threads(count: int) -> None:
    """Threads of one step on a CPU, in this process from now on."""
    torch.set_num_threads(count)
