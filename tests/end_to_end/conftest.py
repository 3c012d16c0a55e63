"""The command on real input. What takes long is made once per file: run them with `pytest -n auto --dist loadfile`."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bids_eeg2fmri.cli import main
from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request

TIMEOUT_S = 300


@dataclass(frozen=True)
class Finished:
    """What a run of the command left behind: exit code and streams."""

    code: int
    out: str
    err: str

    @property
    def last_words(self) -> str:
        return self.err.rstrip("\n").splitlines()[-1]

    @property
    def table(self) -> dict[str, tuple[str, str]]:
        """Status and remark by recording, from the summary at the end."""
        lines = self.out.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith("recording "))
        columns = [lines[start].index(name) for name in ("status", "seconds", "remark")]
        return {
            line[: columns[0]].strip(): (line[columns[0] : columns[1]].strip(), line[columns[2] :])
            for line in lines[start + 1 :]
        }


Run = Callable[..., Finished]


def _with_scratch(arguments: Sequence[Any], work_dir: Path) -> list[str]:
    """The arguments, with the shared scratch folder unless they name one."""
    scratch = [] if "--work-dir" in arguments else ["--work-dir", work_dir]
    return [str(argument) for argument in (*arguments, *scratch)]


@pytest.fixture(scope="session")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One scratch folder, and with it one cache of compiled programs, for the session."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def command() -> str:
    """The installed console script."""
    return str(Path(sys.executable).with_name("bids-eeg2fmri"))


@pytest.fixture(scope="session")
def start(command: str, work_dir: Path) -> Run:
    """Run the command in a process of its own, as users do."""

    def run(*arguments: Any, **options: Any) -> Finished:
        line = [command, *_with_scratch(arguments, work_dir)]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=TIMEOUT_S, **options)
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def here(work_dir: Path) -> Run:
    """Run the command in this process, which spares the imports."""

    def run(*arguments: Any) -> Finished:
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ), redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(_with_scratch(arguments, work_dir))
            except SystemExit as stopped:
                code = int(stopped.code or 0)
        return Finished(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def short_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One simulated recording: 80 s of 19 channels with volume markers, after 6.4 s without the scanner."""
    root = tmp_path_factory.mktemp("short") / "ds"
    write_dataset(Request(root, tasks=("blocks",), duration_s=80.0, lead_in_s=6.4, cap="19", resolution="4"))
    return root


@pytest.fixture(scope="session")
def res_4() -> tuple[str, str]:
    """The option for the coarsest grid, which is the quickest."""
    return ("--output-spaces", "MNI152NLin2009cAsym:res-4")


@pytest.fixture(scope="session")
def payloads() -> Callable[[Path], dict[str, str]]:
    """Digest of every image of a dataset by its path; the compression's header does not count."""

    def digest(path: Path) -> str:
        with gzip.open(path) as stream:
            return hashlib.sha256(stream.read()).hexdigest()

    return lambda root: {str(path.relative_to(root)): digest(path) for path in sorted(root.rglob("*.nii.gz"))}


@pytest.fixture(scope="session")
def snapshot() -> Callable[[Path], dict[str, tuple[int, str]]]:
    """Time of change and digest of every file of a dataset, but for the logs."""

    def look(root: Path) -> dict[str, tuple[int, str]]:
        files = [path for path in sorted(root.rglob("*")) if path.is_file() and "logs" not in path.parts]
        return {
            str(path.relative_to(root)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in files
        }

    return look
