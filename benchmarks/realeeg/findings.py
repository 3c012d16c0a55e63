"""What is measured of a recording and its synthetic BOLD."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy.signal
from jaxtyping import Float

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.haemodynamics import convolve_hrf
from bids_eeg2fmri.eeg.recording import Recording
from bids_eeg2fmri.errors import Eeg2fmriError
from bids_eeg2fmri.network.bundle import Bundle
from bids_eeg2fmri.synthesis.start import Maps, prepare, start_synthesis

from .sessions import Session

BOLD_HZ, SLOWEST_HZ = (0.01, 0.1), 0.005
ALPHA_HZ, ALPHA_STEP_S = (8.0, 13.0), 0.5
OCCIPITAL = ("O1", "O2")


@dataclass(frozen=True)
class Findings:
    """What is measured of one recording.

    Attributes
    ----------
    person, task, duration_s
        Which recording.
    band_share
        See :func:`band_share`.
    alpha_r
        Correlation of visual synthetic BOLD with :func:`occipital_alpha`; ``None`` without an occipital electrode.
    novelty, sd_z
        Median percentile, and median predictive sd of a parcel, over volumes with a complete history.
    mean_z_rms
        Size of the prediction over volumes and parcels.
    connectivity
        See :func:`connectivity`.
    """

    person: str
    task: str
    duration_s: float
    band_share: float
    alpha_r: float | None
    novelty: float
    sd_z: float
    mean_z_rms: float
    connectivity: Float[np.ndarray, " pairs"]

    def as_row(self) -> dict[str, object]:
        """Everything but the matrix."""
        return {name: value for name, value in vars(self).items() if name != "connectivity"}


def measure(session: Session, bundle: Bundle, maps: Maps) -> Findings:
    """Synthesise one recording and look at the result."""
    recording, clock = session.recording, session.recording.clock
    start_time_s = float(bundle.metadata["targets"]["start_time_s"])
    prepared = prepare(bundle.network, recording)
    synthesis = start_synthesis(bundle.network, maps, prepared, clock, start_time_s)
    for _ in synthesis:
        # Every block is rendered; only what the summary keeps of it is looked at.
        continue
    summary = synthesis.summary()
    parcels = summary.parcel_mean_z.astype(np.float64)
    alpha = occipital_alpha(recording, clock.onsets_s + start_time_s)
    # Before, the model knows that it has seen too little, and says nothing about novelty.
    complete = clock.onsets_s + start_time_s >= min(bundle.network.history_s, clock.onsets_s[-1])
    visual = parcels[:, np.array(load_atlas().networks) == "Vis"].mean(axis=1)
    return Findings(
        person=session.person,
        task=session.task,
        duration_s=recording.duration_s,
        band_share=band_share(parcels, clock.tr_s),
        alpha_r=None if alpha is None else float(np.corrcoef(alpha, visual)[0, 1]),
        novelty=float(np.median(summary.novelty[complete])),
        sd_z=float(np.median(summary.parcel_sd_z[complete])),
        mean_z_rms=float(np.sqrt(np.square(parcels).mean())),
        connectivity=connectivity(parcels),
    )


def measure_all(
    sessions: Iterable[Session | Eeg2fmriError], bundle: Bundle, maps: Maps
) -> tuple[list[Findings], list[str]]:
    """Findings of the recordings that run, and what stood in the way of the others."""
    findings, problems = [], []
    for session in sessions:
        try:
            if isinstance(session, Eeg2fmriError):
                raise session
            findings.append(measure(session, bundle, maps))
        except Eeg2fmriError as error:
            problems.append(str(error))
    return findings, problems


def band_share(series: Float[np.ndarray, "volumes parcels"], tr_s: float) -> float:
    """Median over parcels of the share of the power from 0.005 Hz on that lies between 0.01 and 0.1 Hz."""
    freqs_hz, power = scipy.signal.periodogram(series, 1 / tr_s, axis=0, detrend="constant")
    inside = (freqs_hz >= BOLD_HZ[0]) & (freqs_hz <= BOLD_HZ[1])
    return float(np.median(power[inside].sum(axis=0) / power[freqs_hz >= SLOWEST_HZ].sum(axis=0)))


def connectivity(series: Float[np.ndarray, "volumes parcels"]) -> Float[np.ndarray, " pairs"]:
    """Correlations over time of every pair of parcels."""
    matrix = np.corrcoef(series.T)
    return matrix[np.triu_indices_from(matrix, 1)]


def occipital_alpha(
    recording: Recording, times_s: Float[np.ndarray, " volumes"]
) -> Float[np.ndarray, " volumes"] | None:
    """Expected BOLD of alpha power, by the cleaned signals of the occipital electrodes alone.

    Steps of half a second in bad stretches count as average; ``None`` where no occipital electrode is good.
    """
    chosen = [
        channel
        for channel, (name, good) in enumerate(zip(recording.channel_names, recording.good, strict=True))
        if name in OCCIPITAL and good
    ]
    if not chosen:
        return None
    sections = scipy.signal.butter(4, ALPHA_HZ, "bandpass", fs=recording.sfreq_hz, output="sos")
    alpha = scipy.signal.sosfiltfilt(sections, recording.signals_v[chosen].astype(np.float64), axis=1)
    step = round(ALPHA_STEP_S * recording.sfreq_hz)
    n_steps = alpha.shape[1] // step
    power = np.square(alpha[:, : n_steps * step]).reshape(len(chosen), n_steps, step).mean(axis=2)
    starts_s = np.arange(n_steps) * step / recording.sfreq_hz
    valid = np.ones(n_steps, bool)
    for start_s, end_s in recording.cleaning.bad_segments_s:
        valid &= (starts_s + 2 * ALPHA_STEP_S <= start_s) | (starts_s - ALPHA_STEP_S >= end_s)
    power = (power - power[:, valid].mean(axis=1, keepdims=True)) / power[:, valid].std(axis=1, keepdims=True)
    response = convolve_hrf(np.where(valid, power.mean(axis=0), 0.0)[None], ALPHA_STEP_S)[0]
    return np.interp(times_s, starts_s + ALPHA_STEP_S / 2, response)


def similarities(
    findings: Sequence[Findings], *, task: str | None = None, same_person: bool = False
) -> Float[np.ndarray, " pairs"]:
    """FC similarity of all pairs of people in one task, or of each person's recordings in different tasks."""
    pairs = [
        (one.connectivity, other.connectivity)
        for one, other in combinations(findings, 2)
        if (
            one.person == other.person and one.task != other.task
            if same_person
            else one.person != other.person and one.task == other.task == task
        )
    ]
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in pairs])
