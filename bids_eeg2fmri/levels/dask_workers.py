"""Several recordings at a time, each on a worker of dask.

A worker has one recording at a time, however many threads it has. Where the worker dies, the recording goes to
another, until it has cost one worker more than dask's ``distributed.scheduler.allowed-failures``; then it fails alone.
Dask itself would blame all that waits for the same worker.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker

from ..bids.recording_file import RecordingFile
from ..errors import TemporaryError
from ..settings import Settings
from .dask_cluster import dask_client
from .dask_jobs import replace_lost_jobs
from .dask_preparation import prepared
from .failures import worker_died
from .machine import choose_device
from .summary import Outcome
from .workers import Failure, Task

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_REMIND_EVERY_S = 60.0
_PATIENCE_S = 10.0


class DaskWorkers:
    """Workers of dask.

    Parameters
    ----------
    settings
        Which cluster, and what its workers must know before their libraries are loaded.
    n_workers
        How many workers, or jobs, to start; a running scheduler has its own.
    log_dir
        Where the jobs of a batch system write their logs.
    """

    def __init__(self, settings: Settings, n_workers: int, log_dir: Path) -> None:
        self._settings = settings
        self._n_workers = n_workers
        self._log_dir = log_dir

    def run(
        self, files: Sequence[RecordingFile], task: Task, fail: Failure, stop_on_failure: bool = False
    ) -> Iterator[Outcome]:
        """Outcomes as they come; see :meth:`.Workers.run`.

        Raises
        ------
        UsageError
            There is no such cluster, or it cannot work as asked for.
        TemporaryError
            The running scheduler does not answer.
        """
        with dask_client(self._settings, self._n_workers, self._log_dir) as client:
            crew = _Crew(client, self._n_workers)
            shift = _Shift(client, files, task, self._settings)
            try:
                # What a worker lacks is raised here only if there is one already.
                crew.await_the_first()
                with prepared(client, self._settings):
                    for file, ending in _endings(shift, crew):
                        outcome = ending if isinstance(ending, Outcome) else fail(file, _explained(ending, file))
                        yield outcome
                        if stop_on_failure and outcome.status == "failed":
                            shift.start_no_more()
            except (CancelledError, OSError):
                lost = TemporaryError("dask's scheduler was lost.", remedy="Run again: finished recordings are kept.")
                yield from (fail(file, lost) for file in shift.unfinished)
            finally:
                shift.cancel()


def _endings(shift: _Shift, crew: _Crew) -> Iterator[tuple[RecordingFile, Outcome | Exception]]:
    """Recordings as they end, and how; none is begun once the shift was told so."""
    while shift.goes_on:
        addresses = crew.addresses()
        for file in shift.take_back(addresses):
            yield file, worker_died(file.path)
        shift.assign(addresses)
        if shift.waits:
            crew.replace_lost()
        yield from shift.finished()


class _Shift:
    """Who works on what, and what waits."""

    def __init__(self, client: Client, files: Sequence[RecordingFile], task: Task, settings: Settings) -> None:
        self._client = client
        self._task = task
        self._settings = settings
        self._waiting = deque(files)
        self._running: dict[Future, tuple[RecordingFile, str]] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._deaths: Counter[str] = Counter()
        self._stopped = False

    @property
    def goes_on(self) -> bool:
        return bool(self._waiting or self._running)

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    @property
    def unfinished(self) -> list[RecordingFile]:
        return [*(file for file, _ in self._running.values()), *self._waiting]

    def take_back(self, addresses: Sequence[str]) -> list[RecordingFile]:
        """Take recordings back from workers that are gone; returns those that are given up."""
        given_up = []
        allowed = dask.config.get("distributed.scheduler.allowed-failures")
        for future, (file, address) in list(self._running.items()):
            if address not in addresses:
                del self._running[future]
                future.cancel()
                self._deaths[file.label] += 1
                if self._stopped or self._deaths[file.label] > allowed:
                    given_up.append(file)
                else:
                    logger.warning("%s: its dask worker died; another one takes it", file.label)
                    self._waiting.append(file)
        return given_up

    def assign(self, addresses: Sequence[str]) -> None:
        """Give every idle worker a recording."""
        busy = {address for _, address in self._running.values()}
        for address in addresses:
            if self._waiting and address not in busy:
                self._submit(self._waiting.popleft(), address)

    def _submit(self, file: RecordingFile, address: str) -> None:
        key = f"{file.label}-{uuid4()}"
        future = self._client.submit(
            *(_on_worker, self._task, file, self._settings), key=key, workers=[address], pure=False
        )
        self._running[future] = (file, address)
        future.add_done_callback(self._ended.put)

    def finished(self) -> Iterator[tuple[RecordingFile, Outcome | Exception]]:
        """What ends within a moment, and how."""
        if not self._running:
            time.sleep(_LOOK_EVERY_S)
            return
        with suppress(Empty):
            future = self._ended.get(timeout=_LOOK_EVERY_S)
            # One whose worker died has been taken back.
            if future not in self._running:
                return
            try:
                ending = future.exception(timeout=_PATIENCE_S) or future.result(timeout=_PATIENCE_S)
            except TimeoutError:
                # The worker died before it could tell.
                self._ended.put(future)
                return
            file, _ = self._running.pop(future)
            yield file, ending

    def start_no_more(self) -> None:
        """What runs is finished; nothing else is begun."""
        self._stopped = True
        self._waiting.clear()

    def cancel(self) -> None:
        """Withdraw what runs; what a worker has begun it finishes, unless it ends with its cluster."""
        with suppress(CancelledError, OSError):
            self._client.cancel(list(self._running))


class _Crew:
    """The workers at hand, which come and go."""

    def __init__(self, client: Client, n_workers: int) -> None:
        self._client = client
        self._n_workers = n_workers
        self._known = 0
        self._told = time.monotonic()

    def addresses(self) -> list[str]:
        """Those that are there now; a lack of any is told now and then."""
        found = sorted(self._client.nthreads())
        if len(found) != self._known:
            logger.info("Dask workers: %d", len(found))
            self._known, self._told = len(found), time.monotonic()
        elif not found and time.monotonic() - self._told > _REMIND_EVERY_S:
            logger.warning("No dask worker has come yet. Look at the batch system's queue and at the workers' logs.")
            self._told = time.monotonic()
        return found

    def await_the_first(self) -> None:
        """Wait until there is a worker, however long the batch system's queue is."""
        while not self.addresses():
            self.replace_lost()
            time.sleep(_LOOK_EVERY_S)

    def replace_lost(self) -> None:
        """Ask for workers again that were lost."""
        replace_lost_jobs(self._client, self._n_workers)


def _on_worker(task: Task, file: RecordingFile, settings: Settings) -> Outcome:
    if settings.device == "gpu":
        choose_device(replace(settings, executor="processes"))
    return task(file)


def _explained(error: Exception, file: RecordingFile) -> Exception:
    """Dask's own word for a worker that came back at its old address and died again is ours, too."""
    return worker_died(file.path) if isinstance(error, KilledWorker) else error
