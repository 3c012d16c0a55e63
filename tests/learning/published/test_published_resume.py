"""A training that is killed ends as if it had not been."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest
from tiny_training import OPTIONS, SCRIPT, TinyNetwork

from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.learning.published.loop import train
from bids_eeg2fmri.learning.published.objective import Objective


def result(output):
    return [line for line in output.splitlines() if line.startswith(("losses", "digest"))]


def run_until(folder, n_steps, environment):
    """Kill the training (SIGKILL) when it has announced this many steps."""
    command = [sys.executable, SCRIPT, folder, "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        for _ in range(n_steps):
            assert running.stdout.readline() == "step\n"
        running.kill()
    assert running.returncode == -9


def log_without_seconds(folder):
    with (folder / "run" / "training_log.tsv").open() as stream:
        return [{**row, "seconds": None} for row in csv.DictReader(stream, delimiter="\t")]


def test_killed_in_mid_epoch_and_restarted_it_ends_with_the_same_bits(whole_training, environment, tmp_path):
    # Seven steps an epoch, a checkpoint every two: the first kill falls between checkpoints of the first epoch, the
    # second in the second epoch or later, wherever the first left off.
    run_until(tmp_path, 4, environment)
    run_until(tmp_path, 9, environment)
    command = [sys.executable, SCRIPT, tmp_path]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)

    folder, output = whole_training
    assert finished.stdout.count("step") < 21, "the last run began anew"
    assert result(finished.stdout) == result(output)
    assert log_without_seconds(tmp_path) == log_without_seconds(folder)
    assert not list(tmp_path.rglob("*tmp*"))


def test_a_finished_training_is_read_and_another_one_refused(whole_training, people):
    folder, _ = whole_training
    _, rows = train(TinyNetwork(), *people, OPTIONS, folder / "run", {"network": "tiny"}, Objective())
    assert [row.epoch for row in rows] == [1, 2, 3]

    with pytest.raises(UsageError, match="network: tiny, now large") as refused:
        train(TinyNetwork(), *people, OPTIONS, folder / "run", {"network": "large"}, Objective())
    assert refused.value.path == folder / "run" / "checkpoints"
