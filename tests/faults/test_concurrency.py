"""Several processes in one output directory, what dead ones left there, and clocks that disagree."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from disturbed_runs import Ended, Runs, Undisturbed, whole_tree

from bids_eeg2fmri.derivatives.atomic import atomic_path, temporary_file

DECADE_S = 10 * 365.25 * 86400


def status_of_the_second(ended: Ended) -> str:
    (status,) = re.findall(r"^sub-02_task-rest +(\w+)", ended.out, re.MULTILINE)
    return str(status)


def move_clock(root: Path, seconds: float) -> None:
    """Date everything as a machine would whose clock is wrong by so much."""
    now = time.time() + seconds
    for path in root.rglob("*"):
        os.utime(path, (now, now), follow_symlinks=False)


def test_two_processes_on_the_same_participant(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    both = [runs.start(folder), runs.start(folder)]
    ended = [running.wait() for running in both]
    assert [each.code for each in ended] == [0, 0]
    assert sorted(map(status_of_the_second, ended)) == ["done", "written"]
    assert sum("another process works on this recording" in each.out for each in ended) == 1
    undisturbed.assert_same(folder)


def test_a_process_that_is_killed_hands_over(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    first = runs.start(folder, kill_at=undisturbed.second.steps // 2)
    deadline = time.monotonic() + 300
    while not (folder / "out" / "logs" / ".tmp-lock_sub-02_task-rest").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = runs.start(folder)
    assert first.wait().killed
    heir = second.wait()
    assert heir.code == 0
    assert "another process works on this recording" in heir.out
    undisturbed.assert_same(folder)


def test_what_dead_processes_left_is_removed_and_what_is_in_use_stays(
    runs: Runs, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    out = folder / "out"
    (out / "sub-02" / "func").mkdir(parents=True)
    (out / "sub-02" / "figures").mkdir()
    for place in (out, out / "logs", out / "sub-02" / "func", out / "sub-02" / "figures"):
        with temporary_file(place / "anything.nii.gz") as leftover:
            pass
        leftover.write_bytes(b"half")
    (out / "logs" / ".tmp-lock_sub-02_task-rest").touch()
    with atomic_path(out / "sub-02" / "func" / "mine.nii.gz") as in_use:
        assert runs(folder).code == 0
        assert list(out.rglob(".tmp-*")) == [in_use]
    (out / "sub-02" / "func" / "mine.nii.gz").unlink()
    undisturbed.assert_same(folder)


def test_times_of_change_decide_nothing(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    (folder / "out" / "sub-02.html").write_text("the page of an earlier run")
    move_clock(folder / "out", DECADE_S)
    assert runs(folder).code == 0
    undisturbed.assert_same(folder)
    for seconds in (-DECADE_S, DECADE_S):
        move_clock(folder / "out", seconds)
        before = whole_tree(folder / "out")
        assert status_of_the_second(runs(folder)) == "done"
        assert whole_tree(folder / "out") == before
