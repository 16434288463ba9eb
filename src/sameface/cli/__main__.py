"""``python -m sameface.cli`` and the `sameface` script."""

import os
import sys

# `python -m` puts the folder in which it is called first among the places of modules: a `numpy.py` of somebody else's there would run.
if not sys.flags.safe_path and (sys.path[0] == "" or sys.path[0] == os.getcwd()):  # noqa: PTH109
    del sys.path[0]

from sameface.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
