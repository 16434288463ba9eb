"""No call home, and no file outside sameface's own folders: not by us, and not by what we load."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import onnxruntime
import pytest

from tests.conftest import ROOT
from tests.outside.watch import Doings, watched

_CALL = """
import contextlib, pathlib, socket, sys
pathlib.Path.home().joinpath("id").write_text("me")
with contextlib.suppress(OSError):
    socket.create_connection((sys.argv[1], 9), timeout=0.1)
"""


@dataclass(frozen=True, slots=True)
class House:
    """A user's folders, empty at first."""

    home: Path
    work: Path
    temporary: Path

    @classmethod
    def in_(cls, folder: Path) -> House:
        house = cls(folder / "home", folder / "work", folder / "tmp")
        for place in (house.home, house.work, house.temporary):
            place.mkdir()
        return house

    def environment(self, **more: str) -> dict[str, str]:
        """A user's own, not a continuous integration's: there the runtime is quiet anyway."""
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def strangers(self, doings: Doings) -> list[Path]:
        """What was written where it should not."""
        cache = self.home / ".cache" / "sameface"
        own = (self.work, self.temporary, cache)
        made_on_the_way = set(cache.parents)
        return sorted(
            path
            for path in doings.written
            if not path.is_relative_to(ROOT / "src")  # a clone is read only
            and not any(path.is_relative_to(place) for place in own)
            and path not in made_on_the_way
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.in_(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def day(house: House, tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Doings:
    """The service, the main job and a training step, watched."""
    command = [sys.executable, "-m", "tests.outside.errands", photos]
    return watched(
        command, log=tmp_path_factory.mktemp("log") / "calls", folder=house.work, environment=house.environment()
    )


def test_nobody_is_called(day: Doings) -> None:
    assert day.calls == []


def test_files_lie_in_our_own_folders(day: Doings, house: House) -> None:
    assert any(path.is_relative_to(house.home / ".cache" / "sameface") for path in day.written), day.output
    assert house.strangers(day) == []
    assert list(house.temporary.iterdir()) == []


def test_the_watch_sees_a_call_and_a_stranger(tmp_path: Path) -> None:
    """Else the tests above could not fail."""
    house = House.in_(tmp_path)
    for place in ("name.invalid", "203.0.113.1", "2001:db8::1"):
        program = [sys.executable, "-c", _CALL, place]
        doings = watched(program, log=tmp_path / "log", folder=house.work, environment=house.environment())
        assert doings.calls, place
        assert house.strangers(doings) == [house.home / "id"]


@pytest.mark.skipif(
    tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 29), reason="this ONNX Runtime calls nobody on Linux"
)
def test_a_users_own_choice_stands(tmp_path: Path) -> None:
    house = House.in_(tmp_path)
    program = [sys.executable, "-c", "import sameface.models.runtime"]
    asked_for = house.environment(ORT_DISABLE_TELEMETRY="0")
    assert house.strangers(watched(program, log=tmp_path / "log", folder=house.work, environment=asked_for)) != []
    empty = house.environment(ORT_DISABLE_TELEMETRY="")  # as a shell leaves a variable that was never given a value
    house.home.joinpath(".cache").rename(tmp_path / "gone")
    assert house.strangers(watched(program, log=tmp_path / "log", folder=house.work, environment=empty)) == []
