"""Auditory and visual Oddball (ds000116; Walz et al. 2013, doi 10.1523/JNEUROSCI.2649-13.2013) as downloaded, to BIDS.

The EEG is part of release 1.0.0 alone (legacy.openfmri.org/dataset/ds000116), in the layout of OpenfMRI:
``sub001/EEG/task001_run001/EEG_noGA.mat`` and ``sub001/BOLD/task001_run001/bold.nii.gz``, two tasks of three runs.
``EEG_noGA.mat`` holds ``data_noGA``: 49 channels in microvolts at 1000 Hz without gradient artefact, of which 43 are
bipolar EEG, 44-45 EOG, 46-47 ECG and 48 the stimuli (125 and 150: auditory standards and targets, 225 and 250: visual
ones). Recording starts with the scanner and keeps its clock: sample 0 is the onset of volume 0. All of this is stated
by the dataset's README (github.com/OpenNeuroDatasets/ds000116); the task labels are those of its BIDS release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mne
import numpy as np
from jaxtyping import Float
from pymatreader import read_mat

from bids_eeg2fmri.errors import BadDataError

from .bids_writing import Run, has_bold, n_volumes, require, write_bold, write_eeg, write_t1w
from .bipolar import ELECTRODES, NOISY, PAIRS, to_electrodes

SFREQ_HZ, TR_S = 1000.0, 2.0
TASKS = tuple(f"{sense}oddballwithbuttonresponsetotargetstimuli" for sense in ("auditory", "visual"))
RUNS = ("01", "02", "03")
VARIABLE = "data_noGA"
VOLUME_MARKER = "Volume start"

_N_CHANNELS, _STIMULI = 49, 47
_OTHER_CHANNELS = {"EOGh": "eog", "EOGv": "eog", "ECG1": "ecg", "ECG2": "ecg"}
_STIMULUS_S = 0.2
_STIMULUS_NAMES = {125: "auditory/standard", 150: "auditory/target", 225: "visual/standard", 250: "visual/target"}
_ANATOMY = ("highres*SPGR*001.nii.gz", "highres*MPRAGE*001.nii.gz", "highres001.nii.gz")
_EEG_SIDECAR = {
    "EEGReference": "average of 34 electrodes and both mastoids, from 43 bipolar channels by least squares",
    "PowerLineFrequency": 60,
    "SoftwareFilters": {"EEG_noGA": {"Description": "mean over TRs subtracted and filtered by the authors"}},
}


def people(downloaded: Path) -> tuple[str, ...]:
    """Everybody with a folder ``sub001``, ``sub002``, ... as ``01``, ``02``, ..."""
    numbers = [folder.name.removeprefix("sub") for folder in downloaded.glob("sub*") if folder.is_dir()]
    return tuple(sorted(f"{int(number):02d}" for number in numbers if number.isdigit()))


def runs(subject: str, every: bool) -> tuple[Run, ...]:
    """All six recordings of a person, or the first auditory one."""
    both = tuple(Run(subject, task, run) for task in TASKS for run in RUNS)
    return both if every else both[:1]


def convert(downloaded: Path, run: Run, bids_dir: Path) -> None:
    """Bring one recording into a BIDS dataset: potentials at the electrodes, volume markers, stimuli, BOLD.

    Raises
    ------
    MissingInputError, BadDataError
        A file is missing or damaged, lacks ``data_noGA``, or EEG and BOLD are not equally long.
    """
    person = downloaded / f"sub{int(run.subject):03d}"
    folder = f"task{TASKS.index(run.task) + 1:03d}_run{int(run.run or 1):03d}"
    image = require(person / "BOLD" / folder / "bold.nii.gz", "the BOLD image")
    source = require(person / "EEG" / folder / "EEG_noGA.mat", "the EEG without gradient artefact")
    signals = read_signals(source)
    count = n_volumes(image)
    _require_length(signals.shape[1], count, source)
    raw = _recording(signals, NOISY.get(run.subject, ()), count)
    write_eeg(bids_dir, run, raw, _EEG_SIDECAR)
    found = [path for pattern in _ANATOMY for path in sorted((person / "anatomy").glob(pattern))]
    if found:
        write_t1w(bids_dir, run.subject, found[0])
    write_bold(bids_dir, run, image, {"RepetitionTime": TR_S, "EchoTime": 0.025, "Manufacturer": "Philips"})


def is_converted(bids_dir: Path, run: Run) -> bool:
    """Whether a recording was brought to the end before."""
    return has_bold(bids_dir, run)


def read_signals(source: Path) -> Float[np.ndarray, "channels samples"]:
    """The 49 channels of a file, in its own units.

    Raises
    ------
    BadDataError
        It cannot be read, or does not hold 49 channels under the name ``data_noGA``.
    """
    try:
        content = read_mat(source)
    except Exception as error:
        # scipy and h5py raise whatever the broken byte leads to.
        raise BadDataError("it is no readable MATLAB file.", path=source, remedy="Download it again.") from error
    if VARIABLE not in content:
        there = ", ".join(name for name in content if not name.startswith("__")) or "none"
        raise BadDataError(
            f"it holds no variable {VARIABLE} (there: {there}).",
            path=source,
            remedy="Give EEG_noGA.mat of release 1.0.0, not EEG_raw.mat or EEG_rereferenced.mat.",
        )
    signals = np.asarray(content[VARIABLE], float)
    if signals.ndim != 2 or signals.shape[0] != _N_CHANNELS:
        raise BadDataError(
            f"{VARIABLE} has the shape {signals.shape}; {_N_CHANNELS} channels by samples are expected.",
            path=source,
            remedy="Download it again.",
        )
    return signals


def _require_length(n_samples: int, count: int, source: Path) -> None:
    """The file states no sampling rate: its length beside the volumes shows whether it is 1000 Hz."""
    expected = round(count * TR_S * SFREQ_HZ)
    if abs(n_samples - expected) >= TR_S * SFREQ_HZ:
        raise BadDataError(
            f"{n_samples} samples for {count} volumes of {TR_S:g} s make {n_samples / (count * TR_S):.4g} Hz; "
            f"the published recordings are at {SFREQ_HZ:g} Hz.",
            path=source,
            remedy="Give the files as they are downloaded.",
        )


def _recording(signals: Float[np.ndarray, "channels samples"], noisy: tuple[int, ...], count: int) -> mne.io.RawArray:
    electrodes = to_electrodes(signals[: len(PAIRS)], noisy)
    others = signals[len(PAIRS) : len(PAIRS) + len(_OTHER_CHANNELS)]
    types = ["eeg"] * len(ELECTRODES) + list(_OTHER_CHANNELS.values())
    info = mne.create_info([*ELECTRODES, *_OTHER_CHANNELS], SFREQ_HZ, types)
    raw = mne.io.RawArray(1e-6 * np.vstack([electrodes, others]), info, verbose="error")
    volumes = [(TR_S * volume, 0.0, VOLUME_MARKER) for volume in range(count) if TR_S * volume < raw.duration]
    stimuli = list(_stimuli(signals[_STIMULI]))
    return raw.set_annotations(mne.Annotations(*zip(*volumes, *stimuli, strict=True)), verbose="error")


def _stimuli(channel: Float[np.ndarray, " samples"]) -> Iterator[tuple[float, float, str]]:
    """Onset, duration and name of every stimulus: where the channel jumps to its code."""
    codes = np.rint(channel).astype(int)
    for sample in 1 + np.flatnonzero(np.diff(codes)):
        name = _STIMULUS_NAMES.get(int(codes[sample]))
        if name is not None:
            yield sample / SFREQ_HZ, _STIMULUS_S, name
