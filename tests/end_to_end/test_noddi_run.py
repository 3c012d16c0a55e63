"""Headers and markers of real simultaneous recordings, with simulated signals: one cleaned, one as recorded."""

from __future__ import annotations

import json
import lzma
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import scipy.signal

from bids_eeg2fmri.derivatives.names import sidecar as sidecar_path
from bids_eeg2fmri.eeg.standard_montage import standard_positions

NODDI = Path(__file__).parents[1] / "data" / "noddi"
FIRST_VOLUME_S = 71.432  # marker position 17859, 1-based, at 250 Hz
EVENTS_S = (80.0, 400.0)
RAW_S = 75.0


def simulated_uv(names: list[str], n_samples: int) -> np.ndarray:
    """Pink noise at 250 Hz that neighbours share, about 10 microvolts (samples, channels)."""
    rng = np.random.default_rng(0)
    known = standard_positions("standard_1005")
    places = np.array([known.get(name, rng.normal(0, 0.05, 3)) for name in names])
    centres = places[::3]
    weights = np.exp(-((places[:, None] - centres) ** 2).sum(-1) / (2 * 0.05**2))
    spectrum = np.fft.rfft(rng.standard_normal((n_samples, len(centres))), axis=0)
    spectrum /= np.maximum(np.fft.rfftfreq(n_samples, 1 / 250)[:, None], 1.0)
    noise = np.fft.irfft(spectrum, n_samples, axis=0)
    mixed = (noise / noise.std()) @ weights.T
    return 10 * mixed / mixed.std() + rng.standard_normal(mixed.shape)


def fill(source: Path, target: Path, duration_s: float | None = None, renamed: dict[str, str] | None = None) -> None:
    """Copy header and markers of a recording and give it signals, as long as its header says."""
    target.mkdir(parents=True)
    (header,) = source.glob("*.vhdr")
    text = header.read_text("utf-8")
    for name, new_name in (renamed or {}).items():
        # The amplifier's own table of channels, which repeats the names, is a comment.
        text = text.partition("[Comment]")[0].replace(f"={name},", f"={new_name},")
    (target / header.name).write_text(text, "utf-8")
    (markers,) = source.glob("*.vmrk.xz")
    (target / markers.stem).write_bytes(lzma.decompress(markers.read_bytes()))
    names = re.findall(r"^Ch\d+=([^,]*),", text.partition("[Coordinates]")[0], re.MULTILINE)
    entry = dict(re.findall(r"^(\w+)=(.*?)\s*$", text.split("[Channel Infos]")[0], re.MULTILINE))
    per_sample = round(4000 / float(entry["SamplingInterval"]))
    n_slow = int(entry["DataPoints"]) if duration_s is None else round(250 * duration_s)
    values = simulated_uv(names, n_slow)
    if per_sample > 1:
        values = scipy.signal.resample_poly(values, per_sample, 1, axis=0) / 0.5
    if entry["DataOrientation"] == "VECTORIZED":
        values = values.T
    values.astype("<f4" if entry["BinaryFormat"] == "IEEE_FLOAT_32" else "<i2").tofile(target / entry["DataFile"])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("noddi") / "ds"
    cleaned = root / "derivatives" / "sub-36" / "eeg"
    fill(NODDI / "derivatives" / "sub-36" / "eeg", cleaned)
    # Other recordings of this dataset have two electrodes that no standard montage knows.
    fill(NODDI / "sub-32" / "eeg", root / "sub-32" / "eeg", RAW_S, {"FT9": "O9", "FT10": "O10"})
    for name in ("dataset_description.json", "task-rest_eeg.json"):
        shutil.copy(NODDI / name, root)
    rows = "".join(f"{onset}\t1.5\tblink\n" for onset in EVENTS_S)
    (cleaned / "sub-36_task-rest_events.tsv").write_text(f"onset\tduration\ttrial_type\n{rows}")
    return root


@pytest.fixture(scope="module")
def finished(dataset: Path, here, res_4, output: Path):
    return here(dataset, output, "participant", *res_4, "--derivatives", f"clean={dataset / 'derivatives'}")


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("noddi-output") / "out"


def test_both_are_written(finished) -> None:
    assert (finished.code, finished.err) == (0, "")
    assert {label: status for label, (status, _) in finished.table.items()} == {
        "sub-32_task-rest": "written",
        "sub-36_task-rest": "written",
    }
    assert "1 of them come cleaned from clean" in finished.out


def bold_of(output: Path, person: str) -> tuple[nib.Nifti1Image, dict]:
    (path,) = (output / person).rglob("*_desc-preproc_bold.nii.gz")
    return nib.load(path), json.loads(sidecar_path(path).read_text())


def test_scan_starts_are_the_volumes(finished, output: Path) -> None:
    image, sidecar = bold_of(output, "sub-36")
    assert image.shape[3] == 300
    assert image.header.get_zooms()[3] == pytest.approx(2.16)
    assert sidecar["RepetitionTime"] == 2.16
    assert sidecar["VolumeClock"] == {
        "FirstVolumeOnset": pytest.approx(FIRST_VOLUME_S),
        "Source": "markers: Scan Start",
        "Missing": [],
    }
    assert sidecar["Sources"][0] == "bids:clean:sub-36/eeg/sub-36_task-rest_eeg.vhdr"
    assert sidecar["IncompleteHistory"]["Volumes"] == 0
    description = json.loads((output / "dataset_description.json").read_text())
    assert set(description["DatasetLinks"]) == {"raw", "clean", "templateflow"}


def test_events_move_with_the_volumes(finished, output: Path) -> None:
    (path,) = (output / "sub-36").rglob("*_events.tsv")
    events = pd.read_csv(path, sep="\t")
    np.testing.assert_allclose(events["onset"], np.array(EVENTS_S) - FIRST_VOLUME_S, atol=1e-6)
    assert list(events["trial_type"]) == ["blink", "blink"]


def test_positions_come_from_the_file_or_by_name(finished, output: Path) -> None:
    cleaned, raw = (bold_of(output, person)[1] for person in ("sub-36", "sub-32"))
    assert (cleaned["EEG"]["ElectrodePositions"], raw["EEG"]["ElectrodePositions"]) == ("file", "standard_1005")
    assert set(cleaned["EEG"]["ChannelsLeftOut"]) == {"ECG"}
    assert set(raw["EEG"]["ChannelsLeftOut"]) == {"ECG", "O9", "O10"}
    assert any("no position" in warning and "O9, O10" in warning for warning in raw["Warnings"])


def test_the_synchronisation_of_the_raw_file_is_no_clock(finished, output: Path) -> None:
    _, sidecar = bold_of(output, "sub-32")
    assert sidecar["VolumeClock"]["Source"] == "assumed: no volume markers"
    assert sidecar["VolumeClock"]["FirstVolumeOnset"] == 0.0
    said = [warning for warning in sidecar["Warnings"] if "Sync On" in warning]
    assert said and "every 2 s are not taken for volumes" in said[0] and "--volume-marker" in said[0]
    assert said[0] in finished.out
    assert sidecar["EEG"]["SamplingFrequency"] == 5000.0
    assert not list((output / "sub-32").rglob("*_events.tsv"))


def test_the_validator_finds_no_error(finished, output: Path, validator_issues) -> None:
    assert validator_issues(output) == []


def test_they_are_taken_for_volumes_only_when_named(dataset: Path, here, res_4, tmp_path: Path) -> None:
    finished = here(
        *(dataset, tmp_path / "out", "participant", "--participant-label", "32"),
        *("--volume-marker", "Sync On", *res_4),
    )
    assert finished.code == 0
    _, sidecar = bold_of(tmp_path / "out", "sub-32")
    assert sidecar["VolumeClock"]["Source"] == "markers: Sync On"
    assert sidecar["RepetitionTime"] == 2.0
    assert sidecar["VolumeClock"]["FirstVolumeOnset"] == pytest.approx(6300 / 5000)
