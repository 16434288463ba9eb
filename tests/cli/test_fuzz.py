"""A small share of the random calls; benchmarks/fuzz_cli.py makes two thousand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.calls import Calls, World, call


@pytest.mark.filterwarnings("ignore")  # readers of damaged files warn
def test_random_calls_end_as_they_should(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    world = World(tmp_path / "world")
    world.build(photos)
    calls = Calls(world, seed=7)
    codes = set()
    for _ in range(100):
        arguments, variables = calls.one()
        if arguments[:1] in (["train"], ["calibrate"], ["evaluate"]):  # slow; the long run has them
            continue
        code, _, _, fault = call(arguments, variables, world.folder)
        assert not fault, f"{variables} sameface {shlex.join(arguments)}\n{fault}"
        codes.add(code)
    assert {0, 2, 6} <= codes
