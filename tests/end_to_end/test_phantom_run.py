"""A simulated person of two sessions, two tasks and two runs through both levels, and in the hands of nilearn."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import first_level_from_bids
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy
from nilearn.maskers import NiftiLabelsMasker

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.derivatives.names import sidecar as sidecar_path
from bids_eeg2fmri.phantom.cli import main as phantom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")

LEAD_IN_S = 7.3
N_VOLUMES = 40
LABELS = [
    f"sub-01_ses-0{ses}_task-{task}_run-0{run}" for ses in (1, 2) for task in ("blocks", "rest") for run in (1, 2)
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("phantom") / "ds"
    options = "--sessions 2 --runs 2 --tasks rest blocks --cap 32 --resolution res-4 --duration-s 80 --tr-s 2"
    assert phantom([str(root), *options.split(), "--lead-in-s", str(LEAD_IN_S)]) == 0
    return root


@pytest.fixture(scope="module")
def output(dataset: Path, start, res_4, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("phantom-output") / "out"
    finished = start(dataset, out, "participant", *res_4)
    assert (finished.code, finished.err) == (0, "")
    assert {label: status for label, (status, _) in finished.table.items()} == dict.fromkeys(LABELS, "written")
    return out


@pytest.fixture(scope="module")
def bolds(output: Path) -> list[Path]:
    found = sorted(output.glob("sub-*/ses-*/func/*_desc-preproc_bold.nii.gz"))
    assert [path.name.partition("_rec-")[0] + re.search("_run-..", path.name)[0] for path in found] == LABELS
    return found


def sidecar_of(image: Path) -> dict:
    return json.loads(sidecar_path(image).read_text())


def beside(bold: Path, ending: str) -> Path:
    """A table of the same recording, which has no space."""
    return Path(re.sub(r"_space-.*", f"_{ending}", str(bold)))


def test_a_dry_run_writes_nothing(dataset: Path, start, snapshot, tmp_path: Path) -> None:
    before = snapshot(dataset)
    finished = start(dataset, tmp_path / "out", "participant", "--dry-run", "--work-dir", tmp_path / "work")
    assert (finished.code, finished.err) == (0, "")
    assert [line.split()[0] for line in finished.out.splitlines() if line.endswith("  [new]")] == LABELS
    assert finished.out.count("_desc-preproc_bold.nii.gz") == len(LABELS)
    assert list(tmp_path.iterdir()) == []
    assert snapshot(dataset) == before


def test_the_validator_finds_no_error(output: Path, validator_issues) -> None:
    assert validator_issues(output) == []


def test_volumes_start_with_the_scanner(bolds: list[Path]) -> None:
    for bold in bolds:
        image, sidecar = nib.load(bold), sidecar_of(bold)
        assert image.shape[3] == N_VOLUMES
        assert image.header.get_zooms()[3] == sidecar["RepetitionTime"] == 2.0
        assert 0 <= sidecar["StartTime"] < 2.0
        clock = sidecar["VolumeClock"]
        assert clock["FirstVolumeOnset"] == pytest.approx(LEAD_IN_S, abs=1 / 250)
        assert (clock["Source"], clock["Missing"]) == ("markers: R128", [])
        assert sidecar["EEG"]["ElectrodePositions"] == "electrodes.tsv"
        assert all(source.startswith("bids:raw:sub-01/ses-0") for source in sidecar["Sources"])


def test_recordings_differ(bolds: list[Path]) -> None:
    series = [nib.load(bold).get_fdata()[24, 28, 20] for bold in bolds]
    assert np.abs(np.triu(np.corrcoef(series), 1)).max() < 0.99


def test_events_count_from_the_first_volume(dataset: Path, bolds: list[Path]) -> None:
    for bold in bolds:
        path = beside(bold, "events.tsv")
        assert path.exists() == ("task-blocks" in bold.name)
        if not path.exists():
            continue
        source = dataset / path.relative_to(path.parents[3]).parent.parent / "eeg"
        (raw,) = source.glob(path.name.replace("_rec-eeg2fmri", ""))
        theirs = pd.read_csv(raw, sep="\t")
        theirs = theirs[theirs["trial_type"] == "stimulus"]
        ours = pd.read_csv(path, sep="\t")
        assert len(ours) == len(theirs) == 2
        assert set(ours["trial_type"]) == {"stimulus"}
        np.testing.assert_allclose(ours["onset"], theirs["onset"] - LEAD_IN_S, atol=1e-6)
        np.testing.assert_array_equal(ours["duration"], theirs["duration"])
        assert (
            f"{LEAD_IN_S:g} s into the EEG" in json.loads(path.with_suffix(".json").read_text())["onset"]["Description"]
        )


def test_nilearn_loads_the_confounds(bolds: list[Path]) -> None:
    for bold in bolds:
        confounds, _ = load_confounds(
            str(bold),
            strategy=("motion", "high_pass", "wm_csf", "global_signal", "scrub"),
            motion="full",
            wm_csf="full",
            global_signal="full",
            scrub=0,
            std_dvars_threshold=3,
        )
        assert len(confounds) == N_VOLUMES
        motion = [column for column in confounds if column.startswith(("trans", "rot"))]
        assert len(motion) == 24
        assert (confounds[motion] == 0).all(axis=None)
        assert {"csf", "white_matter_power2", "global_signal_derivative1", "cosine00"} <= set(confounds)
        assert "by construction" in beside(bold, "desc-confounds_timeseries.json").read_text()
    cleaned, _ = load_confounds_strategy([str(bold) for bold in bolds], denoise_strategy="simple")
    assert len(cleaned) == len(bolds)


def test_nilearn_fits_a_contrast(output: Path) -> None:
    models, images, events, confounds = first_level_from_bids(
        output,
        "blocks",
        space_label="MNI152NLin2009cAsym",
        derivatives_folder=".",
        img_filters=[("desc", "preproc")],
        confounds_strategy=("high_pass", "global_signal"),
        confounds_global_signal="basic",
    )
    (model,) = models
    assert len(images[0]) == len(events[0]) == len(confounds[0]) == 4
    assert (model.t_r, model.slice_time_ref) == (2.0, sidecar_of(Path(images[0][0]))["StartTime"] / 2.0)
    model.mask_img = str(images[0][0]).replace("desc-preproc_bold", "desc-brain_mask")
    model.fit(images[0], events=events[0], confounds=confounds[0])
    z_map = model.compute_contrast("stimulus", output_type="z_score").get_fdata()
    assert np.isfinite(z_map).all()
    assert z_map.std() > 0.1


def test_nilearn_averages_the_schaefer_parcels(bolds: list[Path]) -> None:
    atlas = load_atlas()
    labels = nib.Nifti1Image(atlas.labels.astype(np.int16), atlas.affine)
    masker = NiftiLabelsMasker(labels, resampling_target="data", standardize=None)
    series = masker.fit_transform(str(bolds[0]))
    assert series.shape == (N_VOLUMES, 214)
    assert np.isfinite(series).all()
    assert (series.std(axis=0) > 0).all()


def test_the_report_shows_every_recording(output: Path) -> None:
    page = (output / "sub-01.html").read_text("utf-8")
    assert "SYNTHETIC" in page
    for label in LABELS:
        stem = re.sub("_run-", "_rec-eeg2fmri_run-", label)
        assert f'id="{stem}"' in page


def test_the_group_has_one_row_per_recording(dataset: Path, output: Path, here) -> None:
    assert here(dataset, output, "group").code == 0
    table = pd.read_csv(output / "group_eeg2fmri.tsv", sep="\t", dtype=str)
    rows = table[["participant_id", "session_id", "task", "run"]].agg(tuple, axis=1)
    assert sorted(rows) == [
        ("sub-01", f"ses-0{ses}", task, f"0{run}") for ses in (1, 2) for task in ("blocks", "rest") for run in (1, 2)
    ]
    assert (output / "group.html").is_file()
