"""Signal files in the ``eeg`` folders of a dataset.

The folders of the selected people are listed directly: on 200 people (800 recordings) this takes
0.02 s, against 0.2 s for ``mne_bids.find_matching_paths`` and 2.9 s for pybids without metadata,
and, unlike mne-bids, it sees annex links whose content is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .bids_name import BidsName, parse_name
from .database import files_in_database

logger = logging.getLogger(__name__)

EXTENSIONS = (".vhdr", ".edf", ".bdf", ".set", ".fif")
_RECORDING = {"sub", "ses", "task", "acq", "run", "split"}
_CLEANED = {("proc", "clean"), ("desc", "clean"), ("desc", "preproc")}


@dataclass(frozen=True)
class SignalFile:
    """A file that may be taken as a recording.

    Attributes
    ----------
    path, name
        Where it is, and its name taken apart.
    root, dataset
        Root and name of its dataset (``"raw"`` for the input itself).
    """

    path: Path
    name: BidsName
    root: Path
    dataset: str

    @property
    def key(self) -> tuple[str, ...]:
        """What identifies a recording across datasets; runs compare as numbers."""
        sub, ses, task, acq, run = (self.name.entities.get(e, "") for e in ("sub", "ses", "task", "acq", "run"))
        return sub, ses, task, acq, run.lstrip("0").zfill(6) if run else ""

    @property
    def label(self) -> str:
        """Entities that identify the recording, as in output names."""
        return "_".join(f"{e}-{v}" for e, v in self.name.entities.items() if e in _RECORDING - {"split"})


def signal_files(
    root: Path, dataset: str, subjects: Sequence[str], database_dir: Path | None = None
) -> list[SignalFile]:
    """Raw and cleaned continuous EEG of some people, sorted by path.

    Cleaned files are named ``proc-clean``, ``desc-clean`` or ``desc-preproc``, or like the raw ones.

    Raises
    ------
    UsageError
        The database cannot be used.
    """
    paths: Iterable[Path]
    if database_dir is None:
        paths = (path for folder in _eeg_folders(root, subjects) for path in folder.glob("sub-*"))
    else:
        paths = files_in_database(root, database_dir, subjects, EXTENSIONS)
    named = [(path, parse_name(path.name)) for path in sorted(paths)]
    return [
        SignalFile(path, name, root, dataset) for path, name in named if name is not None and _is_recording(path, name)
    ]


def lost_recordings(root: Path, dataset: str, subjects: Sequence[str]) -> list[SignalFile]:
    """What is left of recordings whose signal file is gone: their sidecars, or the other files of their format.

    A sidecar that serves several recordings by inheritance is not of this kind: one of them lies beside it.
    """
    lost: list[SignalFile] = []
    for folder in _eeg_folders(root, subjects):
        files = [
            SignalFile(path, name, root, dataset)
            for path in sorted(folder.glob("sub-*"))
            if (name := parse_name(path.name)) is not None and name.suffix == "eeg"
        ]
        present = [file.name.entities.items() for file in files if file.name.extension in EXTENSIONS]
        lost += [
            file
            for file in files
            if "task" in file.name.entities and not any(file.name.entities.items() <= entities for entities in present)
        ]
    return lost


def _eeg_folders(root: Path, subjects: Sequence[str]) -> list[Path]:
    return [
        folder for label in subjects for level in ("eeg", "ses-*/eeg") for folder in (root / f"sub-{label}").glob(level)
    ]


def _is_recording(path: Path, name: BidsName) -> bool:
    # mne-bids-pipeline writes its cleaned continuous data as proc-clean_raw.fif.
    suffixes = ("eeg", "raw") if name.extension == ".fif" else ("eeg",)
    if name.suffix not in suffixes or name.extension not in EXTENSIONS:
        return False
    further = {(entity, value) for entity, value in name.entities.items() if entity not in _RECORDING}
    if not further <= _CLEANED:
        logger.debug("%s is neither raw nor named as cleaned: left out.", path)
        return False
    # MNE reads the other parts of a split file by itself.
    return name.entities.get("split", "1").lstrip("0") == "1"
