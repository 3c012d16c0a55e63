"""Miniature replicas of the three downloads, filled with phantom signals, and of what fMRIPrep makes of them.

Names, formats, markers and sampling rates are those of the real downloads; people are few, runs last a good minute and
the mock fMRIPrep folder holds the phantom's BOLD at 4 mm, which lies in the template's space by construction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pybv
from scipy.io import savemat
from scipy.signal import resample_poly

from benchmarks.published import bipolar, oddball
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.phantom.bold_files import write_percent
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.scalp import project_eeg
from bids_eeg2fmri.phantom.scanner import simulate_bold
from bids_eeg2fmri.phantom.sources import simulate_sources
from bids_eeg2fmri.settings import OutputSpace

NODDI_PEOPLE = ("32", "35", "36", "37")
ODDBALL_PEOPLE = ("001", "002", "003", "004")
CN_EPFL_PEOPLE = ("02", "04", "05", "06")
_CAP = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2 FC5 FC1 FC2 FC6 CP5 CP1 CP2 CP6 POz Oz"
CAP = tuple(_CAP.split())

_SIMULATED_HZ = 250
_GRADIENT_V = 1e-3


@dataclass(frozen=True)
class Signals:
    """EEG in volts with ECG as its last channel where there is one, and a person's BOLD in per cent."""

    eeg_v: np.ndarray
    names: tuple[str, ...]
    percent: np.ndarray
    seed: int
    tr_s: float

    def save_bold(self, path: Path) -> None:
        """Write the BOLD at 4 mm, in the template's space."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_percent(path, make_grid(OutputSpace(resolution="4")), draw_person(self.seed), self.percent, self.tr_s)

    def save_native_bold(self, path: Path) -> None:
        """Write an image of as many volumes that lies in no known space: the scanner's."""
        path.parent.mkdir(parents=True, exist_ok=True)
        voxels = np.random.default_rng(self.seed).integers(0, 900, (6, 6, 5, len(self.percent)), dtype=np.int16)
        nib.save(nib.Nifti1Image(voxels, np.diag([3.0, 3.0, 4.0, 1.0])), path)


def simulate(seed: int, names: Sequence[str], tr_s: float, n_volumes: int, lead_in_s: float = 0.0) -> Signals:
    """A phantom person's run at 250 Hz."""
    rng, spec = np.random.default_rng(seed), draw_person(seed)
    duration_s = lead_in_s + n_volumes * tr_s
    activity = simulate_sources(spec, duration_s, float(_SIMULATED_HZ), rng)
    eeg, recorded, _ = project_eeg(activity, spec, names, rng)
    points = make_grid(OutputSpace(resolution="4")).coordinates_mm
    _, percent = simulate_bold(activity, spec, points, tr_s, n_volumes, rng, first_volume_onset_s=lead_in_s)
    return Signals(eeg, recorded, percent, seed, tr_s)


def write_noddi(root: Path, people: Iterable[str] = NODDI_PEOPLE, n_volumes: int = 45) -> dict[str, Signals]:
    """EEG1/32/export and EEG2/36/export with `Scan Start` markers, fMRI/32/..._with_cross.nii.gz and a T1 image."""
    made = {}
    for number, person in enumerate(people):
        # As in the real export, the first volume begins a few samples into the file.
        signals = made[person] = simulate(100 + number, CAP, 2.16, n_volumes, lead_in_s=37 / 250)
        export = root / ("EEG1" if number < 2 else "EEG2") / person / "export"
        ecg = 1e-4 * np.sin(2 * np.pi * 1.1 * np.arange(signals.eeg_v.shape[1]) / 250)
        write_brainvision(export, "2013_export", np.vstack([signals.eeg_v, ecg]), [*signals.names, "ECG"], 250)
        onsets = 38 + 540 * np.arange(n_volumes)
        marks = [f"Mk{i + 2}=Scanner,Scan Start,{onset},1,0" for i, onset in enumerate(onsets)]
        (export / "2013_export.vmrk").write_text(marker_file("2013_export.eeg", marks))
        signals.save_native_bold(root / "fMRI" / person / "3_nw_mepi_rest_with_cross.nii.gz")
        _save_t1w(root / "T1" / person / "T1w.nii.gz")
    return made


def write_oddball(root: Path, people: Iterable[str] = ODDBALL_PEOPLE, n_volumes: int = 40) -> dict[str, Signals]:
    """sub001/EEG/task001_run001/EEG_noGA.mat, sub001/BOLD/..., sub001/anatomy; the first run alone."""
    made = {}
    for number, person in enumerate(people):
        signals = made[person] = simulate(200 + number, _NODES, 2.0, n_volumes)
        folder = "task001_run001"
        eeg = root / f"sub{person}" / "EEG" / folder
        eeg.mkdir(parents=True)
        savemat(eeg / "EEG_noGA.mat", {oddball.VARIABLE: _oddball_channels(signals)})
        signals.save_native_bold(root / f"sub{person}" / "BOLD" / folder / "bold.nii.gz")
        _save_t1w(root / f"sub{person}" / "anatomy" / "highresSPGR001.nii.gz")
    return made


def write_cn_epfl(root: Path, people: Iterable[str] = CN_EPFL_PEOPLE, n_volumes: int = 64) -> dict[str, Signals]:
    """A BIDS dataset at 5000 Hz with gradient artefact, `R128` markers and headers that name an old file."""
    made = {}
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "replica", "BIDSVersion": "1.0.2"}))
    for number, person in enumerate(people):
        signals = made[person] = simulate(300 + number, CAP[:16], 1.28, n_volumes, lead_in_s=2.0)
        session = root / f"sub-{person}" / "ses-001"
        stem = f"sub-{person}_ses-001_task-main_run-001"
        fast = resample_poly(signals.eeg_v, 20, 1, axis=1)
        fast += gradient_artefact(fast.shape[1], n_volumes, seed=number)
        names = list(signals.names)
        write_brainvision(session / "eeg", f"{stem}_eeg", fast, names, 5000)
        onsets = 1 + 10_000 + 6400 * np.arange(n_volumes)
        marks = [f"Mk{i + 2}=Response,R128,{onset},1,0" for i, onset in enumerate(onsets)]
        (session / "eeg" / f"{stem}_eeg.vmrk").write_text(marker_file(f"{stem}_eeg.eeg", marks))
        header = session / "eeg" / f"{stem}_eeg.vhdr"
        header.write_text(
            header.read_text("utf-8").replace(f"DataFile={stem}_eeg.eeg", "DataFile=s2_run1.eeg"), "utf-8"
        )
        (session / "eeg" / f"{stem}_eeg.json").write_text(json.dumps({"SamplingFrequency": 5000, "TaskName": "main"}))
        signals.save_native_bold(session / "func" / f"{stem}_bold.nii.gz")
        (session / "func" / f"{stem}_bold.json").write_text(json.dumps({"RepetitionTime": 1.28, "TaskName": "main"}))
        _save_t1w(session / "anat" / f"sub-{person}_ses-001_T1w.nii.gz")
    return made


def write_fmriprep(root: Path, made: dict[str, Signals], stem: str) -> Path:
    """What fMRIPrep writes and the package reads; ``stem`` with ``{person}``, such as ``sub-{person}_task-rest``."""
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text(
        json.dumps({"Name": "fMRIPrep", "BIDSVersion": "1.4.0", "DatasetType": "derivative"})
    )
    for person, signals in made.items():
        name = stem.format(person=person)
        parts = [part for part in name.split("_") if part.startswith(("sub-", "ses-"))]
        image = root.joinpath(*parts, "func", f"{name}_space-MNI152NLin2009cAsym_res-2_desc-preproc_bold.nii.gz")
        signals.save_bold(image)
        sidecar = {"RepetitionTime": signals.tr_s, "StartTime": 0.0, "SkullStripped": False}
        image.with_name(image.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    return root


def gradient_artefact(n_samples: int, n_volumes: int, seed: int) -> np.ndarray:
    """The same burst of harmonics in every volume of 6400 samples, from sample 10000 on."""
    rng = np.random.default_rng(seed)
    volume = np.zeros(6400)
    for harmonic in range(20, 600, 20):
        volume += rng.uniform() * np.sin(2 * np.pi * harmonic * np.arange(6400) / 6400 + rng.uniform(0, 6))
    artefact = np.zeros(n_samples)
    artefact[10_000 : 10_000 + 6400 * n_volumes] = np.tile(volume / np.abs(volume).max(), n_volumes)
    return _GRADIENT_V * artefact


def write_brainvision(folder: Path, base: str, signals_v: np.ndarray, names: Sequence[str], sfreq_hz: int) -> None:
    """A BrainVision file without markers."""
    folder.mkdir(parents=True, exist_ok=True)
    pybv.write_brainvision(
        data=signals_v, sfreq=sfreq_hz, ch_names=list(names), fname_base=base, folder_out=folder, unit="µV"
    )


def marker_file(data_file: str, marks: Sequence[str]) -> str:
    """A .vmrk file, with marker types that pybv does not write."""
    head = "Brain Vision Data Exchange Marker File, Version 2.0\n\n[Common Infos]\nCodepage=UTF-8\n"
    lines = "\n".join(["Mk1=New Segment,,1,1,0,20130410102740488278", *marks])
    return f"{head}DataFile={data_file}\n\n[Marker Infos]\n{lines}\n"


_NODES = [*bipolar.ELECTRODES, "M1", "M2"]


def _oddball_channels(signals: Signals) -> np.ndarray:
    """49 channels in microvolts at 1000 Hz; the stimulus channel jumps to 125 and 150."""
    potentials = 1e6 * resample_poly(signals.eeg_v, 4, 1, axis=1)
    channels = np.zeros((49, potentials.shape[1]))
    channels[:43] = bipolar.differences() @ potentials
    channels[43:47] = 50 * np.random.default_rng(signals.seed).standard_normal((4, channels.shape[1]))
    channels[47, 1000:] = 25
    channels[47, 5000:5200], channels[47, 8000:8200] = 125, 150
    return channels


def _save_t1w(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), path)
