"""Eight people to share out, and the command in a process of its own."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cluster_run import OPTIONS, TIMEOUT_S, Run
from slurm_node import slurm_node, why_not

from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    """The environment, with this interpreter's console scripts before others."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One scratch folder, and with it one cache of compiled programs."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def run(programs: dict[str, str], work_dir: Path) -> Run:
    """The command, with further environment variables."""

    def start(*arguments: Any, **variables: str) -> subprocess.CompletedProcess[str]:
        line = ["bids-eeg2fmri", *map(str, arguments), "--work-dir", str(work_dir)]
        return subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=TIMEOUT_S, env={**programs, **variables}
        )

    return start


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of EEG of each of eight people: the same signals, each shifted in time."""
    root = tmp_path_factory.mktemp("people") / "ds"
    write_dataset(Request(root, duration_s=60.0, lead_in_s=0.0, sfreq_hz=200.0, cap="19", resolution="4"))
    shutil.rmtree(root / "derivatives")
    for extra in (root / "sub-01" / "func", *root.glob("participants.*"), *root.glob("sub-01/*_scans.*")):
        shutil.rmtree(extra) if extra.is_dir() else extra.unlink()
    first = [path for path in sorted((root / "sub-01").rglob("*")) if path.is_file()]
    for label in range(2, 9):
        for path in first:
            copy = Path(str(path).replace("sub-01", f"sub-{label:02}"))
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".eeg":
                np.roll(np.fromfile(path, np.int16), 19 * 400 * label).tofile(copy)
            else:
                copy.write_text(path.read_text().replace("sub-01", f"sub-{label:02}"))
    return root


@pytest.fixture(scope="session")
def results() -> Callable[..., dict[str, str]]:
    """Digests of people's images, uncompressed, and tables, by their paths."""

    def digest(path: Path) -> str:
        content = path.read_bytes()
        return hashlib.sha256(gzip.decompress(content) if path.suffix == ".gz" else content).hexdigest()

    def look(root: Path, *labels: str) -> dict[str, str]:
        found = [path for label in labels for path in sorted((root / f"sub-{label}").rglob("*"))]
        return {str(path.relative_to(root)): digest(path) for path in found if path.name.endswith((".nii.gz", ".tsv"))}

    return look


@pytest.fixture(scope="session")
def serial(run: Run, people: Path, results, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What two people's results are without any executor."""
    out = tmp_path_factory.mktemp("serial") / "out"
    done = run(people, out, *OPTIONS, "--participant-label", "01", "02")
    assert done.returncode == 0, done.stderr
    return results(out, "01", "02")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory, programs: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a Slurm that runs eight jobs of four CPUs at a time."""
    reason = why_not()
    if reason is not None:
        pytest.skip(f"no Slurm: {reason}")
    with slurm_node(tmp_path_factory.mktemp("slurm"), cpus=32, environment=programs) as environment:
        yield environment
