"""What `sameface train` refuses, and how it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from sameface.cli.name_value import settings_from
from sameface.cli.train import app
from sameface.errors import DataError, SettingError


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--recipe", "mnist"], SettingError),
        (["--steps", "0"], SettingError),
        (["--people", "1"], SettingError),
        (["--recipe", "omniglot"], DataError),
        (["--recipe", "lfw"], DataError),
        (["--recipe", "lfw-scratch"], DataError),
        (["--recipe", "orl", "--loss", "koch"], SettingError),  # a recipe decides that itself
        (["--recipe", "orl", "--resume"], SettingError),
        (["--recipe", "orl", "--background", "small2"], SettingError),
        (["--loss-setting", "temperature"], SettingError),
    ],
)
def test_refused(tmp_path: Path, arguments: list[str], error: type[Exception]) -> None:
    result = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "out"), *arguments])
    assert isinstance(result.exception, error)
    assert not (tmp_path / "out" / "checkpoint.pt").exists()


def test_settings_by_name_are_read_as_what_they_look_like() -> None:
    given = ["temperature=0.05", "Tn=10", "symmetric=true", "widths=32,64", "kind=odd"]
    expected = {"temperature": 0.05, "Tn": 10, "symmetric": True, "widths": (32, 64), "kind": "odd"}
    assert settings_from(given) == expected
