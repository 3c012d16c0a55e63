"""What tests of faults share: a small dataset, runs that can be disturbed, and the output of one that was not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from disturbed_runs import Runs, Undisturbed, whole_tree

from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request


@pytest.fixture(scope="session")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people at rest for a minute, 19 channels; no BOLD."""
    root = tmp_path_factory.mktemp("two") / "ds"
    write_dataset(Request(root, participants=2, tasks=("rest",), duration_s=52.0, cap="19", resolution="4"))
    for folder in (root / "derivatives", *root.glob("sub-*/func")):
        shutil.rmtree(folder)
    return root


@pytest.fixture(scope="session")
def runs(two_people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Runs of the command on the two people, at the coarsest grid."""
    with Runs(two_people, tmp_path_factory.mktemp("runs")) as runs:
        yield runs


@pytest.fixture(scope="session")
def undisturbed(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The output after the first person, and after both; nothing went wrong."""
    folder = tmp_path_factory.mktemp("undisturbed")
    first = runs(folder, "--participant-label", "01")
    assert first.code == 0, first.err
    shutil.copytree(folder / "out", folder / "half", symlinks=True)
    second = runs(folder)
    assert second.code == 0, second.err
    return Undisturbed(folder / "half", whole_tree(folder / "half"), whole_tree(folder / "out"), second)
