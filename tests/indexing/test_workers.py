"""Every job gets one answer, whatever dies: processes and a dask cluster under random kills, beside an undisturbed run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from sameface.errors import ExtraMissingError, GalleryUnavailableError, WorkerError
from sameface.indexing import workers
from sameface.indexing.photos import Found, Job

from .made_up import faulty, killing, made_up, photo, poisonous, slow

#: Random kills in a run; ``SAMEFACE_KILLS=20`` is the long one.
KILLS = int(os.environ.get("SAMEFACE_KILLS", "8"))


def jobs_of(folder: Path, count: int) -> list[Job]:
    return [
        Job(str(photo(folder / f"{number}.png", number % 4, number)), "made-up", "made-up", 1)
        for number in range(count)
    ]


def answers(found: Iterable[Found]) -> dict[str, tuple[str, str, list[bytes]]]:
    """By path; that every path came once is asserted."""
    listed = [(item.path, (item.sha256, item.error, [t.embedding.tobytes() for t in item.templates])) for item in found]
    assert len(listed) == len(dict(listed))
    return dict(listed)


def until_killed(jobs: list[Job], killed: list[int]) -> Iterator[Job]:
    """The jobs, and as long as not all kills are done more of the same photos under other names."""
    yield from jobs
    number = 0
    while len(killed) < KILLS:
        source = Path(jobs[number % len(jobs)].path)
        copy = source.with_name(f"again {number}.png")
        copy.write_bytes(source.read_bytes())
        number += 1
        yield Job(str(copy), "made-up", "made-up", 1)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Callable[[Iterable[Job]], Iterator[Found]]]:
    """Runs jobs on two processes of a cluster of its own, each with a nurse that starts it again."""
    distributed = pytest.importorskip("distributed")
    import multiprocessing

    import dask.config
    from distributed.utils import get_mp_context

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        get_mp_context()
        multiprocessing.set_forkserver_preload(["distributed", "sameface.indexing.photos", "tests.indexing.made_up"])
        with distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
            local_directory=str(tmp_path),
        ) as cluster:
            yield lambda jobs: workers.cluster(jobs, cluster.scheduler_address)
            cluster.wait_for_workers(2, timeout=250)  # closing one that is about to start fails


@pytest.mark.timeout(900)  # processes start again and again, on a machine that may be busy
def test_random_kills_among_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "encode", slow)
    jobs = jobs_of(tmp_path / "photos", 200)
    with killing(tmp_path / "pids", KILLS) as killed:
        found = answers(workers.processes(until_killed(jobs, killed), 2))
    assert len(killed) == KILLS
    undisturbed = answers(map(made_up, jobs))
    assert {path: found[path] for path in undisturbed} == undisturbed
    assert all(error == "" for _, error, _ in found.values())


@pytest.mark.timeout(900)
def test_random_kills_in_a_cluster_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(workers, "encode", slow)
    run = request.getfixturevalue("dask")
    jobs = jobs_of(tmp_path / "photos", 200)
    with killing(tmp_path / "pids", KILLS) as killed:
        found = answers(run(until_killed(jobs, killed)))
    assert len(killed) == KILLS
    undisturbed = answers(map(made_up, jobs))
    assert {path: found[path] for path in undisturbed} == undisturbed
    assert all(error == "" for _, error, _ in found.values())


@pytest.mark.parametrize("where", ["processes", "dask"])
@pytest.mark.timeout(600)  # as above
def test_a_poisonous_photo_is_reported_and_nobody_else_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, where: str
) -> None:
    monkeypatch.setattr(workers, "encode", poisonous)
    jobs = jobs_of(tmp_path, 40)
    jobs.insert(3, Job(str(photo(tmp_path / "poison.png", 1, 99)), "made-up", "made-up", 1))
    run = request.getfixturevalue("dask") if where == "dask" else lambda jobs: workers.processes(jobs, 2)
    found = answers(run(jobs))
    assert {Path(path).name for path, (_, error, _) in found.items() if error} == {"poison.png"}
    assert found[jobs[3].path][1] == workers.KILLS
    assert len(found) == 41


@pytest.mark.timeout(120)
def test_processes_that_never_get_ready_are_not_started_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_ready", die)
    with pytest.raises(WorkerError, match="in a row"):
        list(workers.processes(jobs_of(tmp_path, 3), 1))


def die() -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def test_what_nobody_foresaw_costs_one_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dask: Callable) -> None:  # type: ignore[type-arg]
    monkeypatch.setattr(workers, "encode", faulty)
    jobs = jobs_of(tmp_path, 5)
    jobs.append(Job(str(photo(tmp_path / "poison.png", 1, 99)), "made-up", "made-up", 1))
    found = answers(dask(jobs))
    assert [Path(path).name for path, (_, error, _) in found.items() if "MemoryError" in error] == ["poison.png"]


def test_workers_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
        ) as cluster,
        monkeypatch.context() as patch,
    ):
        patch.setattr(workers, "_require_one_version", lambda client: None)
        job = Job(str(photo(tmp_path / "1.png", 1, 1)), "mtcnn", "pixels", 1, version="0.0.0")
        with pytest.raises(WorkerError, match=r"0\.0\.0"):
            list(workers.cluster([job], cluster.scheduler_address))
        with distributed.Client(cluster.scheduler_address) as client:
            patch.undo()
            patch.setattr(client, "run", lambda function, on_error: {"tcp://elsewhere:1": "0.0.0"})
            with pytest.raises(WorkerError, match="elsewhere"):
                workers._require_one_version(client)


@pytest.mark.timeout(60)
def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "_PATIENCE", 1)
    with pytest.raises(GalleryUnavailableError, match="dask scheduler"):
        list(workers.cluster([], "tcp://127.0.0.1:1"))


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ExtraMissingError, match="cluster"):
        list(workers.cluster([], "local"))
