"""What a program does to the world around it, as the kernel sees it: every address it turns to, every file it makes.

Python's own audit events would miss what libraries in C++ do; `strace` sees every thread of every process.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.left_out import lacking

_CALLS = "connect,sendto,sendmsg,sendmmsg"
_FILES = "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_ADDRESS = re.compile(r'inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"')
_NAME_SERVICE = {53, 853, 5353}
_TEXT = re.compile(r'(?:\d+<([^>]*)>|AT_FDCWD(?:<[^>]*>)?)?(?:, )?"((?:[^"\\]|\\.)*)"')
#: What has no place on a disk, and what the system keeps for every program.
_NO_FILES = ("/dev/", "/proc/", "/sys/")


@dataclass(frozen=True, slots=True)
class Doings:
    """What was seen.

    Attributes:
        calls: lines of connections and messages to other machines; looking up a name counts, even on this one.
        written: files and folders that were made, opened for writing or moved to, as absolute paths.
        output: what the program said.
    """

    calls: list[str]
    written: set[Path]
    output: str


def watched(command: Sequence[str | Path], *, log: Path, folder: Path, environment: dict[str, str]) -> Doings:
    """Run a program to its end and say what it did. The test is left out where there is no strace."""
    if shutil.which("strace") is None:
        lacking("strace", "apt-get install strace")
    done = subprocess.run(
        [
            "strace",
            "-f",
            "--seccomp-bpf",
            "-qq",
            "-y",
            "-s",
            "4096",
            "-e",
            f"trace={_CALLS},{_FILES}",
            "-o",
            log,
            *command,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )
    output = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, output
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return Doings(
        [line for line in lines if _leaves(line)],
        {path for line in lines for path in _writes(line, folder) if not str(path).startswith(_NO_FILES)},
        output,
    )


def _leaves(line: str) -> bool:
    port, address = _PORT.search(line), _ADDRESS.search(line)
    if port is None or address is None:
        return False
    here = address[1] == "::1" or address[1].removeprefix("::ffff:").startswith("127.")
    return not here or int(port[1]) in _NAME_SERVICE


def _writes(line: str, folder: Path) -> list[Path]:
    call = re.match(r"\d+ +(\w+)\((.*)", line)
    if call is None or call[1] not in _FILES.split(",") or re.search(r"\) += -1 E", line):
        return []
    if call[1] in {"open", "openat"} and not re.search(r"O_(CREAT|WRONLY|RDWR)", line):
        return []
    places = [os.path.join(base or folder, name) for base, name in _TEXT.findall(call[2])]  # noqa: PTH118
    return [Path(os.path.normpath(place)) for place in places[-1:]]
