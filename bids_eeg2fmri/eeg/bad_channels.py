"""Mark channels that do not look like EEG."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from .samples import window_samples
from .scratch import released_rows

_FLAT_SHARE = 0.02
_MAX_FLAT_WINDOWS = 0.5
_MAX_MISSING_WINDOWS = 0.2
# A pure sine has 2 % of its samples there.
_MAX_SATURATED = 0.1
_OUTLYING_Z = 5.0
# Channels of one cap differ by this much (natural logarithm of an amplitude) without anything being wrong.
_USUAL_SPREAD = 0.3
_HIGH_BAND_HZ = (25.0, 45.0)
WILD_SD, WILD_V = 30.0, 500e-6
WHOLE_CAP = 1 / 3
_MAX_WILD_WINDOWS = 0.05
_NEIGHBOURS = 6
_MIN_CORRELATION = 0.15
_CORRELATED_VALUES = 50_000
_CLIP_SD = 5.0


def find_bad_channels(
    signals_v: Float[np.ndarray, "channels samples"],
    peaks_v: Float[np.ndarray, "channels windows"],
    sd_v: Float[np.ndarray, " channels"],
    positions_m: Float[np.ndarray, "channels 3"],
    spectra: tuple[Float[np.ndarray, " frequencies"], Float[np.ndarray, "channels frequencies"]],
    missing: Bool[np.ndarray, "channels windows"],
    saturated: Float[np.ndarray, " channels"],
) -> dict[int, str]:
    """Channels that are absent, flat, saturated, wild, noisy or unlike their neighbours, with the reason.

    Parameters
    ----------
    signals_v
        Filtered signals in the reference of the file.
    peaks_v
        Their :func:`window_peaks`.
    sd_v
        Robust standard deviation of every channel.
    positions_m
        Electrode positions.
    spectra
        Frequencies and median power of the filtered signals.
    missing
        Windows in which a channel has no finite samples.
    saturated
        Share of a channel's samples at the ends of its range, before filtering.
    """
    flat = peaks_v < _FLAT_SHARE * np.median(sd_v)
    wild = (peaks_v > WILD_SD * sd_v[:, None]) & (peaks_v > WILD_V)
    # What goes through the whole cap is a bad stretch, not a bad channel.
    wild &= wild.mean(axis=0) < WHOLE_CAP
    in_band = (spectra[0] >= _HIGH_BAND_HZ[0]) & (spectra[0] <= _HIGH_BAND_HZ[1])
    high_v = np.sqrt(spectra[1][:, in_band].mean(axis=1))
    correlation = _neighbour_correlation(signals_v, sd_v, positions_m)
    findings = (
        (missing.mean(axis=1) > _MAX_MISSING_WINDOWS, "samples that are no numbers"),
        (flat.mean(axis=1) > _MAX_FLAT_WINDOWS, "flat"),
        (saturated > _MAX_SATURATED, "saturated: its samples stand at the ends of its range"),
        (wild.mean(axis=1) > _MAX_WILD_WINDOWS, "wild: jumps of more than 0.5 mV"),
        (_outlying(sd_v), "amplitude unlike the other channels"),
        (_outlying(high_v) & (high_v > np.median(high_v)), "noise above 25 Hz unlike the other channels"),
        (correlation < _MIN_CORRELATION, "no correlation with its neighbours"),
    )
    bad: dict[int, str] = {}
    for flags, reason in findings:
        for channel in np.flatnonzero(flags):
            bad.setdefault(int(channel), reason)
    return bad


def window_peaks(
    signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float
) -> Float[np.ndarray, "channels windows"]:
    """Largest absolute value of every channel in every window of 0.25 s.

    Parameters
    ----------
    signals_v
        Filtered signals.
    sfreq_hz
        Sampling rate.
    """
    starts = np.arange(0, signals_v.shape[1], window_samples(sfreq_hz))
    peaks = [
        np.maximum(np.maximum.reduceat(signal, starts), -np.minimum.reduceat(signal, starts))
        for signal in released_rows(signals_v)
    ]
    return np.array(peaks)


def _outlying(amplitude: Float[np.ndarray, " channels"]) -> Bool[np.ndarray, " channels"]:
    logarithm = np.log(np.maximum(amplitude, 1e-15))
    deviation = logarithm - np.median(logarithm)
    spread = max(float(np.median(np.abs(deviation))) / 0.6745, _USUAL_SPREAD)
    return np.abs(deviation) > _OUTLYING_Z * spread


def _neighbour_correlation(
    signals_v: Float[np.ndarray, "channels samples"],
    sd_v: Float[np.ndarray, " channels"],
    positions_m: Float[np.ndarray, "channels 3"],
) -> Float[np.ndarray, " channels"]:
    """Best absolute correlation of every channel with its nearest six."""
    step = max(signals_v.shape[1] // _CORRELATED_VALUES, 1)
    looked_at = np.stack([signal[::step].copy() for signal in released_rows(signals_v)])
    scaled = np.clip(looked_at / np.maximum(sd_v, 1e-15)[:, None], -_CLIP_SD, _CLIP_SD)
    scaled -= scaled.mean(axis=1, keepdims=True)
    scaled /= np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-12)
    correlation = np.abs(scaled @ scaled.T)
    distance_m = np.linalg.norm(positions_m[:, None] - positions_m[None], axis=2)
    np.fill_diagonal(distance_m, np.inf)
    nearest = np.argsort(distance_m, axis=1)[:, :_NEIGHBOURS]
    return np.take_along_axis(correlation, nearest, axis=1).max(axis=1)
