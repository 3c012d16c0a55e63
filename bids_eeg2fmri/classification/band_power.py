"""The baseline: band power of the EEG that the synthetic BOLD was made from."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.signal
from jaxtyping import Float

from ..bids.recording_file import RecordingFile
from ..bids.selection import select_recordings
from ..eeg.read import read_recording
from ..eeg.recording import Recording
from ..eeg.spectra import BANDS_HZ
from ..errors import Eeg2fmriError
from ..settings import Settings
from .labels import LabelledEvent
from .view import Key, View, recording_key

BAND_POWER = "band power"
_SHORTEST_S, _LONGEST_S = 2.0, 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BandPower:
    """Log power of a recording or of one of its events.

    Attributes
    ----------
    channels
        Names of the good electrodes.
    log_power
        Natural logarithm of the mean spectral density (V^2/Hz) in every band of :data:`..eeg.spectra.BANDS_HZ`; of an
        event, less that of the whole recording.
    """

    channels: tuple[str, ...]
    log_power: Float[np.ndarray, "channels bands"]


def eeg_files(views: Sequence[View], settings: Settings) -> dict[Key, RecordingFile]:
    """EEG files of recordings; empty, with a warning, unless all of them are there."""
    try:
        selection = select_recordings(replace(settings, skip_bids_validation=True))
    except Eeg2fmriError as error:
        logger.warning("Classification has no EEG to compare with: %s", error)
        return {}
    files = {_key(file): file for file in selection.recordings}
    missing = [view.label for view in views if view.key not in files]
    if missing:
        logger.warning("Classification is not compared with EEG, which is missing of: %s.", ", ".join(missing))
        return {}
    return {view.key: files[view.key] for view in views}


def read_eeg(file: RecordingFile, view: View, settings: Settings) -> Recording:
    """EEG as the participant level read it.

    Raises
    ------
    Eeg2fmriError
        It cannot be read any more.
    """
    tr_s = settings.tr_s if settings.tr_s is not None or not view.assumed_clock else view.tr_s
    return read_recording(file, replace(settings, tr_s=tr_s))


def recording_power(recording: Recording) -> BandPower:
    """Log power over the whole recording (median over time)."""
    cleaning, good = recording.cleaning, recording.good
    return BandPower(_good_names(recording), _log_power(cleaning.psd_freqs_hz, cleaning.psd_after[good]))


def event_power(recording: Recording, event: LabelledEvent, first_volume_onset_s: float) -> BandPower:
    """Log power during an event, or the two seconds from its onset if it is shorter, relative to the recording's."""
    start = round((event.onset_s + first_volume_onset_s) * recording.sfreq_hz)
    length = round(min(max(event.duration_s, _SHORTEST_S), _LONGEST_S) * recording.sfreq_hz)
    piece = recording.signals_v[recording.good, max(start, 0) : start + length]
    segment = min(round(_SHORTEST_S * recording.sfreq_hz), piece.shape[1])
    whole = recording_power(recording)
    if segment < recording.sfreq_hz:
        return BandPower(whole.channels, np.full_like(whole.log_power, np.nan))
    freqs_hz, density = scipy.signal.welch(piece, recording.sfreq_hz, nperseg=segment)
    return BandPower(whole.channels, _log_power(freqs_hz, density) - whole.log_power)


def power_table(powers: Sequence[BandPower]) -> tuple[Float[np.ndarray, "units features"], tuple[str, ...]]:
    """One row per unit and one column per electrode and band, and their names.

    Electrodes that are good in at least half of the units; NaN where they are not. Without any, the mean over the
    electrodes of each unit.
    """
    counts: dict[str, int] = {}
    for power in powers:
        for channel in power.channels:
            counts[channel] = counts.get(channel, 0) + 1
    common = [channel for channel, count in counts.items() if 2 * count >= len(powers)]
    bands = [f"{low:g}-{high:g} Hz" for low, high in BANDS_HZ]
    if not common:
        return np.stack([power.log_power.mean(axis=0) for power in powers]), tuple(f"mean {band}" for band in bands)
    table = np.full((len(powers), len(common), len(BANDS_HZ)), np.nan)
    for row, power in zip(table, powers, strict=True):
        known = dict(zip(power.channels, power.log_power, strict=True))
        for column, channel in enumerate(common):
            row[column] = known.get(channel, np.nan)
    names = tuple(f"{channel} {band}" for channel in common for band in bands)
    return table.reshape(len(powers), -1), names


def _key(file: RecordingFile) -> Key:
    given = {"sub": file.subject, "ses": file.session, "task": file.task, "acq": file.acquisition, "run": file.run}
    return recording_key({name: value for name, value in given.items() if value is not None})


def _good_names(recording: Recording) -> tuple[str, ...]:
    return tuple(name for name, good in zip(recording.channel_names, recording.good, strict=True) if good)


def _log_power(
    freqs_hz: Float[np.ndarray, " frequencies"], density: Float[np.ndarray, "channels frequencies"]
) -> Float[np.ndarray, "channels bands"]:
    means = [density[:, (freqs_hz >= low) & (freqs_hz < high)].mean(axis=1) for low, high in BANDS_HZ]
    return np.log(np.stack(means, axis=1) + np.finfo(np.float32).tiny)
