"""The command with workers of dask: the same bytes as without, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster_run import OPTIONS, SCRIPTS, TIMEOUT_S, Run, takes_minutes
from slurm_node import jobs

FAULT = Path(__file__).parent / "fault"
DASK = (*OPTIONS, "--executor", "dask")
PATIENCE_S = 300


@pytest.fixture
def killing(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Variables with which a worker is killed (SIGKILL) whenever it opens a file that ends so."""

    def at(name: str, times: int) -> dict[str, str]:
        (tmp_path / "kills").mkdir()
        python_path = os.pathsep.join(filter(None, (str(FAULT), os.environ.get("PYTHONPATH"))))
        marks = {"KILL_AT": name, "KILL_TIMES": str(times), "KILL_MARKS": str(tmp_path / "kills")}
        return {**marks, "PYTHONPATH": python_path}

    return at


@pytest.fixture
def started(programs: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes that end with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*line: str | Path, **variables: str) -> subprocess.Popen[bytes]:
        processes.append(
            subprocess.Popen(
                [str(word) for word in line],
                env={**programs, **variables},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.terminate()
        process.wait(PATIENCE_S)


def kills(tmp_path: Path) -> int:
    return len(list((tmp_path / "kills").iterdir()))


def test_a_recording_that_kills_every_worker_of_a_local_cluster_fails_alone(
    run: Run, people: Path, serial: dict[str, str], results, killing, tmp_path: Path
) -> None:
    out = tmp_path / "out put"
    fault = {**killing("sub-03_task-rest.log", times=9), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    done = run(people, out, *DASK, "--nprocs", "2", "--participant-label", "01", "03", **fault)
    assert kills(tmp_path) == 2
    assert done.returncode == 75
    assert len(done.stderr.splitlines()) == 1
    assert "failed: sub-03_task-rest: " in done.stderr
    assert "the worker process died" in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[-2:]] == [
        ["sub-01_task-rest", "written"],
        ["sub-03_task-rest", "failed"],
    ]
    assert results(out, "01") == {path: digest for path, digest in serial.items() if path.startswith("sub-01/")}
    assert not list((out / "sub-03").rglob("*.nii.gz"))


def test_a_worker_of_a_running_scheduler_is_killed_in_the_middle_of_a_recording(
    run: Run, people: Path, serial: dict[str, str], results, killing, started, validator_issues, tmp_path: Path
) -> None:
    scheduler, out = tmp_path / "scheduler.json", tmp_path / "out"
    started(SCRIPTS / "dask-scheduler.sh", scheduler, "2", "lo", **killing("desc-epistemic_boldmap.nii.gz", times=1))
    deadline = time.monotonic() + PATIENCE_S
    while not scheduler.exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    done = run(people, out, *DASK, "--dask-cluster", scheduler, "--participant-label", "01", "02")
    assert kills(tmp_path) == 1
    assert (done.returncode, done.stderr) == (0, "")
    assert "its dask worker died; another one takes it" in done.stdout
    assert results(out, "01", "02") == serial
    assert not list(out.glob("sub-*/**/.tmp-*"))
    assert validator_issues(out) == []


@pytest.fixture
def on_slurm(slurm: dict[str, str]) -> dict[str, str]:
    """Variables of a command whose workers are jobs as docs/hpc/jobqueue.yaml describes them."""
    return {**slurm, "DASK_CONFIG": str(SCRIPTS), "DASK_JOBQUEUE__SLURM__INTERFACE": "lo"}


def no_job_stays(slurm: dict[str, str]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while jobs(slurm) and time.monotonic() < deadline:
        time.sleep(0.3)
    return not jobs(slurm)


def test_jobs_of_slurm(
    run: Run, people: Path, serial: dict[str, str], results, on_slurm: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    slurm_run = ("--dask-cluster", "slurm", "--nprocs", "2", "--participant-label", "01", "02")
    done = run(people, out, *DASK, *slurm_run, **on_slurm)
    assert (done.returncode, done.stderr) == (0, "")
    assert results(out, "01", "02") == serial
    assert len(list(out.glob("logs/*/dask/*.out"))) == 2
    assert no_job_stays(on_slurm)


@takes_minutes
def test_a_job_of_slurm_that_is_cancelled_is_replaced(
    started, people: Path, serial: dict[str, str], results, on_slurm: dict[str, str], work_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--dask-cluster", "slurm", "--participant-label", "01", "02", "--work-dir", work_dir)
    quick = {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s"}
    process = started("bids-eeg2fmri", people, out, *DASK, *options, **on_slurm, **quick)
    deadline = time.monotonic() + PATIENCE_S
    while not list(out.glob("sub-01/func/.tmp-*_desc-preproc_bold.nii.gz")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    (job,) = jobs(on_slurm)
    subprocess.run(["scancel", "--signal=KILL", "--full", job.split()[0]], env=on_slurm, check=True)
    assert process.wait(TIMEOUT_S) == 0
    assert results(out, "01", "02") == serial
    assert len(list(out.glob("logs/*/dask/*.out"))) == 2
    assert no_job_stays(on_slurm)


def test_ctrl_c_leaves_no_job_behind(
    people: Path, on_slurm: dict[str, str], started, work_dir: Path, tmp_path: Path
) -> None:
    line = ["bids-eeg2fmri", people, tmp_path / "out", *DASK, "--dask-cluster", "slurm", "--work-dir", work_dir]
    process = started(*line, **on_slurm)
    deadline = time.monotonic() + PATIENCE_S
    while not any("RUNNING" in job for job in jobs(on_slurm)):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    assert no_job_stays(on_slurm)
