"""NODDI (osf.io/94c5t; Deligianni et al. 2014, doi 10.3389/fnins.2014.00258) as downloaded, to BIDS.

``EEG1.zip``, ``EEG2.zip`` and ``fMRI.zip`` unpack to ``EEG1/32/export/*.vhdr``, ``EEG2/43/export/*.vhdr`` and
``fMRI/32/3_nw_mepi_rest_with_cross.nii.gz``; some merge the first two to ``EEG``. The layout is that of the README of
github.com/rom42pla/ntvit and of the readers of github.com/DCalhas/eeg_to_fmri; markers, channels and values of the
sidecars are those of ``eeg_rest_fmri`` in github.com/bids-standard/bids-examples.
"""

from __future__ import annotations

from pathlib import Path

from bids_eeg2fmri.errors import BadDataError, MissingInputError

from .bids_writing import Run, has_bold, require, require_rate, write_bold, write_eeg, write_t1w
from .brainvision import open_brainvision

SFREQ_HZ, TR_S = 250.0, 2.16
TASK = "rest"

_BOLD = "*_cross.nii*"
_EEG_SIDECAR = {
    "EEGReference": "FCz",
    "PowerLineFrequency": 50,
    "Manufacturer": "Brain Products",
    "ManufacturersModelName": "BrainAmp MR",
    "CapManufacturersModelName": "BrainCap MR",
    "SoftwareFilters": {"Export": {"Description": "gradient and pulse artefact corrected by the authors, 250 Hz"}},
}
_BOLD_SIDECAR = {
    "RepetitionTime": TR_S,
    "EchoTime": 0.03,
    "FlipAngle": 75,
    "MagneticFieldStrength": 1.5,
    "Manufacturer": "Siemens",
    "PhaseEncodingDirection": "j-",
    "SliceTiming": [
        *(0, 0.0725, 0.145, 0.2175, 0.29, 0.3625, 0.435, 0.5075, 0.58, 0.6525, 0.7225, 0.795, 0.8675, 0.94, 1.0125),
        *(1.085, 1.1575, 1.23, 1.3025, 1.375, 1.4475, 1.52, 1.59, 1.6625, 1.735, 1.8075, 1.88, 1.9525, 2.025, 2.0975),
    ],
}


def people(downloaded: Path) -> tuple[str, ...]:
    """Everybody with a folder of EEG or of fMRI, in the order of the folders' names."""
    folders = [*downloaded.glob("EEG*/*"), *downloaded.glob("fMRI/*")]
    return tuple(sorted({folder.name for folder in folders if folder.is_dir() and folder.name.isalnum()}))


def runs(subject: str, every: bool) -> tuple[Run, ...]:
    """The recordings of a person: one, whatever is asked."""
    return (Run(subject, TASK),)


def convert(downloaded: Path, run: Run, bids_dir: Path) -> None:
    """Bring a person's EEG export, BOLD and T1-weighted image into a BIDS dataset.

    Raises
    ------
    MissingInputError, BadDataError
        A file is missing, damaged or not at 250 Hz.
    """
    image = _the_one(downloaded / "fMRI" / run.subject, _BOLD, "the BOLD image")
    header = _header(downloaded, run.subject)
    raw = open_brainvision(header)
    require_rate(raw.info["sfreq"], SFREQ_HZ, header)
    write_eeg(bids_dir, run, raw, _EEG_SIDECAR)
    anatomy = sorted(path for path in downloaded.glob(f"*/{run.subject}/**/*.nii*") if "t1" in path.name.lower())
    if anatomy:
        write_t1w(bids_dir, run.subject, anatomy[0])
    write_bold(bids_dir, run, image, _BOLD_SIDECAR)


def is_converted(bids_dir: Path, run: Run) -> bool:
    """Whether a recording was brought to the end before."""
    return has_bold(bids_dir, run)


def _header(downloaded: Path, subject: str) -> Path:
    folders = sorted(downloaded.glob(f"EEG*/{subject}/export"))
    if not folders:
        raise MissingInputError(
            "the folder of the EEG export is missing from the download.",
            path=downloaded / "EEG" / subject / "export",
            remedy="Unpack EEG1.zip and EEG2.zip, or leave the person out with --exclude.",
        )
    return _the_one(folders[0], "*.vhdr", "the header of the EEG export")


def _the_one(folder: Path, pattern: str, what: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) > 1:
        raise BadDataError(
            f"{len(found)} files where one is expected: {', '.join(path.name for path in found)}.",
            path=folder,
            remedy="Keep the one of the download.",
        )
    return require(found[0] if found else folder / pattern, what)
