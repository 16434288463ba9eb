"""What `sameface train` refuses, and how it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from sameface.cli.train import app
from sameface.errors import DataError, NotEnoughDataError, SettingError


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--recipe", "mnist"], SettingError),
        (["--steps", "0"], SettingError),
        (["--people", "1"], NotEnoughDataError),  # the folder is empty, which is said first
        (["--recipe", "omniglot"], DataError),
        (["--recipe", "lfw"], DataError),
    ],
)
def test_refused(tmp_path: Path, arguments: list[str], error: type[Exception]) -> None:
    result = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "out"), *arguments])
    assert isinstance(result.exception, error)
    assert not (tmp_path / "out" / "checkpoint.pt").exists()
