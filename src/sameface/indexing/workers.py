"""Who encodes the photos of an archive: this process, several on this machine, or a dask cluster of many. The same jobs, the same answers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from sameface.errors import ExtraMissingError, GalleryUnavailableError
from sameface.indexing.photos import Found, Job, encode

#: Jobs handed out ahead, for each worker: enough that none waits, few enough that a stop is quick.
_AHEAD = 4
#: Times that a photo is given to another worker when the one that had it died; then it is reported.
_TRIES = 3


def here(jobs: Iterable[Job]) -> Iterator[Found]:
    """One after the other, in this process."""
    yield from map(encode, jobs)


def processes(jobs: Iterable[Job], count: int) -> Iterator[Found]:
    """Several processes of this machine; answers as they come. A process that dies takes nothing with it: its photos are given out again."""
    source, tries = iter(jobs), dict[Job, int]()
    waiting: list[Job] = []
    while True:
        pending: dict[Future[Found], Job] = {}
        with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                while True:
                    waiting += islice(source, max(0, _AHEAD * count - len(pending) - len(waiting)))
                    while waiting:
                        job = waiting.pop()
                        pending[pool.submit(encode, job)] = job
                    if not pending:
                        return
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        found = future.result()
                        tries.pop(pending.pop(future), None)
                        yield found
            except BrokenProcessPool:
                for job in pending.values():
                    tries[job] = tries.get(job, 0) + 1
                waiting += [job for job in pending.values() if tries[job] < _TRIES]
                for job in [job for job in pending.values() if tries[job] >= _TRIES]:
                    yield Found(job.path, job.sha256, (), "the process that read it died, three times")


def cluster(jobs: Iterable[Job], scheduler: str) -> Iterator[Found]:
    """A dask cluster; answers as they come. Its scheduler gives the photos of a worker that died to another.

    Args:
        scheduler: ``tcp://…`` of a running one, whose workers have sameface installed and read the same paths; ``local`` makes one here.

    Raises:
        ExtraMissingError: the extra `cluster` is not installed.
        GalleryUnavailableError: no scheduler answers there.
    """
    try:
        import distributed as untyped
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `cluster` for work on a dask cluster",
            got=f"no module {error.name}",
            advice="pip install 'sameface[cluster]'",
        ) from error
    distributed: Any = untyped
    try:
        client = (
            distributed.Client(processes=True, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0")
            if scheduler == "local"
            else distributed.Client(scheduler, timeout=10)
        )
    except (OSError, TimeoutError) as error:
        raise GalleryUnavailableError(
            expected=f"a dask scheduler at {scheduler}", got=str(error), advice="start one with `dask scheduler`"
        ) from error
    with client:
        source = iter(jobs)
        ahead = _AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        running = distributed.as_completed(
            [client.submit(encode, job, pure=False, retries=_TRIES) for job in islice(source, ahead)]
        )
        for future in running:
            yield future.result()
            for job in islice(source, 1):
                running.add(client.submit(encode, job, pure=False, retries=_TRIES))
