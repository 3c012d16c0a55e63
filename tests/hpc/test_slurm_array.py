"""The scripts of docs/hpc on a real Slurm: one person a task, into one output directory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_run import SCRIPTS, TIMEOUT_S, takes_minutes
from slurm_node import jobs

from bids_eeg2fmri.parser import build_parser

PEOPLE = [f"{label:02}" for label in range(1, 9)]


def content(root: Path) -> dict[str, str]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and "logs" not in path.parts]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def submit(slurm: dict[str, str], people: Path, tmp_path: Path) -> Callable[[Path, Path], int]:
    """Submits everybody and waits; returns the most tasks that ran at a time."""

    def everybody(out: Path, scratch: Path) -> int:
        line = [SCRIPTS / "submit.sh", people, out, "--sloppy", "--verbose"]
        environment = {**slurm, "SCRATCH_DIR": str(scratch)}
        submitted = subprocess.run(line, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
        most = 0
        deadline = time.monotonic() + TIMEOUT_S
        while queue := jobs(slurm):
            assert time.monotonic() < deadline
            most = max(most, sum("RUNNING" in job for job in queue))
            time.sleep(0.3)
        print(f"jobs (array, group) {submitted.stdout.strip()}: up to {most} at a time")
        return most

    return everybody


@takes_minutes
def test_eight_tasks_at_a_time_twice_over(
    submit, work_dir: Path, validator_issues, tmp_path: Path, slurm: dict[str, str]
) -> None:
    out = tmp_path / "out"
    assert submit(out, work_dir) == 8
    logs = {path: path.read_text() for path in tmp_path.glob("eeg2fmri-*.log")}
    assert len(logs) == 9
    assert sum("  written  " in log for log in logs.values()) == 8, logs
    assert sorted(path.stem for path in out.glob("sub-*.html")) == [f"sub-{label}" for label in PEOPLE]
    assert len((out / "group_eeg2fmri.tsv").read_text().splitlines()) == 9
    assert not list(out.rglob(".tmp-*_sub-*"))
    assert validator_issues(out) == []

    before = content(out)
    for log in logs:
        log.unlink()
    assert submit(out, work_dir) == 8
    assert sum("1 done, 0 stale, 0 to do" in path.read_text() for path in tmp_path.glob("eeg2fmri-*.log")) == 8
    after = content(out)
    assert {path for path in before if before[path] != after.get(path)} <= {"group.html"}
    assert set(before) == set(after)
    assert validator_issues(out) == []


def test_the_job_script_with_apptainer(people: Path, tmp_path: Path) -> None:
    """A stand-in for Apptainer tells what it is called with."""
    stand_in = tmp_path / "bin" / "apptainer"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    variables = {"IMAGE": "app.sif", "SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_PER_TASK": "3", "TMPDIR": str(tmp_path)}
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", SCRIPTS / "eeg2fmri.sbatch", people, tmp_path / "out", "participant", "--task-id", "rest"],
        env={**os.environ, **variables, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.splitlines()
    image = words.index("app.sif")
    given = build_parser().parse_args(words[image + 1 :])
    assert (str(given.bids_dir), str(given.output_dir), given.level) == ("/bids", "/out", "participant")
    assert (given.participant_label, given.task_id, given.omp_nthreads) == (["03"], ["rest"], 3)
    assert words[:image] == [
        *("run", "--cleanenv", "--containall", "-B", f"{people}:/bids:ro", "-B", f"{tmp_path / 'out'}:/out", "-B"),
        words[image - 1],
    ]
    assert words[image - 1].endswith(f":{given.work_dir}")
    assert not Path(words[image - 1].split(":")[0]).exists()
