"""What was done to a recording, in sentences that a paper can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ..run import RunReport
from .banner import trained_on_simulations, training_data


def collect_methods(run: RunReport, output_dir: Path) -> dict[str, Any]:
    """What was done to this recording, in paragraphs."""
    return {"paragraphs": [_eeg(run), _synthesis(run), _output(run)]}


def _eeg(run: RunReport) -> str:
    recording = run.recording
    used = int(np.sum(recording.good))
    steps = " ".join(recording.cleaning.steps)
    return (
        f"EEG ({len(recording.channel_names)} channels, {recording.source_sfreq_hz:g} Hz, {recording.duration_s:.0f} "
        f"s) was read and cleaned with bids_eeg2fmri {__version__}. {steps} {used} channels entered the analysis; "
        f"electrode positions were taken from: {recording.positions_source}."
    )


def _synthesis(run: RunReport) -> str:
    sidecar = run.sidecar
    simulated = (
        " The model was trained on simulations, not on measured BOLD." if trained_on_simulations(sidecar) else ""
    )
    return (
        "No BOLD was measured. Synthetic BOLD was predicted from the EEG: a minimum-norm operator for this montage "
        f"projects the EEG onto {len(run.summary.resolution)} grey-matter parcels, and the network "
        f"{sidecar.get('ModelName', 'n/a')} {sidecar.get('ModelVersion', '')} maps their band power in "
        f"{len(run.summary.bands_hz)} frequency bands over time to BOLD and to its uncertainty (weights sha256 "
        f"{str(sidecar.get('ModelSHA256', 'n/a'))[:12]}). Training data: {training_data(sidecar)}.{simulated}"
    )


def _output(run: RunReport) -> str:
    clock = run.recording.clock
    return (
        f"{clock.n_volumes} volumes with a repetition time of {clock.tr_s:g} s ({clock.source}) were written in "
        f"{run.grid.space} ({run.grid.description}). The baseline of the series is set, not predicted. Motion is zero "
        f"by construction. {run.sidecar.get('ParcellationNote', '')} For research use, not for clinical decisions."
    )
