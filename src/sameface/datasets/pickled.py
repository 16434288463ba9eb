"""What a pickle file says, read without running any of it.

A pickle is a program for a small stack machine, and Python's own reader lets it call whatever it names. Here only the instructions that put
plain values together are followed; a name is a name and is never looked up. Of numpy, arrays of bytes, arrays of truth values and single ones
are understood by their form. Texts of bytes stay in the file: what comes is where they lie.

Source: the module `pickletools`, which also takes the instructions apart.
"""

from __future__ import annotations

import hashlib
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sameface.errors import DataError
from sameface.files import path_as_text


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that lie in the file.

    Attributes:
        offset, length: where.
        sha256: hex digest.
        small: the bytes themselves where they are few, for what is no photo.
    """

    offset: int
    length: int
    sha256: str
    small: bytes = b""


@dataclass(slots=True)
class _Made:
    """What a call would have made: its name, what it was given, and the state it would have got."""

    name: str
    given: Any = None
    state: Any = None


class _Mark:
    """Where a list or tuple begins on the stack."""


#: Bytes of instruction and length in front of a text of bytes, by instruction.
_HEADS: Final = {
    "SHORT_BINBYTES": 2,
    "SHORT_BINSTRING": 2,
    "BINBYTES": 5,
    "BINSTRING": 5,
    "BINBYTES8": 9,
    "BYTEARRAY8": 9,
}
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NUMBERS: Final = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
_TEXTS: Final = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
_NOTHING: Final = ("PROTO", "FRAME", "STOP")
_PUTS: Final = ("PUT", "BINPUT", "LONG_BINPUT")
_GETS: Final = ("GET", "BINGET", "LONG_BINGET")
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
#: The only names that are understood, each by its form alone.
_KNOWN: Final = frozenset(
    {
        f"{module} {name}"
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name in ("_reconstruct", "scalar")
    }
    | {"numpy ndarray", "numpy dtype"}
)
_SMALL: Final = 2**20


def read_pickled(file: Path) -> Any:
    """The value in a pickle file: lists, tuples, numbers, texts, truth values, and `Stored` for bytes.

    Raises:
        DataError: it cannot be read, is no pickle, or wants anything else than plain values.
    """
    try:
        with file.open("rb") as source:
            return _Machine(file).run(source)
    except OSError as error:
        raise DataError(
            expected=f"a file at {path_as_text(file)}", got=error.strerror or str(error), advice="check the path"
        ) from error
    except (ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError, EOFError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            expected=f"a whole pickle in {path_as_text(file)}",
            got=f"something that cannot be read as one ({error})",
            advice="download the file again",
        ) from error


class _Machine:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, source: Any) -> Any:
        stack = self.stack
        for opcode, value, position in pickletools.genops(source):
            name = opcode.name
            if name in _HEADS:
                stack.append(_stored(value, (position or 0) + _HEADS[name]))
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            elif name in _NUMBERS or name in _TEXTS:
                stack.append(value)
            elif name in _TUPLES:
                count = _TUPLES[name]
                stack[-count:] = [tuple(stack[-count:])]
            elif name in _PUTS:
                self.memo[int(str(value))] = stack[-1]
            elif name in _GETS:
                stack.append(self.memo[int(str(value))])
            elif name not in _NOTHING:
                self._other(name, value)
        if len(stack) != 1:
            raise ValueError("it leaves several values")
        return _plain(stack[0])

    def _other(self, name: str, value: Any) -> None:
        steps: dict[str, Callable[[], None]] = {
            "MARK": lambda: self.stack.append(_Mark()),
            "MEMOIZE": lambda: self.memo.__setitem__(len(self.memo), self.stack[-1]),
            "EMPTY_LIST": lambda: self.stack.append([]),
            "EMPTY_TUPLE": lambda: self.stack.append(()),
            "LIST": lambda: self.stack.append(self._since_mark()),
            "TUPLE": lambda: self.stack.append(tuple(self._since_mark())),
            "APPEND": self._append,
            "APPENDS": lambda: self._extend(self._since_mark()),
            "GLOBAL": lambda: self._name(str(value)),
            "STACK_GLOBAL": lambda: self._name(" ".join(map(str, (self.stack.pop(-2), self.stack.pop())))),
            "REDUCE": self._reduce,
            "BUILD": self._build,
        }
        if name not in steps:
            raise self._refused(f"the instruction {name}")
        steps[name]()

    def _since_mark(self) -> list[Any]:
        place = max(index for index, item in enumerate(self.stack) if isinstance(item, _Mark))
        taken = self.stack[place + 1 :]
        del self.stack[place:]
        return taken

    def _append(self) -> None:
        self._extend([self.stack.pop()])

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise self._refused("to append to what is no list")
        target.extend(items)

    def _name(self, name: str) -> None:
        if name not in _KNOWN:
            raise self._refused(f"{name.replace(' ', '.')!r}")
        self.stack.append(_Made(name))

    def _reduce(self) -> None:
        given, what = self.stack.pop(), self.stack.pop()
        if not isinstance(what, _Made) or what.given is not None:
            raise self._refused("a call of what is no name")
        self.stack.append(_Made(what.name, given))

    def _build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, _Made):
            raise self._refused("a state for a plain value")
        target.state = state

    def _refused(self, what: str) -> DataError:
        return DataError(
            expected=f"lists of bytes and truth values in {path_as_text(self.file)}",
            got=f"a pickle that wants {what}; nothing of it was run",
            advice="do not open this file with other programs either, unless you trust who made it",
        )


def _stored(value: Any, offset: int) -> Stored:
    data = value.encode("latin-1") if isinstance(value, str) else bytes(value)  # Python 2 had no bytes
    return Stored(offset, len(data), hashlib.sha256(data).hexdigest(), data if len(data) <= _SMALL else b"")


def _plain(value: Any) -> Any:
    """Lists and tuples as they are; what numpy would have made as the bytes, truth values or number it stands for."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if not isinstance(value, _Made):
        return value
    if value.name.endswith("scalar") and isinstance(value.given, tuple) and isinstance(value.given[1], Stored):
        return bool(any(value.given[1].small))
    if value.name.endswith("_reconstruct") and isinstance(value.state, tuple) and len(value.state) == 5:
        kind, data = _kind(value.state[2]), value.state[4]
        if isinstance(data, Stored) and kind == "u1":
            return data
        if isinstance(data, Stored) and kind == "b1":
            return [bool(byte) for byte in data.small]
    raise ValueError(f"a value that {value.name.replace(' ', '.')} would make")


def _kind(made: Any) -> str:
    given = made.given if isinstance(made, _Made) else None
    kind = given[0] if isinstance(given, tuple) and given else ""
    return kind.small.decode("latin-1") if isinstance(kind, Stored) else str(kind)
