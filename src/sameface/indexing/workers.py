"""Who encodes the photos of an archive: this process, several on this machine, or a dask cluster of many. The same jobs, the same answers.

Every job gets one answer, whatever dies meanwhile. A worker that dies takes a photo with it only when that photo, alone with a worker, kills it again
and again; then that is the answer.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Final

import sameface
from sameface.errors import ExtraMissingError, GalleryUnavailableError, SamefaceError, WorkerError
from sameface.indexing.photos import Found, Job, encode

#: Jobs handed out ahead, for each worker: enough that none waits, few enough that a stop is quick.
_AHEAD: Final = 4
#: Times that a photo is given to a worker when the one that had it died; then it is reported.
_TRIES: Final = 3
#: Processes in a row that may end before they are ready to work.
_STARTS: Final = 5
#: Seconds that a scheduler has to answer.
_PATIENCE: Final = 10
#: What is answered for a photo that kills whoever reads it.
KILLS: Final = "every process that read it died: it may be damaged in a way that a decoder cannot stand, or too large for the memory"


def here(jobs: Iterable[Job]) -> Generator[Found]:
    """One after the other, in this process."""
    yield from map(encode, jobs)


# -- several processes ------------------------------------------------------------------------------------------------
class _Seat:
    """A place for one process, which is replaced when it dies, and the jobs that it was given, in the order it does them."""

    def __init__(self) -> None:
        self.given: deque[tuple[Job | None, Future[Any]]] = deque()
        self.starts = 0
        self._start()

    def _start(self) -> None:
        self._pool = ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts_to_the_parent
        )
        # Whoever dies before this is done, died of nothing that it was given.
        self.given.append((None, self._pool.submit(_ready)))

    def take(self, job: Job) -> bool:
        """Hand out a job; False where the process is dead, and the job still the caller's."""
        try:
            self.given.append((job, self._pool.submit(encode, job)))
        except BrokenProcessPool:
            return False
        return True

    def answers(self) -> Iterator[Found]:
        """What is done, in order. Raises BrokenProcessPool at the first job that is not, where the process died."""
        while self.given and self.given[0][1].done():
            job, future = self.given[0]
            answer = future.result()
            self.given.popleft()
            if job is None:
                self.starts = 0
            else:
                yield answer

    def replace(self) -> tuple[Job | None, list[Job]]:
        """A new process in place of a dead one. Returns what the dead one worked on, if on anything, and what it had not begun.

        Raises:
            WorkerError: process after process ends before it is ready.
        """
        self._pool.shutdown(wait=False, cancel_futures=True)
        suspect = self.given[0][0] if self.given else None
        untouched = [job for job, _ in self.given if job is not None and job is not suspect]
        if self.given and suspect is None:
            self.starts += 1
        if self.starts >= _STARTS:
            raise WorkerError(
                expected="a process that is ready to encode photos",
                got=f"{_STARTS} in a row that ended first",
                advice="look at the messages above; try --processes 1",
            )
        self.given.clear()
        self._start()
        return suspect, untouched

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def processes(jobs: Iterable[Job], count: int) -> Generator[Found]:
    """Several processes of this machine; answers as they come.

    A process has jobs of its own, so when it dies the one at its head is suspected and all others are given out again. A suspect is tried when
    nothing else is left, alone with a process.

    Raises:
        WorkerError: processes cannot do such jobs at all.
    """
    source = iter(jobs)
    again: deque[Job] = deque()
    suspects: deque[Job] = deque()
    deaths = Counter[Job]()
    seats = [_Seat() for _ in range(count)]
    try:
        while True:
            for seat in seats:
                _hand_out(seat, source, again, suspects, deaths)
            waiting = [future for seat in seats for _, future in seat.given]
            if not again and not suspects and all(job is None for seat in seats for job, _ in seat.given):
                return
            wait(waiting, return_when=FIRST_COMPLETED)
            for seat in seats:
                try:
                    yield from seat.answers()
                except BrokenProcessPool:
                    suspect, untouched = seat.replace()
                    again.extend(untouched)
                    if suspect is None:
                        continue
                    deaths[suspect] += 1
                    if deaths[suspect] < _TRIES:
                        suspects.append(suspect)
                    else:
                        yield Found(suspect.path, "", (), KILLS)
    finally:
        for seat in seats:
            seat.close()


def _hand_out(
    seat: _Seat, source: Iterator[Job], again: deque[Job], suspects: deque[Job], deaths: Counter[Job]
) -> None:
    """Give a process as much as it may hold: jobs of another's death first, new ones, and when there are none a suspect, alone."""
    if any(deaths[job] for job, _ in seat.given if job is not None):
        return
    while sum(job is not None for job, _ in seat.given) < _AHEAD:
        job = again[0] if again else next(source, None)
        if job is None:
            break
        if not again:
            again.append(job)  # kept until somebody has it
        if not seat.take(job):
            return
        again.popleft()
    if suspects and not again and not any(job is not None for job, _ in seat.given) and seat.take(suspects[0]):
        suspects.popleft()


def _ready() -> None:
    """The first job of a process; its imports are done when this is."""


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# -- a cluster --------------------------------------------------------------------------------------------------------
def cluster(jobs: Iterable[Job], scheduler: str) -> Generator[Found]:
    """A dask cluster; answers as they come. Its scheduler gives the photos of a worker that died to another.

    It suspects every photo that a dead worker held, so those are tried again when all others are done, one at a time.

    Args:
        scheduler: ``tcp://…`` of a running one, whose workers have this version of sameface and read the same paths; ``local`` makes one here.

    Raises:
        ExtraMissingError: the extra `cluster` is not installed.
        GalleryUnavailableError: no scheduler answers there, or it is gone.
        WorkerError: a worker has another version, or none of the models.
    """
    distributed = _distributed()
    with _client(distributed, scheduler) as client:
        _require_one_version(client)
        source = iter(jobs)
        ahead = _AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        given: dict[Any, Job] = {}

        def submit(some: Iterable[Job]) -> list[Any]:
            fresh = {client.submit(encode, job, pure=False): job for job in some}
            given.update(fresh)
            return list(fresh)

        suspects: list[Job] = []
        running = distributed.as_completed(submit(islice(source, ahead)))
        for future in running:
            job = given.pop(future)
            found = _answer(distributed, future, job, scheduler)
            if found is None:
                suspects.append(job)
            else:
                yield found
            for fresh in submit(islice(source, 1)):
                running.add(fresh)
        for job in suspects:
            future = client.submit(encode, job, pure=False)
            yield _answer(distributed, future, job, scheduler) or Found(job.path, "", (), KILLS)


def _answer(distributed: Any, future: Any, job: Job, scheduler: str) -> Found | None:
    """The answer for a job; None where the workers that had it died."""
    try:
        found: Found = future.result()
    except distributed.KilledWorker:
        return None
    except SamefaceError:
        raise
    except (CancelledError, OSError) as error:
        raise GalleryUnavailableError(
            expected=f"the dask scheduler at {scheduler}",
            got=f"it is gone ({type(error).__name__})",
            advice="start it again and run the same command: what was done is kept",
        ) from error
    except Exception as error:  # noqa: BLE001 - what came over the wire may be anything; the work on the others goes on
        return Found(job.path, "", (), f"{type(error).__name__}: {error}")
    return found


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `cluster` for work on a dask cluster",
            got=f"no module {error.name}",
            advice='run `pip install "sameface[cluster]"`',
        ) from error
    return distributed


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        if scheduler == "local":
            return distributed.Client(
                processes=True, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
            )
        return distributed.Client(scheduler, timeout=_PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        raise GalleryUnavailableError(
            expected=f"a dask scheduler at {scheduler}", got=str(error), advice="start one with `dask scheduler`"
        ) from error


def version() -> str:
    """Of the sameface that runs this."""
    return sameface.__version__


def _require_one_version(client: Any) -> None:
    """Raise WorkerError where a worker has another sameface, or none."""
    for address, theirs in client.run(version, on_error="return").items():
        if theirs != version():
            raise WorkerError(
                expected=f"sameface {version()} on every worker",
                got=f"{theirs if isinstance(theirs, str) else repr(theirs)} on {address}",
                advice="install the same version on all of them",
            )
