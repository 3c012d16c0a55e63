"""Datasets of empty files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bids_eeg2fmri.settings import Settings


@pytest.fixture
def add(tmp_path: Path) -> Callable[..., Path]:
    """Write files, given as paths below ``tmp_path``; JSON content as a dict, else text."""

    def write(*names: str, content: object = "") -> Path:
        path = tmp_path
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.fixture
def dataset(tmp_path: Path, add: Callable[..., Path]) -> Path:
    """Two people; 01 with two sessions, two tasks and two runs, 02 without sessions."""
    add("ds/dataset_description.json", content={"Name": "made up", "BIDSVersion": "1.10.0"})
    for session in ("a", "b"):
        folder = f"ds/sub-01/ses-{session}/eeg/sub-01_ses-{session}"
        for run in ("01", "02"):
            add(f"{folder}_task-rest_run-{run}_eeg.vhdr", f"{folder}_task-rest_run-{run}_eeg.eeg")
        add(f"{folder}_task-music_acq-high_eeg.edf")
    add("ds/sub-02/eeg/sub-02_task-rest_eeg.bdf", "ds/sub-02/func/sub-02_task-rest_bold.nii.gz")
    return tmp_path / "ds"


@pytest.fixture
def settings(dataset: Path, tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a participant run over ``dataset``."""

    def make(**options: object) -> Settings:
        return Settings(bids_dir=dataset, output_dir=tmp_path / "out", level="participant", **options)  # type: ignore[arg-type]

    return make
