"""Networks that ONNX Runtime has optimised already, so that a cold start does not do it again.

A folder for each: the optimised graph, its large weights in a file that is mapped instead of read, and the check sums of both. The
optimised form holds instructions for one kind of processor and one version of ONNX Runtime; both are in the folder's name. It lies in the
cache beside the converted network and can be deleted at any time.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from sameface.files import cache_folder
from sameface.models.sums import sum_of

GRAPH: Final = "graph.onnx"
WEIGHTS: Final = "weights.bin"
_SUMS: Final = "sums.txt"
#: Raise when a prepared network is made or run in another way.
_VERSION: Final = 2
#: Operators of 8-bit networks: they run fast only from weights that are packed when the network is loaded.
_PACKED: Final = (b"QLinear", b"Integer", b"QGemm")


class Prepared(NamedTuple):
    """An optimised network.

    Attributes:
        graph: path of its graph.
        packs: whether its weights must be packed again to run fast.
    """

    graph: Path
    packs: bool


def prepared_folder(network: Path, runtime_version: str) -> Path | None:
    """Where the optimised form of a converted network belongs.

    Args:
        network: path of a network; only those in the cache, whose names carry a digest, are prepared.
        runtime_version: of ONNX Runtime.

    Returns:
        The folder, whether or not it is there; None for a network that lies elsewhere or a processor that cannot be told.
    """
    processor = processor_id()
    if processor is None or network.parent != cache_folder() / "models":
        return None
    return network.parent / "prepared" / f"{network.stem}.v{_VERSION}.ort{runtime_version}.{processor}"


def has_prepared(network: Path) -> bool:
    """Whether some optimised form of a network is there, whole or not."""
    return any((network.parent / "prepared").glob(f"{network.stem}.v{_VERSION}.*"))


def open_prepared(folder: Path, network: Path) -> Prepared | None:
    """The optimised form in a folder, None when it is not there, damaged, or of another file than the network is now."""
    try:
        if (folder / _SUMS).read_text(encoding="ascii") != _sums(folder, network):
            return None
        start = (folder / GRAPH).read_bytes()
    except OSError:
        return None
    return Prepared(folder / GRAPH, any(operator in start for operator in _PACKED))


def damaged_prepared(models: Path) -> list[Path]:
    """Folders of optimised networks whose files are not what was written, below the folder of cached networks."""
    folders = sorted((models / "prepared").glob(f"*.v{_VERSION}.*"))
    return [folder for folder in folders if not _is_whole(folder)]


def _is_whole(folder: Path) -> bool:
    try:
        written = (folder / _SUMS).read_text(encoding="ascii").splitlines()[1:]
        return written == _file_sums(folder)
    except OSError:
        return False


@contextmanager
def keep_prepared(folder: Path, network: Path) -> Iterator[Path]:
    """Give an empty folder for the optimised form of a network; what is in it takes its place when the block ends well.

    Raises:
        OSError: no room, or no right to write.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    try:
        yield part
        (part / _SUMS).write_text(_sums(part, network), encoding="ascii")
        if folder.exists():
            folder.rename(part / "before")
        part.chmod(0o755)
        part.rename(folder)
        shutil.rmtree(folder / "before", ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sums(folder: Path, network: Path) -> str:
    """Check sums of the files, and which network they were made from."""
    source = network.stat()
    return "\n".join([f"{source.st_size} {source.st_mtime_ns} network", *_file_sums(folder)])


def _file_sums(folder: Path) -> list[str]:
    return [f"{sum_of(folder / name)} {name}" for name in (GRAPH, WEIGHTS) if (folder / name).exists()]


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
