"""The trees of the scale benchmark: what the program takes for many people's input and outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scale import make_input, make_output, require_states
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.cli import parse
from bids_eeg2fmri.levels.group import run_group
from bids_eeg2fmri.settings import Settings

PEOPLE = [f"{number:04}" for number in range(1, 6)]
STEM = "sub-0001_task-rest_rec-eeg2fmri"


def test_everybody_has_a_recording_that_takes_no_room(tmp_path: Path) -> None:
    make_input(tmp_path / "in", PEOPLE)
    settings, _ = parse([str(tmp_path / "in"), str(tmp_path / "out"), "participant", "--dry-run"])
    files = select_recordings(settings).recordings
    assert [file.subject for file in files] == PEOPLE
    assert all(file.path.is_symlink() and file.path.exists() and file.sidecar for file in files)


def test_everybody_has_outputs_of_their_own(tmp_path: Path) -> None:
    func, figures = tmp_path / "sub-0001/func", tmp_path / "sub-0001/figures"
    func.mkdir(parents=True)
    figures.mkdir()
    bold = func / f"{STEM}_space-MNI152NLin2009cAsym_res-4_desc-preproc_bold.json"
    bold.write_text(json.dumps({"Synthetic": True, "Metrics": {"n_volumes": 90, "tsnr_median": 100.0}}))
    bold.with_suffix(".nii.gz").write_bytes(b"image")
    panels = {"tstd": {"parcel_tstd": [1.0] * 214}, "connectivity": {"parcel_r": "AQID"}}
    (figures / f"{STEM}_desc-summary_bold.json").write_text(json.dumps({"panels": panels}))
    make_output(tmp_path, "0001", PEOPLE[1:])
    settings = Settings(bids_dir=tmp_path, output_dir=tmp_path, level="group")
    assert run_group(settings, "cmd") == 0
    table = np.genfromtxt(tmp_path / "group_eeg2fmri.tsv", delimiter="\t", names=True, dtype=None, encoding="utf-8")
    assert list(table["participant_id"]) == [f"sub-{label}" for label in PEOPLE]
    assert len(set(table["tsnr_median"])) == len(PEOPLE)


def test_a_label_is_what_the_dry_run_said() -> None:
    text = "sub-01_task-rest  [done]\n  from  x\nsub-02_task-rest  [stale]\n"
    require_states(text.replace("stale", "done"), "done", 2)
    for says, count in ((text, 2), (text.replace("stale", "done"), 3), ("", 1)):
        with pytest.raises(SystemExit, match="the dry run says"):
            require_states(says, "done", count)
