"""Training examples of recorded people: an EEG recording and the BOLD that was measured with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ..bids.pairing import Pair
from ..bold.real_bold import RealBold, check_clock, read_real_bold
from ..derivatives.completeness import config_hash, input_hash
from ..eeg.read import read_recording
from ..eeg.recording import Recording
from ..eeg.spectra import BANDS_HZ, HOP_S
from ..errors import MissingInputError
from ..network.neuralfield import NeuralFieldConfig
from ..settings import OutputSpace, Settings
from .examples import Example, sample_voxels, save_examples
from .recorded import example_from_recording

_LAYOUT = "paired/3"


def example_from_pair(
    recording: Recording, bold: RealBold, config: NeuralFieldConfig, *, subject: str, label: str
) -> Example:
    """What the network receives from a recording, as the synthesis computes it, and the BOLD measured with it.

    A volume's features are those of the instant that its value stands for (onset plus the image's ``StartTime``).
    Frames in bad segments and before the recording count as average and lower the evidence.

    Parameters
    ----------
    recording, bold
        Of the same run.
    config
        The network's feature specification.
    subject, label
        Whose it is, and what it is called.

    Raises
    ------
    BadDataError
        The clocks of EEG and BOLD disagree, hardly any EEG is clean, or the BOLD holds nothing to predict.
    """
    clock = check_clock(recording.clock, bold, recording.source, duration_s=recording.duration_s)
    targets = bold.targets(sample_voxels()[0])
    return example_from_recording(
        replace(recording, clock=clock),
        clock.onsets_s + bold.start_time_s,
        np.where(targets.valid, targets.z, np.nan),
        config,
        subject=subject,
        label=label,
    )


def read_pair(pair: Pair, settings: Settings) -> tuple[Recording, RealBold]:
    """A recording on the clock of its BOLD, and the BOLD.

    Raises
    ------
    Eeg2fmriError
        EEG or BOLD cannot be used, or their clocks disagree.
    """
    recording = read_recording(pair.eeg, settings, settings.scratch_dir)
    bold = read_real_bold(pair.bold, confound_columns=settings.confounds)
    clock = check_clock(recording.clock, bold, recording.source, duration_s=recording.duration_s)
    return replace(recording, clock=clock), bold


def cache_pair(pair: Pair, settings: Settings, config: NeuralFieldConfig, folder: Path) -> Path:
    """The file of a pair's example, made if it is not there.

    Its name holds a digest of everything it depends on: the content of the files, the settings that change how they
    are read, the feature specification and this program's version.

    Parameters
    ----------
    pair
        A recording and its BOLD.
    settings
        How they are read.
    config
        The network's feature specification.
    folder
        Where the files lie.

    Raises
    ------
    Eeg2fmriError
        EEG or BOLD cannot be used, or the file cannot be written.
    """
    path = folder / f"{pair.eeg.label}_{_digest(pair, settings, config)}.npz"
    if not path.exists():
        recording = read_recording(pair.eeg, settings, settings.scratch_dir)
        bold = read_real_bold(pair.bold, confound_columns=settings.confounds)
        save_examples(
            path, [example_from_pair(recording, bold, config, subject=pair.eeg.subject, label=pair.eeg.label)]
        )
    return path


def _digest(pair: Pair, settings: Settings, config: NeuralFieldConfig) -> str:
    """Short name of everything that a pair's example depends on."""
    facts = {
        "layout": _LAYOUT,
        "eeg": input_hash(pair.eeg),
        "bold": [_content(path) for path in (pair.bold.path, pair.bold.mask, pair.bold.confounds) if path is not None],
        "sidecar": pair.bold.sidecar,
        "settings": config_hash(settings, OutputSpace()),
        "confounds": settings.confounds,
        "config": asdict(config),
        "frames": [BANDS_HZ, HOP_S],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _content(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise MissingInputError(
            f"cannot be read ({error.strerror}).", path=path, remedy="Check the file, or fetch its content."
        ) from error
