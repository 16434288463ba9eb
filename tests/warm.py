"""`sameface …` as a process of its own, without a second of imports each time: forked off a process that imported them once.

It has its own arguments, surroundings, folder, outputs and exit code, and ends and is killed like any other. Where there is no fork it is started
as usual.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: What most commands, the service and programs that use a gallery import.
_PRELOADED = (
    "sameface.cli.__main__",
    "sameface.gallery",
    "sameface.shortcuts",
    "sameface.models.runtime",
    "sameface.service.server",
    "tests.gallery.worlds",
    "tests.warm_routes",
)


def preload() -> None:
    """Say what the process that others are forked off imports, before it is started."""
    multiprocessing.set_forkserver_preload(list(_PRELOADED))


class Warm:
    """A running `sameface …`, the leader of its own group of processes.

    Args:
        arguments: after ``sameface``.
        output: where both outputs go.
        environment: in place of this process's own.
        folder: the current one of the program.
        cold: start it as usual all the same: one that starts processes of its own.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        output: Path,
        environment: Mapping[str, str],
        folder: Path | None = None,
        cold: bool = False,
    ) -> None:
        place = folder or Path.cwd()
        self._process: multiprocessing.process.BaseProcess | subprocess.Popen[bytes]
        if cold or "forkserver" not in multiprocessing.get_all_start_methods():
            with output.open("wb") as file:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "sameface", *arguments],
                    stdout=file,
                    stderr=file,
                    env=dict(environment),
                    cwd=place,
                    start_new_session=True,
                )
        else:
            preload()
            self._process = multiprocessing.get_context("forkserver").Process(
                target=_as_a_program, args=(list(arguments), output, dict(environment), place)
            )
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """As `subprocess.Popen.returncode`, as it is now."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.poll()
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """The exit code.

        Raises:
            TimeoutError: it runs on.
        """
        if isinstance(self._process, subprocess.Popen):
            self._process.wait(timeout)
        else:
            self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"still running after {timeout} seconds")
        return self.returncode

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and its group, if it runs."""
        if self.returncode is None:
            os.killpg(self.pid, how)
        self.wait(60)


def run(
    arguments: Sequence[str], *, output: Path, environment: Mapping[str, str], folder: Path, timeout: float = 240
) -> tuple[int, str]:
    """Run to the end: the exit code, and both outputs as they came."""
    running = Warm(arguments, output=output, environment=environment, folder=folder)
    try:
        code = running.wait(timeout)
    finally:
        running.stop(signal.SIGKILL)
    return code, output.read_text(encoding="utf-8", errors="backslashreplace")


def stand_in(files: Sequence[int], environment: Mapping[str, str], folder: Path) -> None:
    """Make this forked process what a program that was just started is: its three files, its environment and its folder."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def _as_a_program(arguments: list[str], output: Path, environment: dict[str, str], folder: Path) -> None:
    os.setsid()
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    stand_in((nothing, file, file), environment, folder)
    sys.argv = ["sameface", *arguments]
    from sameface.cli.__main__ import main

    main()
