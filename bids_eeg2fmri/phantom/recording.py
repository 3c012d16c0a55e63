"""A simulated recording as the reader of files hands it on: cleaned, placed on the head and on a volume clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..eeg.bad_segments import Stretch
from ..eeg.cleaning import Known, clean_in_place
from ..eeg.recording import Recording, VolumeClock
from ..eeg.samples import Samples, window_samples
from ..eeg.window_ends import window_ends
from .choices import Reference
from .person import PersonSpec
from .scalp import ScannerTiming, project_eeg
from .sources import SourceActivity


def simulated_recording(
    activity: SourceActivity,
    spec: PersonSpec,
    names: Sequence[str],
    rng: np.random.Generator,
    *,
    reference: Reference = "average",
    timing: ScannerTiming | None = None,
    clock: VolumeClock,
    label: str,
) -> Recording:
    """Project what the sources do to a cap and clean it as :func:`bids_eeg2fmri.eeg.read.read_recording` does.

    Everything stays in memory. Nothing is marked as known to be bad, and the positions are the nominal ones.

    Parameters
    ----------
    activity, spec
        What the sources do, and the person they belong to.
    names, rng, reference, timing
        See :func:`bids_eeg2fmri.phantom.scalp.project_eeg`.
    clock
        When the volumes start.
    label
        Stands for the name of the file.

    Raises
    ------
    BadDataError
        Cleaning leaves fewer than 8 channels or 60 s, or a name is not in the 10-05 system.
    """
    signals_v, recorded, positions_m = project_eeg(activity, spec, names, rng, reference=reference, timing=timing)
    return cleaned_recording(
        signals_v,
        recorded,
        positions_m,
        activity.sfreq_hz,
        line_hz=spec.scalp_noise.line_hz,
        reference=reference,
        clock=clock,
        label=label,
    )


def cleaned_recording(
    signals_v: Float[np.ndarray, "channels samples"],
    names: tuple[str, ...],
    positions_m: Float[np.ndarray, "channels 3"],
    sfreq_hz: float,
    *,
    line_hz: float,
    reference: Reference,
    clock: VolumeClock,
    label: str,
    bad_segments_s: Sequence[Stretch] = (),
) -> Recording:
    """Clean what :func:`bids_eeg2fmri.phantom.scalp.project_eeg` returned, or what was made of it; in place.

    Parameters
    ----------
    signals_v, names, positions_m, sfreq_hz
        The potentials, which are changed, and where and how they were recorded.
    line_hz, reference, clock, label
        The mains, and see :func:`simulated_recording`.
    bad_segments_s
        Stretches that somebody marked as bad, in EEG seconds.

    Raises
    ------
    BadDataError
        Cleaning leaves fewer than 8 channels or too little time.
    """
    ends = window_ends(signals_v, window_samples(sfreq_hz))
    samples = Samples(signals_v, sfreq_hz, np.zeros(ends.lowest.shape, bool), ends)
    good, cleaning = clean_in_place(samples, names, positions_m, Known({}, bad_segments_s, line_hz), Path(label))
    return Recording(
        signals_v=samples.signals_v,
        sfreq_hz=sfreq_hz,
        source_sfreq_hz=sfreq_hz,
        channel_names=names,
        positions_m=positions_m,
        positions_source="simulation",
        good=good,
        left_out={},
        events=(),
        clock=clock,
        cleaning=cleaning,
        reference=reference,
        source=Path(label),
    )
