"""Clean the signals of a recording, modestly, and keep the account of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from ..errors import BadDataError
from .amplitude import check_amplitude, robust_sd
from .bad_channels import find_bad_channels, window_peaks
from .bad_segments import TAPER_S, Stretch, find_bad_segments, gain
from .filtering import HIGH_PASS_HZ, filter_in_place
from .flat import flat_windows, saturated_share
from .line_noise import describe_line_noise, find_line_noise
from .montage import MIN_ELECTRODES
from .power import median_spectrum
from .recording import Cleaning
from .samples import WINDOW_S, Samples, window_samples
from .scratch import release_large

# Less than a recording must last: one of a minute may end in padding or hold a cough.
MIN_CLEAN_S = 45.0
_SHOWN_UP_TO_HZ = 70.0
_BLOCK_SAMPLES = 2**16


@dataclass(frozen=True)
class Known:
    """What is known of a recording before its signals are looked at.

    Attributes
    ----------
    bad_channels
        Reason by name of the channels that channels.tsv or the file calls bad.
    bad_segments_s
        Stretches that somebody marked as bad.
    line_hz
        ``PowerLineFrequency`` of the sidecar, or ``None``.
    """

    bad_channels: Mapping[str, str]
    bad_segments_s: Sequence[Stretch]
    line_hz: float | None


def clean_in_place(
    samples: Samples,
    names: Sequence[str],
    positions_m: Float[np.ndarray, "channels 3"],
    known: Known,
    path: Path,
) -> tuple[Bool[np.ndarray, " channels"], Cleaning]:
    """Filter, find bad channels and stretches, silence them and take the average reference, in place.

    Parameters
    ----------
    samples
        Signals as read; changed in place.
    names, positions_m
        Names and positions of the electrodes.
    known
        What is known beforehand.
    path
        The file, for the messages.

    Returns
    -------
    The channels that are good, and the account.

    Raises
    ------
    BadDataError
        When most channels hold no numbers, the amplitudes cannot be EEG, or fewer than 8 channels or 45 s of clean
        signal remain.
    """
    signals_v, sfreq_hz = samples.signals_v, samples.sfreq_hz
    _require_numbers(samples.missing, path)
    marked = _windows_within(known.bad_segments_s, samples.missing.shape[1], sfreq_hz)
    saturated = saturated_share(samples.ends, samples.missing | marked)
    freqs_hz, before = median_spectrum(signals_v, sfreq_hz)
    lines_hz = find_line_noise(freqs_hz, before, known.line_hz)
    filter_in_place(signals_v, sfreq_hz, lines_hz)
    sd_v = robust_sd(signals_v)
    check_amplitude(sd_v, path)

    spectra = median_spectrum(signals_v, sfreq_hz)
    peaks_v = window_peaks(signals_v, sfreq_hz)
    found = find_bad_channels(signals_v, peaks_v, sd_v, positions_m, spectra, samples.missing, saturated)
    bad = {names[channel]: reason for channel, reason in found.items()} | dict(known.bad_channels)
    good = np.array([name not in bad for name in names])
    _require_channels(int(good.sum()), bad, path)

    missing = samples.missing[good].any(axis=0)
    flat = flat_windows(samples.ends.constant[good]) & ~missing
    n_samples = signals_v.shape[1]
    segments_s = find_bad_segments(peaks_v[good], sd_v[good], missing | flat, known.bad_segments_s, sfreq_hz, n_samples)
    factor = gain(segments_s, sfreq_hz, n_samples)
    _require_clean_time(float((factor == 1).sum()) / sfreq_hz, path)
    _reference_in_place(signals_v, good, factor)
    _, after = median_spectrum(signals_v, sfreq_hz, factor == 1)

    shown = freqs_hz <= _SHOWN_UP_TO_HZ
    line_hz = lines_hz[0] if lines_hz else None
    steps = _describe(lines_hz, bad, segments_s, int(flat.sum()) * WINDOW_S, n_samples / sfreq_hz)
    return good, Cleaning(steps, bad, segments_s, line_hz, freqs_hz[shown], before[:, shown], after[:, shown])


def _windows_within(stretches_s: Sequence[Stretch], n_windows: int, sfreq_hz: float) -> Bool[np.ndarray, " windows"]:
    within = np.zeros(n_windows, dtype=bool)
    window_s = window_samples(sfreq_hz) / sfreq_hz
    for start_s, end_s in stretches_s:
        within[max(int(start_s / window_s), 0) : max(int(np.ceil(end_s / window_s)), 0)] = True
    return within


def _reference_in_place(
    signals_v: Float[np.ndarray, "channels samples"],
    good: Bool[np.ndarray, " channels"],
    factor: Float[np.ndarray, " samples"],
) -> None:
    signals_v[~good] = 0.0
    for start in range(0, signals_v.shape[1], _BLOCK_SAMPLES):
        block = signals_v[:, start : start + _BLOCK_SAMPLES]
        mean = block.sum(axis=0) / np.float32(good.sum())
        block -= mean * good[:, None]
        block *= factor[start : start + _BLOCK_SAMPLES]
        release_large(signals_v)


def _require_numbers(missing: Bool[np.ndarray, "channels windows"], path: Path) -> None:
    n_empty = int(missing.all(axis=1).sum())
    if 2 * n_empty > len(missing):
        raise BadDataError(
            f"{n_empty} of {len(missing)} EEG channels have samples that are no numbers from start to end.",
            path=path,
            remedy="Check that the file holds the signals.",
        )


def _require_channels(n_good: int, bad: Mapping[str, str], path: Path) -> None:
    if n_good < MIN_ELECTRODES:
        by_reason: dict[str, list[str]] = {}
        for name, reason in bad.items():
            by_reason.setdefault(reason, []).append(name)
        reasons = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in by_reason.items())
        raise BadDataError(
            f"Only {n_good} usable electrodes remain, {MIN_ELECTRODES} are needed ({reasons}).",
            path=path,
            remedy="Check the recording; exclude this person if it cannot be repaired.",
        )


def _require_clean_time(clean_s: float, path: Path) -> None:
    if clean_s < MIN_CLEAN_S:
        raise BadDataError(
            f"Only {clean_s:.1f} s of clean signal remain, {MIN_CLEAN_S:.0f} s are needed.",
            path=path,
            remedy="Clean the recording first and give it by --derivatives clean=PATH, or exclude it.",
        )


def _describe(
    lines_hz: Sequence[float], bad: Mapping[str, str], segments_s: Sequence[Stretch], flat_s: float, duration_s: float
) -> tuple[str, ...]:
    flat = f"; during {flat_s:.1f} s of them the file holds constant values instead of EEG" if flat_s else ""
    bad_s = sum(end_s - start_s for start_s, end_s in segments_s)
    return (
        f"Offsets and slow drifts were removed (zero-phase Butterworth high-pass at {HIGH_PASS_HZ:g} Hz).",
        describe_line_noise(lines_hz),
        f"{len(bad)} channels were marked bad" + (f" ({', '.join(bad)})." if bad else "."),
        f"{len(segments_s)} stretches ({bad_s:.1f} s of {duration_s:.1f} s) were silenced, "
        f"with ramps of {TAPER_S:g} s{flat}.",
        "The average of the good channels was taken as reference.",
    )
