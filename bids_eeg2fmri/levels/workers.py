"""Several recordings at a time, each in a spawned process.

Every slot is a process pool of one, so that a process that dies (out of memory, a crash in a
library) takes only its own recording with it and is replaced.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread

from ..bids.recording_file import RecordingFile
from .failures import worker_died
from .logs import start_console
from .summary import Outcome

Task = Callable[[RecordingFile], Outcome]
Failure = Callable[[RecordingFile, Exception], Outcome]

_LOOK_EVERY_S = 0.5


class Workers:
    """A number of worker processes.

    Parameters
    ----------
    nprocs
        How many.
    verbosity
        Of their consoles.
    """

    def __init__(self, nprocs: int, verbosity: int = 0) -> None:
        self._nprocs = nprocs
        self._verbosity = verbosity
        self._stopped = Event()
        self._interrupted = Event()
        self._slots: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
        for _ in range(nprocs):
            self._slots.put(self._new_slot())

    def run(
        self, files: Sequence[RecordingFile], task: Task, fail: Failure, stop_on_failure: bool = False
    ) -> Iterator[Outcome]:
        """Outcomes as they come.

        Parameters
        ----------
        files
            Recordings to work on.
        task
            What to do with each; pickled into a worker.
        fail
            The outcome of a recording whose worker died; called in this process.
        stop_on_failure
            Start no further recording after a failure.
        """

        def run_one(file: RecordingFile) -> Outcome | None:
            if self._stopped.is_set():
                return None
            outcome = self._run_one(file, task, fail)
            if stop_on_failure and outcome is not None and outcome.status == "failed":
                self._stopped.set()
            return outcome

        threads = ThreadPoolExecutor(self._nprocs)
        try:
            for future in _as_completed([threads.submit(run_one, file) for file in files]):
                outcome = future.result()
                if outcome is not None:
                    yield outcome
        except BaseException:
            # The workers of a command that is asked to end would finish their recordings first.
            self._stopped.set()
            self._interrupted.set()
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            self._stopped.set()
            threads.shutdown()
            for _ in range(self._nprocs):
                self._slots.get().shutdown()

    def _run_one(self, file: RecordingFile, task: Task, fail: Failure) -> Outcome | None:
        slot = self._slots.get()
        try:
            return slot.submit(task, file).result()
        except BrokenProcessPool:
            slot.shutdown()
            slot = self._new_slot()
            return None if self._interrupted.is_set() else fail(file, worker_died(file.path))
        finally:
            self._slots.put(slot)

    def _new_slot(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, mp_context=spawn, initializer=_begin_worker, initargs=(self._verbosity,))


def _as_completed(futures: Sequence[Future[Outcome | None]]) -> Iterator[Future[Outcome | None]]:
    """Futures as they end; a request to end that came to another thread is heard, too.

    A signal that another thread takes, or that comes just before the main thread begins to wait, would else be
    heeded only when the next recording ends.
    """
    ended: SimpleQueue[Future[Outcome | None]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(ended.put)
    remaining = len(futures)
    while remaining:
        with suppress(Empty):
            yield ended.get(timeout=_LOOK_EVERY_S)
            remaining -= 1


def _begin_worker(verbosity: int) -> None:
    start_console(verbosity)
    # A worker whose parent was killed would wait for work for ever.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
