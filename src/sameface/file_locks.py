"""Locks between processes, held on open files. The system lets go of them when a process dies, so a kill blocks nobody.

They belong to the open file and not to the process, so two stores in one process exclude each other too. Never to be taken on a file of SQLite's
own (see `whole`).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

fcntl: Any
try:
    fcntl = importlib.import_module("fcntl")
except ImportError:  # Windows: `portalocker` has the same by another way
    fcntl = None


def try_lock(file: IO[bytes]) -> bool:
    """Lock an open file for this one alone. Returns False where somebody else holds it."""
    if fcntl is None:
        import portalocker

        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.AlreadyLocked:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(file: IO[bytes]) -> None:
    """Wait until nobody else holds the lock of an open file, and take it."""
    if fcntl is None:
        import portalocker

        portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE)
    else:
        fcntl.flock(file, fcntl.LOCK_EX)


def unlock(file: IO[bytes]) -> None:
    """Let go of the lock; closing the file does so too."""
    if fcntl is None:
        import portalocker

        portalocker.unlock(file)
    else:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def turn_at(path: Path, *, keep: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of a file that is there for nothing else.

    Args:
        path: it is made where there is none, readable by its owner only, and so is its folder.
        keep: asked when the block is over: whether there is still anything to take turns at. Else what was made for it goes too.
    """
    made = [folder for folder in (path.parent, *path.parent.parents) if not os.path.exists(folder)]  # noqa: PTH110  raises nothing
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(path):
            try:
                yield
            finally:
                if not keep():
                    with suppress(OSError):  # where open files cannot be removed it stays; it is empty
                        path.unlink()
    finally:
        if not keep():
            with suppress(OSError):  # others have put something there meanwhile
                for folder in made:
                    folder.rmdir()


def _locked(path: Path) -> IO[bytes]:
    """The file of a name, open, once nobody else holds its lock."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        lock(file)
        if _is_at(path, file):
            return file
        file.close()  # whoever had the turn took it away


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Hold a folder's own lock, which leaves no file behind: only for what may happen twice.

    Without effect on Windows, where a folder cannot be opened.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
