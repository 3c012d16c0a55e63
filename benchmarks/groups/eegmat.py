"""Eegmat as a BIDS dataset: rest against arithmetic, and people who count well or badly."""

from __future__ import annotations

import csv
from pathlib import Path

import mne
from realeeg.sessions import wrap_eegmat

REST, TASK = "task-rest_eeg", "task-arithmetic_eeg"


def wrap(folder: Path, root: Path) -> Path:
    """The recordings as they were published, with a column ``counting`` in ``participants.tsv``."""
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "dataset_description.json").exists():
        wrap_eegmat(folder, root)
    _write_participants(folder, root)
    return root


def wrap_cut(folder: Path, root: Path) -> Path:
    """The same with the last part of every rest only, as long as the person's arithmetic."""
    wrap(folder, root)
    for rest in sorted(root.glob(f"sub-*/eeg/*_{REST}.edf")):
        length_s = mne.io.read_raw_edf(rest.with_name(rest.name.replace(REST, TASK)), verbose="error").duration
        raw = mne.io.read_raw_edf(rest, verbose="error", preload=True)
        raw.crop(tmin=raw.times[-1] - length_s + 1 / raw.info["sfreq"])
        mne.export.export_raw(rest.with_suffix(".vhdr"), raw, overwrite=True, verbose="error")
        rest.unlink()
    return root


def _write_participants(folder: Path, root: Path) -> None:
    with (folder / "subject-info.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    lines = ["participant_id\tage\tsex\tcounting"]
    for row in rows:
        person = f"sub-{row['Subject'].removeprefix('Subject')}"
        if (root / person).is_dir():
            counting = "good" if row["Count quality"] == "1" else "bad"
            lines.append(f"{person}\t{row['Age']}\t{row['Gender']}\t{counting}")
    (root / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
