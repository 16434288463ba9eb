"""The program: no modules of the folder in which it is called are run, and it can be called from a process that goes on."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("module", ["sameface", "sameface.cli"])
def test_modules_of_the_current_folder_are_not_run(tmp_path, module):
    for name in ("typer", "msgspec", "numpy", "rich", "json", "gc", "onnxruntime", "PIL"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('ran {name}.py')")
    done = subprocess.run(
        [sys.executable, "-m", module, "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "ran" not in done.stderr.split()
    assert "sameface" in done.stdout


def test_a_process_that_calls_it_and_goes_on_can_still_free_its_memory(run: Run) -> None:
    """What is frozen is never looked at again: each network that hung in a cycle stayed until the process ended."""
    before = gc.get_freeze_count()
    assert run("models", "list", "--json").code == 0
    assert run("people").code != 0
    assert gc.get_freeze_count() <= before  # what was frozen earlier may be freed meanwhile, which counts it no more


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.parametrize("arguments", [["verify", "{0}", "{0}"], ["models", "list", "--json"], ["--help"]])
def test_nobody_who_reads_is_neither_yes_nor_no(arguments, photos):
    """Under 1, the shell took a closed pipe for *another person*; under 0, a *no* for a *yes*."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sameface", *(word.format(photos / "obama.jpg") for word in arguments)],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
