"""A disk that is full, at any point of a run, or that goes away during it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from disturbed_runs import Ended, Runs, Undisturbed

MIB = 2**20


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of this size in bytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def assert_refused(ended: Ended, says: str = "Free some") -> None:
    """It ended in words, with the code for a write that failed."""
    assert ended.code == 74, ended.out + ended.err
    assert says in ended.last_words
    assert "Traceback" not in ended.out + ended.err


@pytest.mark.parametrize("limit", [1000, 1_000_000, 1_300_000], ids=["logs", "signals", "BOLD"])
def test_no_file_can_grow_beyond_a_limit(runs: Runs, undisturbed: Undisturbed, tmp_path: Path, limit: int) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    assert_refused(runs(folder, "--participant-label", "02", "--float32", largest_file=limit))
    undisturbed.assert_nothing_lost(folder)
    assert not list((folder / "out").rglob(".tmp-*"))


def test_a_file_system_that_fills_up(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB) as disk:
        undisturbed.begin(disk / "a")
        folder, filler = disk / "a", disk / "filler"
        for free in (0, 1_500_000):
            left = os.statvfs(disk)
            filler.write_bytes(bytes(left.f_bavail * left.f_frsize - free))
            assert_refused(runs(folder, "--work-dir", tmp_path / "work"))
            undisturbed.assert_nothing_lost(folder)
            assert not list((folder / "out").rglob(".tmp-*"))
            filler.unlink()
        assert runs(folder, "--work-dir", tmp_path / "work").code == 0
        undisturbed.assert_same(folder)


def test_any_one_step_that_is_refused(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    ended = runs(folder, fail_at=Random(7).randint(1, undisturbed.second.steps), errno=errno.ENOSPC)
    # What only spares time, such as compiled programs and logs, may be refused without harm.
    if ended.code != 0:
        assert_refused(ended, says=str(folder))
        undisturbed.assert_nothing_lost(folder)
        assert runs(folder).code == 0
    undisturbed.assert_same(folder)


def test_an_output_directory_that_vanishes(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    ended = runs(folder, vanish_at=round(0.7 * undisturbed.second.steps))
    assert_refused(ended, says="removed or emptied")
    assert re.findall(r"^sub-\d+_task-rest +(\w+)", ended.out, re.MULTILINE) == ["failed", "failed"]
    assert not (folder / "out" / "dataset_description.json").exists()
    assert runs(folder).code == 0
    undisturbed.assert_same(folder)


def test_a_console_that_takes_no_more(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    folder = undisturbed.begin(tmp_path / "a")
    ended = runs(folder, stdout="/dev/full")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    undisturbed.assert_same(folder)
