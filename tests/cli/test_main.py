"""`python -m sameface` runs no modules of the folder in which it is called."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["sameface", "sameface.cli"])
def test_modules_of_the_current_folder_are_not_run(tmp_path, module):
    for name in ("typer", "msgspec", "numpy", "rich", "json", "gc", "onnxruntime", "PIL"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('ran {name}.py')")
    done = subprocess.run(
        [sys.executable, "-m", module, "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "ran" not in done.stderr.split()
    assert "sameface" in done.stdout
