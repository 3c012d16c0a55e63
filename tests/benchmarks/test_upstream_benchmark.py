"""The comparison with the published package: its conversation with a worker, and its refusal of disagreement."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.against_upstream.serving import make_eeg, make_volumes
from benchmarks.against_upstream.worker import Worker
from benchmarks.upstream import Row, _difference

_WORKER = """
import numpy as np
from benchmarks.against_upstream.serving import serve

def prepare(task, batch):
    print("a library's chatter")
    return lambda: None, {task: np.full(batch, 3.0)}

serve(prepare)
"""


def test_a_worker_prepares_and_repeats(tmp_path, monkeypatch):
    (tmp_path / "toy_worker.py").write_text(_WORKER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    cores = frozenset(os.sched_getaffinity(0))
    with Worker(Path(sys.executable), "toy_worker", tmp_path / "weights.npz", cores, tmp_path) as worker:
        np.testing.assert_array_equal(worker.prepare("forward", 2)["forward"], [3.0, 3.0])
        worker.repeat()
        worker.repeat()
    assert len(worker.seconds) == len(worker.cpu_s) == 2
    assert min(worker.seconds) >= 0
    assert worker.peak_rss_bytes > 2**20


def test_packages_that_disagree_end_the_benchmark():
    values = np.array([1.0, 2.0])
    assert _difference("spectra", {"z": values}, {"z": values + 2e-4}) == pytest.approx(1e-4)
    with pytest.raises(SystemExit, match="spectra: the packages disagree by"):
        _difference("spectra", {"z": values}, {"z": values + 1})


def test_a_row_shows_milliseconds_and_the_ratio():
    row = Row("Volumes", 0.03, 0.02, 0.06, 0.04, 2_000_000_000, 1_500_000_000, 1e-7)
    assert row.cells == ("Volumes", 30.0, 20.0, "1.50x", 60.0, 40.0, "2000", "1500", "1e-07")


def test_inputs_are_the_same_for_both_packages():
    np.testing.assert_array_equal(make_eeg(2), make_eeg(2))
    volumes = make_volumes(1)
    np.testing.assert_array_equal(volumes, volumes.astype(np.float16))
