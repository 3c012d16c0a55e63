"""What the command touches, as the system saw it: nothing but its output and its work directory, and no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_CHANGES = (
    "open,openat,creat,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,"
    "symlink,symlinkat,truncate,chmod,fchmodat,utimensat"
)
# A path, perhaps relative to an open folder.
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
# Devices and the kernel's own files are not on any disk: semaphores, the null device, a thread's name.
_NO_DISK = (Path("/dev"), Path("/proc"))


def watched(trace: Path, *line: object, cwd: Path) -> str:
    """Run a command without a network, in an empty environment; the system's record of every change it made."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    alone = ["unshare", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        alone = []
    tracing = [strace, "-f", "--seccomp-bpf", "-qq", "-y", "-s", "4096", "-e", f"trace={_CHANGES},socket", "-o", trace]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd / "home"),
        "TMPDIR": str(cwd / "tmp"),
        "OMP_NUM_THREADS": "1",
        # Python's own: installers compile packages, or Python does so on first use where it may.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for folder in (cwd / "home", cwd / "tmp"):
        folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [*alone, *map(str, (*tracing, *line))], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )
    if "PTRACE" in done.stderr and done.returncode == 1:
        pytest.skip("processes may not be traced here")
    assert done.returncode == 0, done.stderr
    return trace.read_text("utf-8", "replace")


def changed(record: str) -> set[Path]:
    """Paths that were made, changed or removed."""
    calls = [line for line in record.splitlines() if " = -1 " not in line and "O_RDONLY" not in line]
    found = (match for line in calls for match in _PATH.finditer(line))
    return {Path(match["folder"] or "/", match["name"]) for match in found}


def test_nothing_else_is_touched_and_nobody_is_called(two_people: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("bids-eeg2fmri")
    place = (two_people, tmp_path / "out")
    options = ("--sloppy", "--participant-label", "01", "--work-dir", tmp_path / "work")
    ours = (tmp_path / "out", tmp_path / "work")
    for level in ("participant", "group"):
        record = watched(tmp_path / "trace", command, *place, level, *options, cwd=tmp_path)
        paths = {path for path in changed(record) if not any(path.is_relative_to(each) for each in _NO_DISK)}
        assert {path for path in paths if path.is_relative_to(tmp_path / "out")}
        assert not {path for path in paths if not any(path.is_relative_to(each) for each in ours)}
        assert "AF_INET" not in record
    assert not [*(tmp_path / "home").iterdir(), *(tmp_path / "tmp").iterdir()]
    assert not list((tmp_path / "work").glob("*/eeg-*"))
