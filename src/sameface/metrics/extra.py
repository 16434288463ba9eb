"""The door to the libraries of the extra `evaluate`."""

from __future__ import annotations

import importlib
from typing import Any

from sameface.errors import ExtraMissingError


def need(module: str) -> Any:
    """Import a module of the extra `evaluate` when it is first used.

    Raises:
        ExtraMissingError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0].replace("sklearn", "scikit-learn")
        raise ExtraMissingError(
            expected=f"{package}, which evaluation and calibration use",
            got="no such package",
            advice='install the extra: pip install "sameface[evaluate]"',
        ) from error
