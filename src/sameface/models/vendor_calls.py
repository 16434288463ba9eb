"""ONNX Runtime's reports to its vendor: off before it is loaded, unless somebody switches them on.

From version 1.29 on it keeps a device id and a database of events in the user's cache, and sends them to its vendor.

Source: onnxruntime's pull request 27379 and its docs/Privacy.md.
"""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "ORT_DISABLE_TELEMETRY"
_YES: Final = frozenset({"1", "true", "yes", "on", "y"})


def silence() -> None:
    """Switch the reports off in this process and those it starts. Without effect once the runtime is loaded; a user's own choice stands."""
    if not os.environ.get(VARIABLE, "").strip():  # a variable without a value is no choice, and would leave them on
        os.environ[VARIABLE] = "1"


def are_silenced() -> bool:
    """Whether the runtime will report nothing: the variable holds a word that it takes for a yes."""
    return os.environ.get(VARIABLE, "").strip().lower() in _YES
