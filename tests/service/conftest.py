"""A service under test: in this process, or as a program of its own on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist

import httpx
import pytest
from starlette.testclient import TestClient

from sameface.models.operating_points import save_operating_point
from sameface.recognizer import Recognizer
from sameface.service import desk
from sameface.service.app import create_app
from sameface.service.settings import Settings
from sameface.types import DistanceSpread, OperatingPoint, TailPoint
from tests.ports import free_port
from tests.warm import Warm

LEVELS = (0.0, *(share / 50 for share in range(1, 50)), 1.0)


@pytest.fixture(scope="session")
def point_file(tmp_path_factory) -> Path:
    """A made-up operating point of the default space, so that no answer hangs on what is measured elsewhere."""

    def quantiles(mean: float, deviation: float) -> tuple[float, ...]:
        heap = NormalDist(mean, deviation)
        return tuple(heap.inv_cdf(min(max(level, 1e-4), 1 - 1e-4)) for level in LEVELS)

    point = OperatingPoint(
        threshold=1.1,
        space=Recognizer(operating_point=1.1).space,
        target="a test",
        mated_pairs=1000,
        non_mated_pairs=1000,
        people=100,
        data="made up",
        tail=tuple(TailPoint(at, fmr) for at, fmr in ((0.95, 1e-5), (1.0, 1e-4), (1.05, 1e-3), (1.1, 1e-2))),
        smallest_fmr=1e-5,
        distances=DistanceSpread(LEVELS, quantiles(0.27, 0.05), quantiles(0.6, 0.05)),
    )
    path = tmp_path_factory.mktemp("point") / "point.json"
    save_operating_point(point, path)
    return path


@pytest.fixture(scope="session", autouse=True)
def networks_are_loaded_once() -> Iterator[None]:
    """Each test starts its own service; the networks behind them are the same objects."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_detector", "load_encoder"):
            patch.setattr(desk, name, lru_cache(getattr(desk, name)))
        yield


def settings_of(folder: Path, point_file: Path, **differing: object) -> Settings:
    """Settings for an empty service that keeps its files in a folder."""
    usual: dict[str, object] = {
        "galleries": str(folder / "galleries"),
        "operating_point": str(point_file),
        "audit": folder / "audit.jsonl",
        "rate": 1000.0,
        "burst": 1000,
    }
    return Settings(**{**usual, **differing})  # type: ignore[arg-type]


@pytest.fixture
def make_settings(tmp_path, point_file) -> Callable[..., Settings]:
    """Settings for an empty service; give what should differ."""
    return lambda **differing: settings_of(tmp_path, point_file, **differing)


@pytest.fixture
def serve(make_settings) -> Iterator[Callable[..., TestClient]]:
    """Starts services in this process and stops them afterwards."""
    with contextlib.ExitStack() as stack:

        def start(**differing: object) -> TestClient:
            app = create_app(make_settings(**differing))
            client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=True)
            return stack.enter_context(client)

        yield start


@pytest.fixture
def api(serve) -> TestClient:
    """An open service on loopback with one empty gallery, ``people``."""
    return serve()


@pytest.fixture(scope="module")
def unchanged_api(tmp_path_factory, point_file) -> Iterator[TestClient]:
    """As `api`, one for all tests of a file: for questions that change nothing. To start a service takes longer than to ask it."""
    app = create_app(settings_of(tmp_path_factory.mktemp("service"), point_file))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def photo(photos) -> Callable[[str], bytes]:
    """The bytes of a shipped photo."""
    return lambda name: (photos / name).read_bytes()


class Program:
    """`sameface serve` as a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.log = folder.parent / f"serve-{self.port}.log"
        words = ("serve", str(folder), "--port", str(self.port), *options)
        self.process = Warm(words, output=self.log, environment=os.environ, cold="--workers" in options)
        self.url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/v1/ready").status_code == 200:
                    return
            time.sleep(0.1)
        self.stop(signal.SIGKILL)
        raise AssertionError(f"not ready:\n{self.log.read_text()[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.stop(how)

    def empty(self) -> None:
        """Forget everybody, as if it had just been started."""
        with httpx.Client(base_url=f"{self.url}/v1/") as client:
            for name in client.get("galleries").json()["galleries"]:
                assert client.delete(f"galleries/{name}").is_success
            assert client.post("galleries", json={"name": "people"}).is_success


def usual_options(point_file: Path, *given: str) -> tuple[str, ...]:
    """Those that are given, and the usual ones that are not: no option may come twice."""
    usual = {"--operating-point": str(point_file), "--rate": "100000", "--burst": "100000", "--timeout": "120"}
    return (*(word for name, value in usual.items() if name not in given for word in (name, value)), *given)


@pytest.fixture
def program(tmp_path, point_file) -> Iterator[Callable[..., Program]]:
    """Starts services as processes and stops them afterwards."""
    started: list[Program] = []

    def start(*options: str, folder: Path | None = None) -> Program:
        started.append(Program(folder or tmp_path / "galleries", *usual_options(point_file, *options)))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def kept_program(tmp_path_factory, point_file) -> Iterator[Program]:
    """One process for all tests of a file; `empty` makes it new."""
    running = Program(tmp_path_factory.mktemp("program") / "galleries", *usual_options(point_file))
    yield running
    running.stop()
