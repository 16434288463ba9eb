"""Why a network does not load, in words: ONNX Runtime's own messages are lines of its source code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple


class Refusal(NamedTuple):
    """The three parts of an error: what was expected, what came, what to do."""

    expected: str
    got: str
    advice: str


_OPSET: Final = re.compile(r"Opset (\d+) is under development.*till opset (\d+)", re.DOTALL)
_FORMAT: Final = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
_EXTERNAL: Final = re.compile(r'External data path does not exist: "(.+?)"')
_OPERATOR: Final = re.compile(r"Fatal error: (\S+?)\(-?\d+\) is not a registered function/op")
#: What stands before the reason: the class of the error, the file, the place in ONNX Runtime's source.
_PREAMBLE: Final = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .*? failed: ?)?")
_AGAIN: Final = "export the network anew for an older version, or update onnxruntime"
#: First bytes of what is often saved under a network's name, and what it is.
_MISTAKEN: Final = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file that it points to"),
    (b"<", "a web page or XML"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x89HDF", "an HDF5 file"),
)


def why_refused(network: Path | bytes, message: str) -> Refusal:
    """The reason in ONNX Runtime's message, or what the file's first bytes tell.

    >>> why_refused(b"", "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : No graph was found in the protobuf.").got
    'an empty file'
    """
    if found := _OPSET.search(message):
        return Refusal(f"a network of opset {found[2]} at most", f"opset {found[1]}", _AGAIN)
    if found := _FORMAT.search(message):
        return Refusal(f"an ONNX file of IR version {found[2]} at most", f"version {found[1]}", _AGAIN)
    if found := _EXTERNAL.search(message):
        missing = Path(found[1])
        return Refusal(
            f"the network's weights in {missing.name}, a file of their own",
            f"no such file in {missing.parent}",
            "put it beside the network",
        )
    if found := _OPERATOR.search(message):
        return Refusal("operators that ONNX Runtime knows", found[1], "export the network with standard operators")
    if "Protobuf parsing failed" in message or "No graph was found" in message:
        return Refusal("an ONNX network", _look(network), "fetch or export the file again")
    return Refusal("an ONNX network that runs here", reason(message), "check the file")


def reason(message: str) -> str:
    """The first line of ONNX Runtime's message, without what stands before the reason.

    >>> reason("[ONNXRuntimeError] : 1 : FAIL : Load model from a.onnx failed:This is an invalid model.")
    'This is an invalid model'
    """
    return (_PREAMBLE.sub("", message).splitlines() or [""])[0][:300].rstrip(". ")


def _look(network: Path | bytes) -> str:
    """What a file that is no network is, by its first bytes."""
    if isinstance(network, Path):
        with network.open("rb") as file:
            start = file.read(64)
    else:
        start = network[:64]
    if not start:
        return "an empty file"
    known = (what for begin, what in _MISTAKEN if start.lstrip().startswith(begin))
    return next(known, "a file that is cut short, or something else")
