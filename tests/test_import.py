"""Importing the package loads nothing heavy and does nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("onnxruntime", "onnx", "torch", "fastapi", "psycopg", "cv2", "PIL", "numpy", "sklearn", "matplotlib", "rich")


@pytest.mark.parametrize("module", ["sameface", "sameface.errors", "sameface.cli.app"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_every_public_name_exists() -> None:
    import sameface

    for name in sameface.__all__:
        assert getattr(sameface, name) is not None
    with pytest.raises(AttributeError):
        _ = sameface.no_such_name
