"""Networks that ONNX Runtime has optimised already, so that a cold start does not do it again.

The optimised form holds instructions for one kind of processor and one version of ONNX Runtime; both are in the file's name. It lies in
the cache beside the converted network and can be deleted at any time.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from pathlib import Path

from sameface.files import cache_folder


def prepared_path(network: Path, runtime_version: str) -> Path | None:
    """Where the optimised form of a converted network belongs.

    Args:
        network: path of a network; only those in the cache, whose names carry a digest, are prepared.
        runtime_version: of ONNX Runtime.

    Returns:
        The path, whether or not the file is there; None for a network that lies elsewhere or a processor that cannot be told.
    """
    processor = processor_id()
    if processor is None or network.parent != cache_folder() / "models":
        return None
    return network.parent / "prepared" / f"{network.stem}.ort{runtime_version}.{processor}.onnx"


@functools.cache
def processor_id() -> str | None:
    """Digest of what this processor can do, None where that cannot be told."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    if not flags:
        return None
    return hashlib.sha256(f"{platform.machine()} {flags}".encode()).hexdigest()[:8]
