"""``python -m sameface.cli`` and the `sameface` script."""

import gc
import os
import sys

# `python -m` puts the folder in which it is called first among the places of modules: a `numpy.py` of somebody else's there would run.
if not sys.flags.safe_path and (sys.path[0] == "" or sys.path[0] == os.getcwd()):  # noqa: PTH109  pathlib would be the first module looked for there
    del sys.path[0]

from sameface.cli import app


def main() -> None:
    """Run the program, in a process that ends with it."""
    try:
        app.main()
    finally:
        gc.freeze()  # looking for cycles among all that was loaded would take 60 ms


if __name__ == "__main__":
    main()
