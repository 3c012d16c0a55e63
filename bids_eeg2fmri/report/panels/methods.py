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
    return {"paragraphs": [_eeg(run), _synthesis(run), _output(run), *_comparison(run)]}


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
    measured = "No BOLD was measured." if run.comparison is None else "The scanner's BOLD took no part in what follows."
    return (
        f"{measured} Synthetic BOLD was predicted from the EEG: {_path(run)} (weights sha256 "
        f"{str(sidecar.get('ModelSHA256', 'n/a'))[:12]}). Training data: {training_data(sidecar)}.{simulated}"
    )


def _path(run: RunReport) -> str:
    """From the EEG to BOLD, as the network at hand goes."""
    summary = run.summary
    model = f"{run.sidecar.get('ModelName', 'n/a')} {run.sidecar.get('ModelVersion', '')}"
    if summary.cap is not None:
        made = len(summary.cap.interpolated)
        return (
            f"the amplitude spectra of {len(summary.cap.channel_names)} channels ({made} of them interpolated with "
            "spherical splines) in consecutive windows, standardised across channels, are what the network "
            f"{model}, an architecture of Calhas and Henriques (2022, arXiv 2203.03481), maps to BOLD; its uncertainty "
            "was set on people it was not trained on"
        )
    n_parcels = 0 if summary.resolution is None else len(summary.resolution)
    return (
        "matched filters, whitened with this recording's own covariance in "
        f"{len(summary.bands_hz)} frequency bands and with the leadfield of its electrodes, give the evidence for "
        f"changes of power in {n_parcels} grey-matter parcels, which the network {model} maps over time to BOLD and to "
        "its uncertainty"
    )


def _output(run: RunReport) -> str:
    clock = run.recording.clock
    return (
        f"{clock.n_volumes} volumes with a repetition time of {clock.tr_s:g} s ({clock.source}) were written in "
        f"{run.grid.space} ({run.grid.description}). The baseline of the series is set, not predicted. Motion is zero "
        f"by construction. {run.sidecar.get('ParcellationNote', '')} For research use, not for clinical decisions."
    )


def _comparison(run: RunReport) -> list[str]:
    comparison, facts = run.comparison, run.sidecar.get("ComparedWith") or {}
    if comparison is None:
        return []
    regressed = facts.get("ConfoundsRegressed")
    without = f", the confounds {', '.join(regressed)} were regressed out" if regressed else ""
    return [
        f"The synthetic BOLD was compared with the {comparison.scanner} of the same run ({comparison.source}). The "
        f"scanner's series were interpolated at the voxels of the output (trilinear) and detrended{without}, and "
        "standardised over time. Chance was taken from circular shifts of 30 s or more and from phase surrogates of "
        "the prediction; the parcels above chance were found at a false discovery rate of 5 % (Benjamini and Hochberg "
        "1995)."
    ]
