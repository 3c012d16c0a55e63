from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import mne_bids
import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.errors import OutputError, UsageError
from bids_eeg2fmri.phantom.cli import main, parse
from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request
from bids_eeg2fmri.settings import OutputSpace

SMALL = ["--duration-s", "40", "--cap", "19", "--sfreq-hz", "100", "--resolution", "res-4", "--lead-in-s", "5"]


def _digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """One person, two sessions of a task with stimuli."""
    out = tmp_path_factory.mktemp("phantom") / "data"
    assert main([str(out), *SMALL, "--tasks", "blocks", "--sessions", "2", "--seed", "4"]) == 0
    return out


def test_dataset_and_truth_are_valid(dataset, validator_issues):
    for folder in (dataset, dataset / "derivatives" / "ground-truth"):
        assert validator_issues(folder) == []


def test_everything_says_that_it_is_simulated(dataset):
    assert "SIMULATED" in (dataset / "README.md").read_text().splitlines()[0]
    assert not (dataset / "README").exists()
    assert "SIMULATED" in json.loads((dataset / "dataset_description.json").read_text())["Name"]
    sidecars = [*dataset.rglob("*_bold.json"), *dataset.rglob("*_eeg.json")]
    assert len(sidecars) == 6
    assert all(json.loads(path.read_text())["Simulated"] is True for path in sidecars)


def test_eeg_reads_back_with_markers_events_and_positions(dataset):
    path = mne_bids.BIDSPath(subject="01", session="02", task="blocks", datatype="eeg", suffix="eeg", root=dataset)
    raw = mne_bids.read_raw_bids(path, verbose="error")
    assert raw.info["sfreq"] == 100
    assert raw.n_times == 4500
    assert len(raw.ch_names) == 19
    assert 3e-6 < np.median(raw.get_data().std(1)) < 100e-6
    events = pd.read_csv(next((dataset / "sub-01/ses-02/eeg").glob("*_events.tsv")), sep="\t")
    volumes = events[events.trial_type == "R128"]
    np.testing.assert_allclose(volumes.onset, 5 + 2.0 * np.arange(20), atol=1e-6)
    stimuli = events[events.trial_type == "stimulus"]
    np.testing.assert_allclose(stimuli.onset, [25.0])
    np.testing.assert_allclose(stimuli.duration, [20.0])
    markers = next((dataset / "sub-01/ses-02/eeg").glob("*.vmrk")).read_text()
    assert markers.count("=Response,R128,") == 20
    assert ",R128,501," in markers
    radius = np.linalg.norm([d["r"] for d in raw.info["dig"] if d["kind"] == 3], axis=1)
    assert ((radius > 0.05) & (radius < 0.2)).all()


def test_bold_lies_on_the_template_grid_around_a_positive_mean(dataset):
    image = nib.load(next((dataset / "sub-01/ses-01/func").glob("*_bold.nii.gz")))
    grid = make_grid(OutputSpace(resolution="4"))
    assert image.shape == (*grid.shape, 20)
    np.testing.assert_array_equal(image.affine, grid.affine)
    assert image.header.get_zooms()[3] == pytest.approx(2.0)
    values = image.get_fdata()[grid.mask]
    percent = 100 * (values / values.mean(1, keepdims=True) - 1)
    assert 0.5 < percent.std() < 3
    assert (image.get_fdata()[~grid.mask] == 0).all()
    events = pd.read_csv(next((dataset / "sub-01/ses-01/func").glob("*_events.tsv")), sep="\t")
    np.testing.assert_allclose(events.onset, [20.0])
    scans = pd.read_csv(next(dataset.glob("sub-01/ses-01/*_scans.tsv")), sep="\t")
    assert all((dataset / "sub-01/ses-01" / name).exists() for name in scans.filename)
    assert len(scans) == 2


def test_truth_agrees_with_itself_and_with_the_measurement(dataset):
    truth_dir = dataset / "derivatives/ground-truth/sub-01/ses-01/func"
    grid = make_grid(OutputSpace(resolution="4"))
    truth = nib.load(next(truth_dir.glob("*desc-noisefree_bold.nii.gz"))).get_fdata()[grid.mask].T
    noisy = nib.load(next((dataset / "sub-01/ses-01/func").glob("*_bold.nii.gz"))).get_fdata()[grid.mask].T
    averaging = load_atlas().averaging_matrix(grid.coordinates_mm)
    parcels = pd.read_csv(next(truth_dir.glob("*desc-parcels_timeseries.tsv")), sep="\t")
    assert tuple(parcels.columns) == load_atlas().names

    def correlation(a, b):
        return np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True)])

    assert correlation(averaging @ truth.T, parcels.to_numpy().T) > 0.97
    assert correlation(averaging @ noisy.T, parcels.to_numpy().T) > 0.4
    networks = pd.read_csv(next(truth_dir.glob("*desc-networks_timeseries.tsv")), sep="\t")
    assert networks.shape[0] == 20
    sources = pd.read_csv(dataset / "derivatives/ground-truth/sub-01/sub-01_sources.tsv", sep="\t")
    assert set(networks.columns) <= set(sources.columns)


def test_same_command_same_bytes_and_overwrite_replaces_only_its_own(tmp_path):
    out = tmp_path / "out"
    assert main([str(out), *SMALL]) == 0
    first = _digests(out)
    other = out / "derivatives" / "mine" / "note.txt"
    other.parent.mkdir()
    other.write_text("kept")
    assert main([str(out), *SMALL]) == 73
    assert main([str(out), *SMALL, "--overwrite"]) == 0
    assert other.read_text() == "kept"
    other.unlink()
    assert _digests(out) == first
    assert not list(out.glob(".tmp-*"))


def test_foreign_folder_is_never_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match="did not write"):
        write_dataset(Request(tmp_path, overwrite=True))
    with pytest.raises(OutputError, match="not empty"):
        write_dataset(Request(tmp_path))
    with pytest.raises(OutputError, match="not a folder"):
        write_dataset(Request(tmp_path / "thesis.txt"))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bids_eeg2fmri.phantom.dataset.write_eeg", full)
    out = tmp_path / "out"
    assert main([str(out), *SMALL]) == 74
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"participants": 0}, "--participants"),
        ({"duration_s": 5.0}, "--duration-s"),
        ({"duration_s": float("nan")}, "--duration-s"),
        ({"tr_s": 0.0}, "--tr-s"),
        ({"sfreq_hz": 10.0}, "--sfreq-hz"),
        ({"cap": "17"}, "cap"),
        ({"tasks": ("a_b",)}, "alphanumeric"),
        ({"tasks": ("a", "a")}, "--tasks"),
        ({"resolution": "7"}, "resolution"),
        ({"seed": -1}, "--seed"),
        ({"coupling": -0.5}, "--coupling"),
        ({"gradient_artefact_v": 1.0}, "--gradient-artefact-uv"),
    ],
)
def test_impossible_requests_are_refused(tmp_path, change, message):
    with pytest.raises(UsageError, match=message):
        Request(tmp_path, **change).check()


def test_error_is_one_line_without_traceback(tmp_path, capsys):
    assert main([str(tmp_path / "x"), "--cap", "17"]) == 64
    error = capsys.readouterr().err
    assert error.startswith("bids-eeg2fmri-phantom: error: unknown cap")
    assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_command_line_becomes_a_request(tmp_path):
    request = parse(
        [str(tmp_path), "--resolution", "res-2", "--tasks", "task-rest", "nback", "--pulse-artefact-uv", "8"]
    )
    assert request.resolution == "2"
    assert request.tasks == ("rest", "nback")
    assert request.pulse_artefact_v == pytest.approx(8e-6)
    assert request.gradient_artefact_v is None
    assert Request(tmp_path) == parse([str(tmp_path)])


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from bids_eeg2fmri.phantom.cli import parse; parse(['out']);"
        "print(sorted({'mne', 'scipy', 'numpy', 'jax', 'nibabel', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
