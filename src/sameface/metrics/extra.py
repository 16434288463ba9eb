"""The door to the libraries of the extra `evaluate`."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from sameface.errors import ExtraMissingError


def require(*modules: str) -> None:
    """Look whether modules are installed, without importing them: before work that ends in them.

    Raises:
        ExtraMissingError: one is not.
    """
    for module in modules:
        if find_spec(module) is None:
            raise _missing(module)


def need(module: str) -> Any:
    """Import a module of the extra `evaluate` when it is first used.

    Raises:
        ExtraMissingError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise _missing(module) from error


def _missing(module: str) -> ExtraMissingError:
    package = module.partition(".")[0].replace("sklearn", "scikit-learn")
    return ExtraMissingError(
        expected=f"{package}, which evaluation and calibration use",
        got="no such package",
        advice='run `pip install "sameface[evaluate]"`',
    )
