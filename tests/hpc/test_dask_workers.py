"""Workers of dask with stand-ins for the work on a recording, on a scheduler that runs already."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import LocalCluster, SpecCluster
from threadpoolctl import threadpool_info

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.cli import parse
from bids_eeg2fmri.errors import TemporaryError, UsageError
from bids_eeg2fmri.levels import dask_preparation, dask_workers
from bids_eeg2fmri.levels.dask_workers import DaskWorkers
from bids_eeg2fmri.levels.executors import run_each
from bids_eeg2fmri.levels.logs import RunLogs
from bids_eeg2fmri.levels.summary import Outcome
from bids_eeg2fmri.settings import Settings


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers, each with two threads; a task may kill one and no second."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1, "distributed.comm.timeouts.connect": "2s"}),
        LocalCluster(
            n_workers=2, threads_per_worker=2, memory_limit=None, dashboard_address=None, silence_logs=50
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def workers(cluster: LocalCluster, tmp_path: Path) -> Callable[..., DaskWorkers]:
    def make(dask_cluster: str = cluster.scheduler_address, **options: Any) -> DaskWorkers:
        settings = Settings(tmp_path, tmp_path / "out", "participant", executor="dask", dask_cluster=dask_cluster)
        return DaskWorkers(settings.__class__(**{**vars(settings), "omp_nthreads": 1, **options}), 1, tmp_path / "logs")

    return make


def recordings(folder: Path, *tasks: str) -> list[RecordingFile]:
    return [RecordingFile(folder / f"{task}.edf", folder, "raw", "01", task) for task in tasks]


def work(file: RecordingFile) -> Outcome:
    if file.task == "dieslate":
        deadline = time.monotonic() + 300
        while not file.path.with_name("told").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with file.path.open("a") as deaths:
            deaths.write("one")
    if file.task.startswith("dies"):
        once = file.task == "diesonce"
        if not (once and file.path.exists()):
            file.path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if file.task == "fails":
        return Outcome(file.label, file.subject, "failed")
    started = time.monotonic()
    time.sleep(0.3)
    threads = {library["num_threads"] for library in threadpool_info()}
    facts = {
        "pid": os.getpid(),
        "time": (started, time.monotonic()),
        "threads": [os.environ["NPROC"], *threads],
        "jax": "jax" in sys.modules,
    }
    return Outcome(file.label, file.subject, "written", message=json.dumps(facts))


def fail(file: RecordingFile, error: Exception) -> Outcome:
    code = getattr(error, "exit_code", 1)
    return Outcome(file.label, file.subject, "failed", message=str(error), exit_code=code)


def by_task(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.label.removeprefix("sub-01_task-"): outcome for outcome in outcomes}


def test_a_worker_takes_one_recording_at_a_time_with_the_threads_asked_for(workers, tmp_path: Path) -> None:
    outcomes = list(workers().run(recordings(tmp_path, *"abcdef"), work, fail))
    facts = [json.loads(outcome.message) for outcome in outcomes]
    assert set(by_task(outcomes)) == set("abcdef")
    assert len({fact["pid"] for fact in facts} - {os.getpid()}) == 2
    for pid in {fact["pid"] for fact in facts}:
        spans = sorted(fact["time"] for fact in facts if fact["pid"] == pid)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for fact in facts:
        assert fact["threads"] == ["1", 1]
        assert not fact["jax"]


def test_threads_are_the_workers_own_where_none_are_asked_for(workers, tmp_path: Path) -> None:
    (outcome,) = workers(omp_nthreads=None).run(recordings(tmp_path, "a"), work, fail)
    assert json.loads(outcome.message)["threads"] == ["2", 2]


def test_a_scheduler_is_found_by_its_file(workers, cluster: LocalCluster, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": cluster.scheduler_address}))
    outcomes = list(workers(str(file)).run(recordings(tmp_path, "a", "b"), work, fail))
    assert [outcome.status for outcome in outcomes] == ["written", "written"]


def test_a_recording_whose_worker_is_killed_is_run_again(workers, tmp_path: Path) -> None:
    outcomes = by_task(list(workers().run(recordings(tmp_path, "a", "diesonce", "b", "c"), work, fail)))
    assert {task: outcome.status for task, outcome in outcomes.items()} == dict.fromkeys(outcomes, "written")
    assert set(outcomes) == {"a", "diesonce", "b", "c"}


def test_a_recording_that_kills_every_worker_fails_alone(workers, tmp_path: Path) -> None:
    outcomes = by_task(list(workers().run(recordings(tmp_path, "a", "dies", "b", "c"), work, fail)))
    assert {task for task, outcome in outcomes.items() if outcome.status == "written"} == {"a", "b", "c"}
    assert outcomes["dies"].exit_code == 75
    assert "the worker process died" in outcomes["dies"].message


def test_nothing_is_started_after_a_failure_when_so_asked(workers, tmp_path: Path) -> None:
    files = recordings(tmp_path, "a", "fails", *"bcdefgh")
    outcomes = by_task(list(workers().run(files, work, fail, stop_on_failure=True)))
    assert {"a", "fails"} <= set(outcomes)
    assert len(outcomes) <= 4


def test_a_worker_that_dies_is_such_a_failure(workers, tmp_path: Path) -> None:
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        files = recordings(tmp_path, "a", "dies", *"bcdefgh")
        outcomes = by_task(list(workers().run(files, work, fail, stop_on_failure=True)))
    assert outcomes["dies"].exit_code == 75
    assert len(outcomes) < len(files)


def test_what_dies_after_a_failure_is_not_begun_again_when_so_asked(workers, tmp_path: Path) -> None:
    outcomes = []
    for outcome in workers().run(recordings(tmp_path, "dieslate", "fails"), work, fail, stop_on_failure=True):
        outcomes.append(outcome)
        (tmp_path / "told").touch()
    assert list(by_task(outcomes)) == ["fails", "dieslate"]
    assert (tmp_path / "dieslate.edf").read_text() == "one"


def test_a_scheduler_that_is_lost_fails_what_is_left(workers, tmp_path: Path) -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50) as doomed:
        running = workers(doomed.scheduler_address).run(recordings(tmp_path, "a", "b", "c"), work, fail)
        outcomes = [next(running)]
        SpecCluster.close(doomed)
        outcomes += running
    assert [outcome.status for outcome in outcomes] == ["written", "failed", "failed"]
    assert {outcome.exit_code for outcome in outcomes[1:]} == {75}
    assert "scheduler was lost" in outcomes[-1].message


# --- Refusals ---------------------------------------------------------------------------------------------------


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A stand-in for Slurm's command."""

    def make(script: str) -> None:
        path = tmp_path / "bin" / "sbatch"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}/bin{os.pathsep}/usr/bin")

    return make


def test_a_cluster_without_its_executor_is_said_to_have_no_effect(tmp_path: Path) -> None:
    line = [str(tmp_path), str(tmp_path.with_name("out")), "participant", "--dask-cluster", "slurm"]
    assert parse(line)[1] == ("--dask-cluster has no effect without --executor dask.",)
    assert parse([*line, "--executor", "dask"])[1] == ()


def test_a_worker_of_another_version_is_refused(
    workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: LocalCluster
) -> None:
    monkeypatch.setattr(dask_preparation, "__version__", "0.0")
    with pytest.raises(UsageError, match=r"the dask worker tcp://.* has bids-eeg2fmri .*, not 0\.0"):
        list(workers().run(recordings(tmp_path, "a"), work, fail))
    assert not any("bids-eeg2fmri" in name for name in cluster.scheduler.worker_plugins)


def test_a_worker_that_comes_late_is_refused_as_well(workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_preparation, "__version__", "0.0")
    nobody = LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None, silence_logs=50)
    # It comes when the command has looked for it and found none.
    monkeypatch.setattr(dask_workers, "replace_lost_jobs", lambda *_: nobody.scale(1))
    with nobody, pytest.raises(UsageError, match=r"the dask worker tcp://.* has bids-eeg2fmri .*, not 0\.0"):
        list(workers(nobody.scheduler_address).run(recordings(tmp_path, "a"), work, fail))


def test_a_name_that_means_nothing_is_refused_with_those_that_do(workers, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--dask-cluster slrum: no such .*htcondor, .*slurm, .*tcp://HOST:PORT"):
        list(workers("slrum").run(recordings(tmp_path, "a"), work, fail))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense:"])
def test_nobody_at_the_address(workers, address: str, tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="no dask scheduler answers"):
        list(workers(address).run(recordings(tmp_path, "a"), work, fail))


def test_a_batch_system_that_is_not_here(workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="--dask-cluster slurm: the command sbatch is not found"):
        list(workers("slurm").run(recordings(tmp_path, "a"), work, fail))


def test_a_batch_system_without_a_configuration(workers, tmp_path: Path, sbatch) -> None:
    sbatch("exit 0")
    with pytest.raises(UsageError, match=r"cores and memory.*Mend the section jobqueue\.slurm"):
        list(workers("slurm").run(recordings(tmp_path, "a"), work, fail))


def test_a_batch_system_that_refuses_the_job(workers, tmp_path: Path, sbatch) -> None:
    sbatch("echo 'invalid partition specified: gone' >&2; exit 1")
    job = {"jobqueue.slurm.cores": 1, "jobqueue.slurm.memory": "1GB", "jobqueue.slurm.interface": "lo"}
    with dask.config.set(job), pytest.raises(UsageError, match="invalid partition specified: gone"):
        list(workers("slurm").run(recordings(tmp_path, "a"), work, fail))


def test_without_dask_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bids_eeg2fmri.levels.dask_workers")
    monkeypatch.setitem(sys.modules, "distributed", None)
    settings = Settings(tmp_path, tmp_path / "out", "participant", executor="dask")
    with pytest.raises(UsageError, match=r"distributed is not installed.*pip install \"bids-eeg2fmri\[dask\]\""):
        list(run_each(recordings(tmp_path, "a"), work, settings, RunLogs(tmp_path, "command")))


# The last one, because it leaves workers that have loaded JAX.
def test_a_worker_without_a_gpu_refuses_and_keeps_the_threads_of_jax(workers, tmp_path: Path) -> None:
    outcomes = list(workers(device="gpu").run(recordings(tmp_path, "a", "b"), work, fail))
    for outcome in outcomes:
        assert (outcome.status, outcome.exit_code) == ("failed", 64)
        assert "JAX finds no GPU here" in outcome.message
    with pytest.raises(UsageError, match="has loaded JAX with 1 threads before"):
        list(workers(omp_nthreads=2).run(recordings(tmp_path, "a"), work, fail))
