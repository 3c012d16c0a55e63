"""Mark stretches in which the whole cap goes wild, and fade them out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from .bad_channels import WHOLE_CAP, WILD_SD, WILD_V
from .samples import window_samples

_LARGE_SD = 10.0
_MARGIN_WINDOWS = 1
_JOIN_WINDOWS = 2
TAPER_S = 0.25

Stretch = tuple[float, float]


def find_bad_segments(
    peaks_v: Float[np.ndarray, "channels windows"],
    sd_v: Float[np.ndarray, " channels"],
    absent: Bool[np.ndarray, " windows"],
    marked_s: Sequence[Stretch],
    sfreq_hz: float,
    n_samples: int,
) -> tuple[Stretch, ...]:
    """Stretches that are wild, not recorded, or marked as bad; start and end in EEG seconds.

    Wild are windows in which a third of the channels exceed 10 standard deviations, or one channel 30 of them and
    0.5 mV; a window on either side goes with them.

    Parameters
    ----------
    peaks_v
        Largest absolute value of every good channel in every window.
    sd_v
        Robust standard deviation of the good channels.
    absent
        Windows in which a good channel has samples that are no numbers, or much of the cap is constant.
    marked_s
        Stretches that somebody marked in the file.
    sfreq_hz, n_samples
        Sampling rate and length of the signals.
    """
    ratio = peaks_v / np.maximum(sd_v, 1e-15)[:, None]
    wild = (ratio > _LARGE_SD).mean(axis=0) > WHOLE_CAP
    wild |= ((ratio > WILD_SD) & (peaks_v > WILD_V)).any(axis=0)
    wild |= absent
    window_s = window_samples(sfreq_hz) / sfreq_hz
    duration_s = n_samples / sfreq_hz
    stretches = [*marked_s]
    for start, stop in _runs(wild):
        first, last = max(start - _MARGIN_WINDOWS, 0), stop + _MARGIN_WINDOWS
        stretches.append((first * window_s, min(last * window_s, duration_s)))
    return _joined(stretches, _JOIN_WINDOWS * window_s)


def gain(segments_s: Sequence[Stretch], sfreq_hz: float, n_samples: int) -> Float[np.ndarray, " samples"]:
    """Factor per sample: 0 in the stretches, 1 elsewhere, with cosine ramps of 0.25 s before and after.

    Parameters
    ----------
    segments_s
        Stretches to silence, in EEG seconds.
    sfreq_hz, n_samples
        Sampling rate and length of the signals.
    """
    factor = np.ones(n_samples, dtype=np.float32)
    ramp = round(TAPER_S * sfreq_hz)
    rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(1, ramp + 1) / (ramp + 1))).astype(np.float32)
    for start_s, end_s in segments_s:
        start, end = int(np.floor(start_s * sfreq_hz)), min(int(np.ceil(end_s * sfreq_hz)), n_samples)
        factor[start:end] = 0.0
        before = factor[max(start - ramp, 0) : start]
        np.minimum(before, rise[::-1][len(rise) - len(before) :], out=before)
        after = factor[end : end + ramp]
        np.minimum(after, rise[: len(after)], out=after)
    return factor


def _runs(flags: Bool[np.ndarray, " windows"]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _joined(stretches: Sequence[Stretch], nearer_than_s: float) -> tuple[Stretch, ...]:
    joined: list[Stretch] = []
    for start_s, end_s in sorted(stretches):
        if joined and start_s - joined[-1][1] <= nearer_than_s:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return tuple((round(start_s, 6), round(end_s, 6)) for start_s, end_s in joined)
