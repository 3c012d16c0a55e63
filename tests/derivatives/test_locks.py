"""Locks between processes: real processes hold them, and are killed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bids_eeg2fmri.derivatives import locks
from bids_eeg2fmri.derivatives.locks import abandoned, alone, create_held

_HOLDER = """\
import sys
from pathlib import Path
from bids_eeg2fmri.derivatives.locks import alone
with alone(Path(sys.argv[1]), lambda: print("waits", flush=True)) as waited:
    print("holds after a wait" if waited else "holds", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lock, or waits for it, until its standard input is closed or it is killed."""
    line = [sys.executable, "-c", _HOLDER, str(path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_abandoned(path: Path) -> bool:
    with abandoned(path) as nobody_holds_it:
        return nobody_holds_it


def test_nobody_waits_for_a_lock_that_nobody_holds(tmp_path: Path):
    path = tmp_path / "lock"
    path.touch()
    assert is_abandoned(path)
    with alone(path, lambda: None) as waited:
        assert not waited
        assert not is_abandoned(path)
    assert not path.exists()


def test_a_lock_is_waited_for(tmp_path: Path):
    path, waits = tmp_path / "lock", []
    with holder(path) as first:
        assert says(first) == "holds"
        stdin = first.stdin
        assert stdin is not None

        def let_go() -> None:
            waits.append(True)
            stdin.close()

        with alone(path, let_go) as waited:
            assert waited
            assert first.wait(300) == 0
    assert waits == [True]
    assert not path.exists()


def test_a_killed_process_holds_nothing(tmp_path: Path):
    path = tmp_path / "lock"
    with holder(path) as first:
        assert says(first) == "holds"
        with holder(path) as second:
            assert says(second) == "waits"
            first.kill()
            assert says(second) == "holds after a wait"
            assert not is_abandoned(path)
            second.kill()
            second.wait()
            assert is_abandoned(path)


def test_a_lock_that_is_being_removed_is_not_held_twice(tmp_path: Path):
    path = tmp_path / "lock"
    path.touch()
    with abandoned(path) as nobody_holds_it:
        assert nobody_holds_it
        with holder(path) as other:
            assert says(other) == "waits"
            path.unlink()
            # What it waits for has no name any more; whoever comes now makes the lock anew.
            with alone(path, lambda: None) as waited:
                assert not waited
                assert not is_abandoned(path)


def test_another_descriptor_reads_and_writes_what_is_held(tmp_path: Path):
    # The lock is on a byte that no data reaches, for SMB refuses others the bytes that are locked.
    path = tmp_path / "file"
    descriptor = create_held(path)
    path.write_text("data")
    assert (path.read_text(), is_abandoned(path)) == ("data", False)
    os.close(descriptor)
    assert is_abandoned(path)


def test_without_locks_nobody_waits_and_nothing_is_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks, "_lock", refuse)
    os.close(create_held(tmp_path / "file"))
    assert not is_abandoned(tmp_path / "file")
    with alone(tmp_path / "lock", lambda: None) as first, alone(tmp_path / "lock", lambda: None) as second:
        assert (first, second) == (False, False)


def test_a_wait_that_the_file_system_breaks_off_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    answers: list[OSError | None] = [BlockingIOError(), OSError(errno.ESTALE, "stale"), None]

    def answer(*_: object, **__: object) -> None:
        error = answers.pop(0)
        if error is not None:
            raise error

    monkeypatch.setattr(locks, "_lock", answer)
    monkeypatch.setattr(locks, "_RETRY_S", 0.0)
    with alone(tmp_path / "lock", lambda: None) as waited:
        assert waited
    assert not answers
