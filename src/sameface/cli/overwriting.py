"""Where outputs may go: one rule for every command, looked at before any work.

What lies there is kept, unless ``--overwrite`` is given; what a command reads is never what it writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what lies where the output goes.")]


def new_file(path: Path, *, overwrite: bool, sources: Iterable[str | Path] = ()) -> Path:
    """A file that may be written.

    Args:
        path: where.
        overwrite: whether a file there may be replaced.
        sources: what the command reads; none of them may be written, whatever was asked for.

    Raises:
        OutputError: it exists, is a folder or a device, lies below a file, or its folder may not be written.
    """
    from sameface.errors import OutputError

    for source in sources:
        if _same(path, Path(source)):
            raise OutputError(
                expected="an output beside the source",
                got=f"{path}, which is what is read",
                advice="choose another name for the output",
            )
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no regular file"
        raise OutputError(expected=f"to write {path}", got=f"{what} there", advice="choose another name")
    if path.exists() and not overwrite:
        raise OutputError(
            expected=f"nothing at {path}", got="a file there", advice="choose another name, or add --overwrite"
        )
    _writable(path)
    return path


def new_folder(path: Path, *, overwrite: bool) -> Path:
    """A folder that may be filled: new or empty, or one whose files may be replaced.

    Raises:
        OutputError: it holds something, is a file, or cannot be made.
    """
    from sameface.errors import OutputError

    if path.exists() and not path.is_dir():
        raise OutputError(expected=f"a folder at {path}", got="a file there", advice="choose another name")
    if path.is_dir() and not overwrite and any(path.iterdir()):
        raise OutputError(
            expected=f"an empty folder at {path}",
            got="files in it",
            advice="choose another name, or add --overwrite",
        )
    _writable(path)
    return path


def _writable(path: Path) -> None:
    from sameface.errors import OutputError

    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise OutputError(
            expected=f"to write {path}", got=f"{above}, which is no folder", advice="choose another place"
        )
    if not os.access(above, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise OutputError(
            expected=f"to write {path}",
            got=f"no permission in {above}",
            advice="choose another place, or change its permissions",
        )


def _same(path: Path, source: Path) -> bool:
    try:
        return path.samefile(source)
    except OSError:
        return path.absolute() == source.absolute()
