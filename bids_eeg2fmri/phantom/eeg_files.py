"""The EEG of a simulated run as BrainVision files with volume markers, written through mne-bids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import mne
import mne_bids
import numpy as np
import pybv  # type: ignore[import-untyped]
from jaxtyping import Float

from ..eeg.leadfield import load_template
from .request import Request
from .run import Run
from .sources import Stimulus

VOLUME_MARKER = "R128"
STIMULUS = "stimulus"

_RESOLUTION_UV = 0.05
_INT16_RANGE = 32000
_REFERENCE_NAMES = {
    "average": "average",
    "mastoids": "mean of M1 and M2",
    "ears": "mean of A1 and A2",
    "TP9-TP10": "mean of TP9 and TP10",
}
_MARKERS = {"Response/R128": VOLUME_MARKER, "Stimulus/S  1": STIMULUS}


def write_eeg(
    root: Path,
    run: Run,
    request: Request,
    signals_v: Float[np.ndarray, "channels samples"],
    names: Sequence[str],
    positions_m: Float[np.ndarray, "channels 3"],
    stimuli: Sequence[Stimulus],
    line_hz: float,
) -> None:
    """Write the EEG of a run with its events, channels, electrodes and coordinate system.

    The signal file is written first, with the volume markers that an amplifier would store, and then brought into
    the dataset by mne-bids.

    Parameters
    ----------
    root
        Root of the dataset.
    run, request
        Names and timing of the run.
    signals_v, names, positions_m
        What was recorded, in volts, and where (metres, head frame).
    stimuli
        Blocks of stimulation.
    line_hz
        Frequency of the mains, for the sidecar.
    """
    # The temporary folder lies on the same disk as the dataset: a full disk then shows here.
    with TemporaryDirectory(dir=root, prefix=".tmp-") as folder:
        pybv.write_brainvision(
            data=signals_v.astype(np.float64),
            sfreq=request.sfreq_hz,
            ch_names=list(names),
            fname_base="recording",
            folder_out=folder,
            events=_markers(request, stimuli, signals_v.shape[1]),
            resolution=max(_RESOLUTION_UV, 1e6 * float(np.abs(signals_v).max()) / _INT16_RANGE),
            unit="µV",
            fmt="binary_int16",
        )
        raw = mne.io.read_raw_brainvision(Path(folder) / "recording.vhdr", verbose="error")
        _describe(raw, names, positions_m, stimuli, line_hz)
        target = mne_bids.BIDSPath(
            subject=run.subject,
            session=run.session,
            task=run.task,
            run=run.run,
            datatype="eeg",
            suffix="eeg",
            extension=".vhdr",
            root=root,
        )
        mne_bids.write_raw_bids(raw, target, verbose="error")
    sidecar = target.copy().update(extension=".json")
    entries = {
        "EEGReference": _REFERENCE_NAMES.get(request.reference, request.reference),
        "Manufacturer": "none (simulated)",
        "Simulated": True,
    }
    mne_bids.update_sidecar_json(sidecar, entries, verbose="error")


def _markers(request: Request, stimuli: Sequence[Stimulus], n_samples: int) -> list[dict[str, object]]:
    volumes = request.lead_in_s + request.tr_s * np.arange(request.n_volumes)
    marks = [(onset, "Response", 128) for onset in volumes]
    marks += [(stimulus.onset_s, "Stimulus", 1) for stimulus in stimuli]
    samples = [(round(onset * request.sfreq_hz), kind, number) for onset, kind, number in sorted(marks)]
    return [
        {"onset": sample, "duration": 1, "type": kind, "description": number, "channels": "all"}
        for sample, kind, number in samples
        if sample < n_samples
    ]


def _describe(
    raw: mne.io.BaseRaw,
    names: Sequence[str],
    positions_m: Float[np.ndarray, "channels 3"],
    stimuli: Sequence[Stimulus],
    line_hz: float,
) -> None:
    """Give a recording its montage, its mains frequency, and events that say what they are and how long they last."""
    montage = mne.channels.make_dig_montage(
        dict(zip(names, positions_m, strict=True)), coord_frame="head", **load_template().landmarks_m
    )
    raw.set_montage(montage, verbose="error")
    raw.info["line_freq"] = line_hz
    durations = {VOLUME_MARKER: 0.0, STIMULUS: stimuli[0].duration_s if stimuli else 0.0}
    stored = raw.annotations
    events = [
        (onset, durations[_MARKERS[text]], _MARKERS[text])
        for onset, text in zip(stored.onset, stored.description, strict=True)
        if text in _MARKERS
    ]
    raw.set_annotations(mne.Annotations(*zip(*events, strict=True), orig_time=stored.orig_time), verbose="error")
