"""Average artefact subtraction: the scanner's gradients repeat with every volume, the EEG does not.

Allen et al. 2000 (doi 10.1006/nimg.2000.0599). EEG that is locked to the volumes is lost with the artefact.
"""

from __future__ import annotations

import mne
import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import uniform_filter1d
from scipy.signal import resample_poly

TEMPLATE_VOLUMES = 25
CLEAN_HZ = 250.0


def subtract_average(
    signal: Float[np.ndarray, " samples"], onsets: Int[np.ndarray, " volumes"], volume_samples: int
) -> Float[np.ndarray, " samples"]:
    """Subtract from every volume the average over the volumes around it.

    Parameters
    ----------
    signal
        One channel at the amplifier's rate.
    onsets
        First sample of every volume that lies wholly in the recording.
    volume_samples
        Samples of a volume.
    """
    places = onsets[:, None] + np.arange(volume_samples)
    volumes = signal[places]
    volumes -= volumes.mean(axis=1, keepdims=True)
    cleaned = signal.copy()
    cleaned[places] -= uniform_filter1d(volumes, TEMPLATE_VOLUMES, axis=0, mode="nearest")
    return cleaned


def corrected(raw: mne.io.BaseRaw, onsets: Int[np.ndarray, " volumes"], volume_samples: int) -> mne.io.RawArray:
    """A recording without gradient artefact, low-passed and at 250 Hz; its markers stay where they are in time.

    Channels are read one by one: hours at 5 kHz do not fit in memory.
    """
    down = round(raw.info["sfreq"] / CLEAN_HZ)
    channels = [
        resample_poly(subtract_average(raw.get_data([channel])[0], onsets, volume_samples), 1, down)
        for channel in range(len(raw.ch_names))
    ]
    info = mne.create_info(raw.ch_names, raw.info["sfreq"] / down, raw.get_channel_types())
    clean = mne.io.RawArray(np.array(channels), info, verbose="error")
    stored = raw.annotations
    return clean.set_annotations(
        mne.Annotations(stored.onset - raw.first_time, stored.duration, stored.description), verbose="error"
    )
