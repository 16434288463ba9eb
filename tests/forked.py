"""Some lines of Python as a process of their own, without the time that imports take each time: forked off the process that `tests.warm` keeps.

It ends and is killed like any other, and has nothing of this process: no open gallery, no lock, no thread. Where there is no fork it is started as
usual.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing import reduction
from pathlib import Path
from typing import IO

from tests.warm import preload, stand_in

ROOT = Path(__file__).resolve().parent.parent


def python(code: str, *arguments: object) -> Forked | subprocess.Popen[str]:
    """Start some lines of Python in this project's folder, with `arguments` after the program's name, and text in its pipes."""
    words = [str(argument) for argument in arguments]
    if "forkserver" in multiprocessing.get_all_start_methods():
        return Forked(code, words)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT
    )


class Forked:
    """What of `subprocess.Popen` is used here."""

    def __init__(self, code: str, arguments: list[str]) -> None:
        preload()
        hears, tells = os.pipe()
        reads, says = os.pipe()
        self._errors: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        given = [_Given(number) for number in (hears, says, self._errors.fileno())]
        self._process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=(given, code, arguments, dict(os.environ))
        )
        self._process.start()
        os.close(hears)
        os.close(says)
        assert self._process.pid is not None
        self.pid = self._process.pid
        self.stdin: IO[str] = os.fdopen(tells, "w", encoding="utf-8")
        self.stdout: IO[str] = os.fdopen(reads, encoding="utf-8")

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, which: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended this very moment
                os.kill(self.pid, which)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Close its input, and wait for its end: the rest that it said, and its errors."""
        self.stdin.close()
        with self.stdout, self._errors:
            said = self.stdout.read()
            self._process.join(timeout)
            assert self.returncode is not None, "it runs on"
            self._errors.seek(0)
            return said, self._errors.read()


class _Given:
    """The number of an open file, which is another one in the process that gets it."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[object, ...]:
        return _detached, (reduction.DupFd(self._number),)


def _detached(given: object) -> int:
    return given.detach()  # type: ignore[attr-defined, no-any-return]


def _run(files: list[int], code: str, arguments: list[str], environment: dict[str, str]) -> None:
    stand_in(files, environment, ROOT)
    for file in files:
        os.close(file)
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<code>", "exec"), {"__name__": "__main__"})
    sys.stdout.flush()
