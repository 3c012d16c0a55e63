"""What a read EEG recording is, and the clock of the volumes that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class VolumeClock:
    """When the volumes of a recording start.

    Attributes
    ----------
    first_volume_onset_s
        Onset of volume 0 in seconds from the first EEG sample.
    tr_s
        Repetition time in seconds.
    n_volumes
        Number of volumes whose onset lies inside the recording.
    source
        Where the clock comes from: ``"markers: R128"`` or ``"assumed: no volume markers"``.
    missing
        Indices of volumes whose marker was not found (their onset is extrapolated).
    """

    first_volume_onset_s: float
    tr_s: float
    n_volumes: int
    source: str
    missing: tuple[int, ...] = ()

    @property
    def onsets_s(self) -> Float[np.ndarray, " volumes"]:
        """Onset of every volume in EEG seconds."""
        return self.first_volume_onset_s + self.tr_s * np.arange(self.n_volumes)


@dataclass(frozen=True)
class Event:
    """One row of the events table, in EEG seconds."""

    onset_s: float
    duration_s: float
    trial_type: str


@dataclass(frozen=True)
class Cleaning:
    """What cleaning did to a recording, for the sidecar and the report.

    Attributes
    ----------
    steps
        One sentence per step, in order.
    bad_channels
        Name and reason of every EEG channel marked bad.
    bad_segments_s
        Start and end of every wild, missing, flat or marked stretch, in EEG seconds.
    line_frequency_hz
        Line frequency removed, or ``None``.
    psd_freqs_hz, psd_before, psd_after
        Median-over-time power spectra (channels x frequencies, V^2/Hz) before and after cleaning.
    """

    steps: tuple[str, ...]
    bad_channels: dict[str, str]
    bad_segments_s: tuple[tuple[float, float], ...]
    line_frequency_hz: float | None
    psd_freqs_hz: Float[np.ndarray, " frequencies"]
    psd_before: Float[np.ndarray, "channels frequencies"]
    psd_after: Float[np.ndarray, "channels frequencies"]


@dataclass(frozen=True)
class Recording:
    """An EEG recording, cleaned and placed on the head.

    Attributes
    ----------
    signals_v
        Float32 volts, average-referenced over the good channels; zero in bad channels and, tapered,
        in bad segments. May be a memory map in the work directory.
    sfreq_hz
        Sampling rate of ``signals_v`` (at most 500 Hz: faster files are decimated while reading).
    source_sfreq_hz
        Sampling rate of the file.
    channel_names
        Normalised names of the EEG channels, in the order of ``signals_v``.
    positions_m
        Electrode positions in metres, head frame (RAS: x right, y front, z up).
    positions_source
        ``"electrodes.tsv"``, ``"file"`` or the name of a standard montage.
    good
        Channels that enter the source projection.
    left_out
        Channels of the file that are not used, with the reason (type, reference, no position...).
    events
        Task events, without volume, slice and segment markers.
    clock
        When the volumes start.
    cleaning
        What was done.
    reference
        Reference named by the sidecar or file, for the record.
    source
        The signal file.
    events_table
        The ``events.tsv`` whose rows were believed, or ``None``.
    warnings
        Sentences for the log, the sidecar and the report.
    """

    signals_v: Float[np.ndarray, "channels samples"]
    sfreq_hz: float
    source_sfreq_hz: float
    channel_names: tuple[str, ...]
    positions_m: Float[np.ndarray, "channels 3"]
    positions_source: str
    good: Bool[np.ndarray, " channels"]
    left_out: dict[str, str]
    events: tuple[Event, ...]
    clock: VolumeClock
    cleaning: Cleaning
    reference: str
    source: Path
    events_table: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return self.signals_v.shape[1] / self.sfreq_hz
