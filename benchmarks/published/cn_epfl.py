"""CN-EPFL (ds002158; Pereira et al. 2020, doi 10.1073/pnas.1918335117) as downloaded.

The dataset is BIDS: ``sub-02/ses-001/eeg/sub-02_ses-001_task-main_run-001_eeg.vhdr`` at 5000 Hz beside
``func/..._bold.nii.gz``, six runs, of which the published work uses the first (github.com/kgr20/E2fNet). Its EEG
holds the gradient artefact, and ``DataFile`` in the header may be the file's old name. What is made here is therefore
a derivatives dataset of cleaned EEG; the download is only read.
"""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np

from bids_eeg2fmri.eeg.clock import find_clock
from bids_eeg2fmri.eeg.markers import native_markers
from bids_eeg2fmri.errors import BadDataError

from .bids_writing import Run, n_volumes, require_rate, write_eeg
from .brainvision import open_brainvision
from .gradient import corrected

SFREQ_HZ, TR_S = 5000.0, 1.28
SESSION, TASK = "001", "main"
RUNS = tuple(f"{number:03d}" for number in range(1, 7))

_EEG_SIDECAR = {
    "EEGReference": "as recorded",
    "PowerLineFrequency": 50,
    "SoftwareFilters": {
        "Average artefact subtraction": {"template": "25 volumes around each"},
        "Anti-aliasing": {"rate": "5000 to 250 Hz"},
    },
}


def people(downloaded: Path) -> tuple[str, ...]:
    """Everybody with a folder ``sub-02``, ``sub-04``, ..."""
    return tuple(sorted(folder.name.removeprefix("sub-") for folder in downloaded.glob("sub-*") if folder.is_dir()))


def runs(subject: str, every: bool) -> tuple[Run, ...]:
    """The first recording of a person: no published protocol uses the others."""
    return (Run(subject, TASK, RUNS[0], SESSION),)


def convert(downloaded: Path, run: Run, clean_dir: Path) -> None:
    """Write a recording without gradient artefact to a derivatives dataset.

    Raises
    ------
    MissingInputError, BadDataError
        A file is missing or damaged, the rate is not 5000 Hz, or there are no volume markers to correct by.
    """
    images = [run.path(downloaded, "bold", extension).fpath for extension in (".nii.gz", ".nii")]
    count = n_volumes(next((image for image in images if image.exists()), images[0]))
    header = run.path(downloaded, "eeg", ".vhdr").fpath
    raw = open_brainvision(header)
    require_rate(raw.info["sfreq"], SFREQ_HZ, header)
    clean = corrected(raw, _volume_onsets(raw, count, header), round(TR_S * SFREQ_HZ))
    write_eeg(clean_dir, run, clean, _EEG_SIDECAR)


def is_converted(clean_dir: Path, run: Run) -> bool:
    """Whether a recording was cleaned to the end before; its sidecar is written last."""
    sidecar = run.path(clean_dir, "eeg", ".json").fpath
    return sidecar.exists() and "Average artefact subtraction" in sidecar.read_text("utf-8")


def _volume_onsets(raw: mne.io.BaseRaw, count: int, header: Path) -> np.ndarray:
    clock = find_clock(native_markers(raw), None, sfreq_hz=SFREQ_HZ, n_samples=raw.n_times, path=header).clock
    if clock.source.startswith("assumed"):
        there = ", ".join(sorted(set(raw.annotations.description))) or "none"
        raise BadDataError(
            f"no volume markers to correct the gradient artefact by (markers: {there}).",
            path=header,
            remedy="Rename the marker of the volumes to R128 in the .vmrk file.",
        )
    if abs(clock.tr_s - TR_S) > 1e-3 or clock.n_volumes < count:
        raise BadDataError(
            f"{clock.n_volumes} volume markers every {clock.tr_s:.4g} s for {count} volumes of {TR_S:g} s.",
            path=header,
            remedy="Pair the files that were recorded together.",
        )
    onsets = np.rint(clock.onsets_s * SFREQ_HZ).astype(int)
    return onsets[onsets + round(TR_S * SFREQ_HZ) <= raw.n_times]
