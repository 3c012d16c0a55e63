"""Noise and artefacts at the electrodes."""

from __future__ import annotations

import numpy as np
import scipy.fft
from jaxtyping import Float

from .person import ScalpNoise
from .slow import slow_noise

_EYES = np.array([[0.33, 0.9, -0.25], [-0.33, 0.9, -0.25]])
# Temple, forehead, jaw and neck of the right side; the left mirrors it.
_RIGHT_MUSCLES = np.array([[0.95, 0.3, 0.05], [0.5, 0.85, 0.15], [0.9, 0.1, -0.4], [0.4, -0.85, -0.35]])
_MUSCLES = np.concatenate([_RIGHT_MUSCLES, _RIGHT_MUSCLES * [-1, 1, 1]])
_MUSCLE_STRENGTHS = np.array([1.5, 0.6, 1.2, 0.7] * 2)
_MUSCLE_ABOVE_HZ = 17.0
_EYE_BAND_HZ = (0.3, 4.0)
_EYE_REACH = 0.5
_BLINK_SD_S = 0.07
_MOVEMENT_EVERY_S = 25.0
_DRIFT_BELOW_HZ = 1.0


def artefacts_v(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    n_samples: int,
    sfreq_hz: float,
    rng: np.random.Generator,
    scanner: tuple[float, float] | None,
) -> Float[np.ndarray, "channels samples"]:
    """Sum of all noise and artefacts in volts, before referencing.

    Parameters
    ----------
    noise
        Kinds and sizes.
    directions
        Unit vectors of the electrodes (RAS).
    n_samples, sfreq_hz
        Length and sampling rate.
    rng
        Source of randomness.
    scanner
        Onset of the first volume and TR in seconds, or ``None`` outside a scanner.
    """
    times = np.arange(n_samples) / sfreq_hz
    sensors_v = (noise.sensor_v * rng.lognormal(0.0, noise.sensor_spread, (len(directions), 1))).astype(np.float32)
    total = sensors_v * rng.standard_normal((len(directions), n_samples), np.float32)
    total += _drift(noise, len(directions), n_samples, sfreq_hz, rng)
    total += _blinks(noise, directions, times, rng)
    total += _eye_movements(noise, directions, n_samples, sfreq_hz, rng)
    _add_movements(total, noise, directions, sfreq_hz, rng)
    _add_muscle(total, noise, directions, sfreq_hz, rng)
    total += _muscle_tone(noise, directions, n_samples, sfreq_hz, rng)
    total += _line(noise, directions, times, rng)
    if noise.pulse_v > 0:
        total += _pulse(noise, directions, times, rng)
    if noise.gradient_v > 0 and scanner is not None:
        total += _gradient(noise, directions, times, sfreq_hz, scanner, rng)
    return total


def _drift(
    noise: ScalpNoise, n_channels: int, n_samples: int, sfreq_hz: float, rng: np.random.Generator
) -> Float[np.ndarray, "channels samples"]:
    freqs = scipy.fft.rfftfreq(n_samples, 1 / sfreq_hz)
    slow = np.flatnonzero((freqs > 0) & (freqs <= _DRIFT_BELOW_HZ))
    spectrum = np.zeros((n_channels, len(freqs)), np.complex64)
    amplitude = 1 / np.maximum(freqs[slow], 0.02)
    amplitude *= noise.drift_v * n_samples / 2 / np.sqrt((amplitude**2).sum())
    waves = rng.standard_normal((n_channels, len(slow), 2))
    spectrum[:, slow] = amplitude * (waves[..., 0] + 1j * waves[..., 1])
    return scipy.fft.irfft(spectrum, n_samples, axis=1)


def _blinks(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    times: Float[np.ndarray, " samples"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "channels samples"]:
    topography = _nearness(directions, _EYES, _EYE_REACH).max(1)
    course = np.zeros(len(times), np.float32)
    for onset in rng.uniform(0, times[-1], rng.poisson(noise.blink_rate_hz * times[-1])):
        nearby = slice(*np.searchsorted(times, [onset - 5 * _BLINK_SD_S, onset + 5 * _BLINK_SD_S]))
        size = noise.blink_v * rng.lognormal(0.0, 0.2)
        course[nearby] += size * np.exp(-0.5 * ((times[nearby] - onset) / _BLINK_SD_S) ** 2)
    return np.outer(topography, course).astype(np.float32)


def _add_muscle(
    total: Float[np.ndarray, "channels samples"],
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    sfreq_hz: float,
    rng: np.random.Generator,
) -> None:
    """Bursts of 0.5-3 s at random low electrodes, each spreading to its neighbours."""
    n_samples = total.shape[1]
    low = np.flatnonzero(directions[:, 2] < 0.35)
    if not len(low):
        return
    for _ in range(rng.poisson(n_samples / sfreq_hz / 15)):
        length = min(int(rng.uniform(0.5, 3.0) * sfreq_hz), n_samples)
        start = rng.integers(0, n_samples - length + 1)
        # White noise less its neighbours' mean is poor in low frequencies, as muscle is.
        burst = np.diff(rng.standard_normal(length + 1)) * np.hanning(length) / np.sqrt(2)
        centre = directions[rng.choice(low)]
        spread = rng.lognormal(0.0, 0.4) * _nearness(directions, centre[None], rng.uniform(0.3, 0.8))[:, 0]
        total[:, start : start + length] += (noise.muscle_v * np.outer(spread, burst)).astype(np.float32)


def _eye_movements(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    n_samples: int,
    sfreq_hz: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "channels samples"]:
    """Vertical and horizontal wandering below 4 Hz, livelier at times; the eyes see the latter with opposite signs."""
    freqs = scipy.fft.rfftfreq(n_samples, 1 / sfreq_hz)
    inside = (freqs >= _EYE_BAND_HZ[0]) & (freqs <= _EYE_BAND_HZ[1])
    courses = _shaped_noise(2, inside / np.maximum(freqs, _EYE_BAND_HZ[0]), n_samples, rng)
    courses *= noise.eye_v * _liveliness(2, n_samples, sfreq_hz, rng)
    right, left = _nearness(directions, _EYES, _EYE_REACH).T
    return np.column_stack([np.maximum(right, left), 0.7 * (right - left)]).astype(np.float32) @ courses


def _add_movements(
    total: Float[np.ndarray, "channels samples"],
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    sfreq_hz: float,
    rng: np.random.Generator,
) -> None:
    """Every half minute or so, the electrodes of some part of the cap swing for a few seconds."""
    n_samples = total.shape[1]
    for _ in range(rng.poisson(n_samples / sfreq_hz / _MOVEMENT_EVERY_S)):
        length = min(int(rng.uniform(1.0, 4.0) * sfreq_hz), n_samples)
        start = rng.integers(0, n_samples - length + 1)
        turns = 2 * np.pi * rng.uniform(0.7, 4.0) * np.arange(length) / sfreq_hz + rng.uniform(0, 2 * np.pi)
        swing = noise.movement_v * rng.lognormal(0.0, 0.5) * np.hanning(length) * np.sin(turns)
        nearness = _nearness(directions, rng.standard_normal((1, 3)), rng.uniform(0.4, 1.0))[:, 0]
        topography = nearness * (1 + 0.4 * rng.standard_normal(len(directions)))
        total[:, start : start + length] += np.outer(topography, swing).astype(np.float32)


def _muscle_tone(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    n_samples: int,
    sfreq_hz: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "channels samples"]:
    """Broad activity above 20 Hz of every muscle, whose strength drifts."""
    freqs = scipy.fft.rfftfreq(n_samples, 1 / sfreq_hz)
    rise = (freqs / _MUSCLE_ABOVE_HZ) ** 2
    courses = _shaped_noise(len(_MUSCLES), rise / (1 + rise), n_samples, rng)
    courses *= _liveliness(len(_MUSCLES), n_samples, sfreq_hz, rng)
    sizes = noise.tone_v * _MUSCLE_STRENGTHS * rng.lognormal(0.0, 0.5, len(_MUSCLES))
    topographies = sizes * _nearness(directions, _MUSCLES, rng.uniform(0.35, 0.6, len(_MUSCLES)))
    return topographies.astype(np.float32) @ courses


def _nearness(
    directions: Float[np.ndarray, "channels 3"],
    places: Float[np.ndarray, "places 3"],
    reach_rad: float | Float[np.ndarray, " places"],
) -> Float[np.ndarray, "channels places"]:
    unit = places / np.linalg.norm(places, axis=1, keepdims=True)
    return np.exp(-0.5 * (np.arccos(np.clip(directions @ unit.T, -1, 1)) / reach_rad) ** 2)


def _shaped_noise(
    n_series: int, amplitude: Float[np.ndarray, " freqs"], n_samples: int, rng: np.random.Generator
) -> Float[np.ndarray, "series samples"]:
    """Noise of unit rms with the given amplitude spectrum."""
    amplitude = (amplitude * n_samples / 2 / np.sqrt((amplitude**2).sum())).astype(np.float32)
    waves = rng.standard_normal((n_series, len(amplitude), 2), np.float32).view(np.complex64)[..., 0]
    return scipy.fft.irfft(amplitude * waves, n_samples, axis=1)


def _liveliness(
    n_series: int, n_samples: int, sfreq_hz: float, rng: np.random.Generator
) -> Float[np.ndarray, "series samples"]:
    """Log-normal strengths over time, with slow and fast parts; some people are restless, others hardly move."""
    n_steps = int(n_samples / sfreq_hz) + 2
    fast = slow_noise(n_series, n_steps, 1.0, 0.3, rng, (0.01, 0.45))
    slow = slow_noise(n_series, n_steps, 1.0, 0.02, rng)
    strength = np.exp(rng.uniform(0.4, 1.0) * fast + rng.uniform(0.05, 0.4) * slow)
    place = np.arange(n_samples) / sfreq_hz
    return np.stack([np.interp(place, np.arange(n_steps), row) for row in strength]).astype(np.float32)


def _line(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    times: Float[np.ndarray, " samples"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "channels samples"]:
    sizes = noise.line_v * np.sqrt(2) * rng.lognormal(0.0, 0.4, len(directions))
    phases = 0.3 * rng.standard_normal(len(directions)) + rng.uniform(0, 2 * np.pi)
    angle = 2 * np.pi * noise.line_hz * times
    waves = np.stack([np.sin(angle), np.cos(angle)]).astype(np.float32)
    return np.column_stack([sizes * np.cos(phases), sizes * np.sin(phases)]).astype(np.float32) @ waves


def _pulse(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    times: Float[np.ndarray, " samples"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "channels samples"]:
    """Each heart beat swings the electrodes: a decaying 3-6 Hz wave, opposite on both sides of the head."""
    interval = 1 / noise.heart_rate_hz
    beats = np.cumsum(interval * rng.lognormal(0.0, 0.05, int(times[-1] / interval * 1.3) + 2))
    axis = np.array([1.0, 0.3, 0.3]) * rng.lognormal(0.0, 0.3, 3)
    frequencies = rng.uniform(3.0, 6.0, 2)
    topographies = np.stack([directions @ axis, directions @ rng.standard_normal(3) * 0.5])
    courses = np.zeros((2, len(times)), np.float32)
    for beat in beats[beats < times[-1]]:
        during = slice(*np.searchsorted(times, [beat + 0.15, beat + 0.65]))
        since = times[during] - beat - 0.15
        envelope = noise.pulse_v * rng.lognormal(0.0, 0.15) * np.sin(np.pi * since / 0.5) * np.exp(-since / 0.3)
        courses[:, during] += envelope * np.sin(2 * np.pi * frequencies[:, None] * since)
    return topographies.T.astype(np.float32) @ courses


def _gradient(
    noise: ScalpNoise,
    directions: Float[np.ndarray, "channels 3"],
    times: Float[np.ndarray, " samples"],
    sfreq_hz: float,
    scanner: tuple[float, float],
    rng: np.random.Generator,
) -> Float[np.ndarray, "channels samples"]:
    """A comb of harmonics of the slice rate below 0.45 of the sampling rate, the same in every volume."""
    first_onset, tr_s = scanner
    slice_hz = rng.integers(14, 36) / tr_s
    harmonics = np.arange(1, max(int(0.45 * sfreq_hz / slice_hz), 1) + 1)
    phases = rng.uniform(0, 2 * np.pi, (3, len(harmonics)))
    running = times >= first_onset
    since = times - first_onset
    sizes = 1 / np.sqrt(len(harmonics))
    courses = np.stack(
        [
            sum(
                sizes * np.sin(2 * np.pi * n * slice_hz * since + phase)
                for n, phase in zip(harmonics, row, strict=True)
            )
            for row in phases
        ]
    )
    return noise.gradient_v * (directions.astype(np.float32) @ (courses * running).astype(np.float32))
