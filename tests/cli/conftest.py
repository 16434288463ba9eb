"""Run the program in this process, as a shell would: arguments in, exit code and both outputs out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sameface.cli.app import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run("verify", a, b)`, with an empty folder as the working directory and its own gallery."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAMEFACE_GALLERY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Done:
        if "train" in arguments[:1]:
            pytest.importorskip("torch")
        monkeypatch.setattr("sys.argv", ["sameface", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        code = exit_.value.code
        return Done(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    return call
