"""The recordings: those of a dataset, and simulated ones to stand beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.recording import Recording, VolumeClock
from bids_eeg2fmri.errors import Eeg2fmriError
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.recording import simulated_recording
from bids_eeg2fmri.phantom.sources import simulate_sources
from bids_eeg2fmri.settings import Settings

# Seeds of the simulated people: no training script uses them.
SIMULATED_SEED, SIMULATED_CAP, SIMULATED_SFREQ_HZ = 150_000, 19, 250.0
EEGMAT_TASKS = {"1": "rest", "2": "arithmetic"}


@dataclass(frozen=True)
class Session:
    """A recording, and whose it is."""

    person: str
    task: str
    recording: Recording


def real_sessions(bids_dir: Path, tr_s: float) -> Iterator[Session | Eeg2fmriError]:
    """Every recording of a dataset, or why it cannot be used."""
    settings = Settings(
        bids_dir=bids_dir, output_dir=bids_dir, level="participant", tr_s=tr_s, skip_bids_validation=True
    )
    selection = select_recordings(settings)
    yield from (failure.error for failure in selection.failures)
    for file in selection.recordings:
        try:
            yield Session(file.subject, file.task, read_recording(file, settings))
        except Eeg2fmriError as error:
            yield error


def simulated_sessions(
    n_people: int, durations_s: Mapping[str, float], tr_s: float
) -> Iterator[Session | Eeg2fmriError]:
    """People of the phantom outside a scanner, recorded as often and as long as the real ones."""
    for seed in range(SIMULATED_SEED, SIMULATED_SEED + n_people):
        spec = draw_person(seed, in_scanner=False)
        for number, (task, duration_s) in enumerate(durations_s.items()):
            rng = np.random.default_rng([seed, number])
            activity = simulate_sources(spec, duration_s, SIMULATED_SFREQ_HZ, rng)
            clock = VolumeClock(0.0, tr_s, int(duration_s / tr_s), "simulated")
            names, label = cap_names(SIMULATED_CAP), f"sim-{seed}_task-{task}"
            try:
                yield Session(
                    f"sim-{seed}", task, simulated_recording(activity, spec, names, rng, clock=clock, label=label)
                )
            except Eeg2fmriError as error:
                yield error


def wrap_eegmat(folder: Path, root: Path) -> Path:
    """Arrange the files of eegmat as a BIDS dataset of links, and return its root."""
    description = {"Name": "eegmat", "BIDSVersion": "1.10.1", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    sidecar = {"PowerLineFrequency": 50, "EEGReference": "interconnected ear electrodes"}
    for path in sorted(folder.glob("Subject??_?.edf")):
        subject, number = path.stem.removeprefix("Subject").split("_")
        target = root / f"sub-{subject}" / "eeg" / f"sub-{subject}_task-{EEGMAT_TASKS[number]}_eeg.edf"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path.resolve())
        target.with_suffix(".json").write_text(json.dumps(sidecar), encoding="utf-8")
    return root
