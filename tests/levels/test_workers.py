from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.levels.summary import Outcome
from bids_eeg2fmri.levels.workers import Workers


def recordings(*tasks: str) -> list[RecordingFile]:
    return [RecordingFile(Path("x.edf"), Path(), "raw", "01", task) for task in tasks]


def work(file: RecordingFile) -> Outcome:
    if file.task == "dies":
        os._exit(137)
    if file.task == "slow":
        time.sleep(4)
    return Outcome(file.label, file.subject, "written", message=str(os.getpid()))


def bury(file: RecordingFile, error: Exception) -> Outcome:
    return Outcome(file.label, file.subject, "failed", message=str(error))


@pytest.mark.parametrize("nprocs", [1, 2])
def test_a_worker_that_dies_takes_only_its_recording_with_it(nprocs: int) -> None:
    outcomes = list(Workers(nprocs).run(recordings("a", "dies", "b", "c"), work, bury))
    assert {outcome.label: outcome.status for outcome in outcomes} == {
        "sub-01_task-a": "written",
        "sub-01_task-dies": "failed",
        "sub-01_task-b": "written",
        "sub-01_task-c": "written",
    }
    assert str(os.getpid()) not in {outcome.message for outcome in outcomes}


def test_nothing_is_started_after_a_failure_when_so_asked() -> None:
    outcomes = Workers(1).run(recordings("a", "dies", "b", "c"), work, bury, stop_on_failure=True)
    assert [outcome.label for outcome in outcomes] == ["sub-01_task-a", "sub-01_task-dies"]


def test_what_runs_is_finished_after_a_failure() -> None:
    outcomes = Workers(2).run(recordings("slow", "dies", "b", "c"), work, bury, stop_on_failure=True)
    assert {outcome.label for outcome in outcomes} == {"sub-01_task-slow", "sub-01_task-dies"}


def touch_slowly(file: RecordingFile) -> Outcome:
    file.path.with_name("started").touch()
    time.sleep(120)
    file.path.touch()
    return Outcome(file.label, file.subject, "written")


def test_an_interruption_ends_the_workers(tmp_path: Path) -> None:
    def interrupt() -> None:
        deadline = time.monotonic() + 300
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        # Taken by this thread, it does not wake the main thread, as may happen to any signal of many threads.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    threading.Timer(0, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        list(Workers(1).run([RecordingFile(tmp_path / "x.edf", tmp_path, "raw", "01", "a")], touch_slowly, _unwanted))
    assert not multiprocessing.active_children()
    assert not (tmp_path / "x.edf").exists()


def _unwanted(file: RecordingFile, error: Exception) -> Outcome:
    raise AssertionError(error)


def test_a_task_that_raises_is_raised() -> None:
    task: Callable[[RecordingFile], Outcome] = _raise
    running: Iterator[Outcome] = Workers(1).run(recordings("a"), task, bury)
    with pytest.raises(ZeroDivisionError):
        list(running)


def _raise(file: RecordingFile) -> Outcome:
    raise ZeroDivisionError
