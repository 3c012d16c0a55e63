"""What a person's brain does during a recording: slow states and the dipole moments that they modulate."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Complex64, Float

from ..bold.atlas import load_atlas
from .person import BANDS, SLOW_BAND_HZ, PersonSpec
from .slow import slow_noise

STEP_S = 0.5
BURN_IN_S = 40.0

_HALF_FRAME_S = 1.0
_HIGHEST_HZ = 100.0
_COHERENCE_MM = 16.0
_BLOCK = 48
_FRAMES_AT_ONCE = 660
_THREADS = 2
_REGIONAL_SHARE = 0.7
_GLOBAL_SHARE, _BROADBAND_GLOBAL_SHARE = 0.2, 0.35
_SLOW_KNEE_HZ = 0.05
_FAST_KNEE_HZ, _FAST_BAND_HZ = 0.3, (0.1, 0.9)


@dataclass(frozen=True)
class Stimulus:
    """A stimulus that drives the person's task networks, in EEG seconds."""

    onset_s: float
    duration_s: float


@dataclass(frozen=True)
class SourceActivity:
    """One recording's activity, from which any cap and any scanner can be simulated.

    Attributes
    ----------
    moments_am
        Float32 dipole moments in A m along the sources' orientations; sample 0 is time 0.
    sfreq_hz
        Sampling rate of the moments.
    states
        Slow states of the sources that drive BOLD, every ``STEP_S`` from ``-BURN_IN_S`` on.
    network_states
        Slow states of the networks behind them.
    """

    moments_am: Float[np.ndarray, "sources samples"]
    sfreq_hz: float
    states: Float[np.ndarray, "sources steps"]
    network_states: Float[np.ndarray, "networks steps"]

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return self.moments_am.shape[1] / self.sfreq_hz

    @property
    def state_times_s(self) -> Float[np.ndarray, " steps"]:
        """Times of the slow states, in EEG seconds."""
        return STEP_S * np.arange(self.states.shape[1]) - BURN_IN_S


@dataclass(frozen=True)
class _SlowStates:
    networks: Float[np.ndarray, "networks steps"]
    private: Float[np.ndarray, "sources steps"]


def simulate_sources(
    spec: PersonSpec,
    duration_s: float,
    sfreq_hz: float,
    rng: np.random.Generator,
    *,
    stimuli: tuple[Stimulus, ...] = (),
    decouple: bool = False,
) -> SourceActivity:
    """Simulate a recording at the level of the sources.

    Every second a spectrum is drawn for each source (a 1/f background and five bands, whose amplitudes follow the slow
    states and fluctuate besides) and added to its neighbours under windows whose squares sum to one, so that the
    windows themselves leave no trace in the power.

    Parameters
    ----------
    spec
        The person.
    duration_s, sfreq_hz
        Length and sampling rate.
    rng
        Source of randomness.
    stimuli
        Stimuli that drive the person's task networks.
    decouple
        Draw the states behind BOLD independently of those behind the EEG.
    """
    n_steps = int(np.ceil((duration_s + BURN_IN_S) / STEP_S)) + 2
    slow = _draw_states(spec, n_steps, rng, stimuli)
    bold = _draw_states(spec, n_steps, rng, ()) if decouple else slow
    moments = _synthesise(spec, _log_gains(spec, slow, rng), round(duration_s * sfreq_hz), sfreq_hz, rng)
    states = spec.network_weights @ bold.networks + spec.private_weights[:, None] * bold.private
    return SourceActivity(moments, sfreq_hz, states.astype(np.float32), bold.networks)


def _draw_states(
    spec: PersonSpec, n_steps: int, rng: np.random.Generator, stimuli: tuple[Stimulus, ...]
) -> _SlowStates:
    independent = slow_noise(spec.n_networks, n_steps, STEP_S, spec.network_knee_hz, rng)
    networks = spec.network_mixing @ independent
    times = STEP_S * np.arange(n_steps) - BURN_IN_S
    for stimulus in stimuli:
        during = (times >= stimulus.onset_s) & (times < stimulus.onset_s + stimulus.duration_s)
        networks = networks + spec.task_drive[:, None] * during
    regional = slow_noise(len(load_atlas()), n_steps, STEP_S, spec.private_knee_hz, rng)
    own = slow_noise(spec.n_sources, n_steps, STEP_S, spec.private_knee_hz, rng)
    private = np.sqrt(_REGIONAL_SHARE) * regional[spec.parcels] + np.sqrt(1 - _REGIONAL_SHARE) * own
    return _SlowStates(networks.astype(np.float32), private)


def _log_gains(
    spec: PersonSpec, slow: _SlowStates, rng: np.random.Generator
) -> Float[np.ndarray, "components sources steps"]:
    """Log-amplitude of each band and, last, of the background over time.

    Bands are coupled to the slow states; besides, everything fluctuates on its own and together, slowly and fast.
    """
    n_steps = slow.private.shape[1]
    broadband = spec.broadband_sd[0] * _fluctuation(n_steps, _BROADBAND_GLOBAL_SHARE, rng)
    broadband += spec.broadband_sd[1] * _fluctuation(n_steps, _BROADBAND_GLOBAL_SHARE, rng, fast=True)
    gains = np.empty((len(BANDS) + 1, spec.n_sources, n_steps), np.float32)
    gains[:] = broadband[spec.parcels]
    for band in range(len(BANDS)):
        coupled = (spec.network_weights * spec.network_coupling[band]) @ slow.networks
        coupled += spec.private_coupling[band] * spec.private_weights[:, None] * slow.private
        coupled *= (spec.coupling_strength * spec.coupling_sign[band] * spec.regional_coupling[band])[:, None]
        unrelated = spec.unrelated_sd[band] * _fluctuation(n_steps, _GLOBAL_SHARE, rng)
        unrelated += spec.fast_sd[band] * _fluctuation(n_steps, _GLOBAL_SHARE, rng, fast=True)
        gains[band] += coupled
        gains[band] += unrelated[spec.parcels]
    return spec.coupling_scale * gains


def _fluctuation(
    n_steps: int, global_share: float, rng: np.random.Generator, *, fast: bool = False
) -> Float[np.ndarray, "parcels steps"]:
    """Noise of unit variance, a share of which is common to the whole brain."""
    knee_hz, band_hz = (_FAST_KNEE_HZ, _FAST_BAND_HZ) if fast else (_SLOW_KNEE_HZ, SLOW_BAND_HZ)
    everywhere = slow_noise(1, n_steps, STEP_S, knee_hz, rng, band_hz)
    regional = slow_noise(len(load_atlas()), n_steps, STEP_S, knee_hz, rng, band_hz)
    return np.sqrt(global_share) * everywhere + np.sqrt(1 - global_share) * regional


def _synthesise(
    spec: PersonSpec,
    log_gains: Float[np.ndarray, "components sources steps"],
    n_samples: int,
    sfreq_hz: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "sources samples"]:
    hop = max(round(_HALF_FRAME_S * sfreq_hz), 1)
    n_frames = int(np.ceil(n_samples / hop)) + 1
    freqs = np.arange(1, min(hop, int(2 * hop * _HIGHEST_HZ / sfreq_hz)) + 1) * sfreq_hz / (2 * hop)
    shapes = _band_densities(spec, freqs) * (sfreq_hz * hop / 2)
    gains = _at_frames(log_gains, np.arange(n_frames) * hop / sfreq_hz)

    # A frame spans two halves, the second of which belongs to the next frame as well.
    halves = np.zeros((spec.n_sources, n_frames + 1, hop), np.float32)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="sources") as pool:
        for first in range(0, n_frames, _FRAMES_AT_ONCE):
            last = min(first + _FRAMES_AT_ONCE, n_frames)
            _add_frames(pool, spec, gains[..., first:last], shapes, halves[:, first : last + 1], rng)
    return halves.reshape(spec.n_sources, -1)[:, hop : hop + n_samples]


def _add_frames(
    pool: ThreadPoolExecutor,
    spec: PersonSpec,
    gains: Float[np.ndarray, "components sources frames"],
    shapes: Float[np.ndarray, "components bins"],
    halves: Float[np.ndarray, "sources halves samples"],
    rng: np.random.Generator,
) -> None:
    """Add some frames to the halves they span.

    Numbers are drawn here, in one order; meanwhile, the threads make frames of those that are there.
    """
    n_frames, n_bins, hop = gains.shape[2], shapes.shape[1], halves.shape[2]
    shared = _neighbourhood_spectra(n_frames * n_bins, rng).reshape(-1, n_frames, n_bins)
    shared *= np.sqrt(np.float32(spec.coherence))

    def add(block: slice, own: np.ndarray) -> None:
        own += shared[spec.parcels[block]]
        own *= np.sqrt(_power(spec, block, gains[:, block]) @ shapes)
        frames = _frames(own, hop)
        halves[block, :-1] += frames[..., :hop]
        halves[block, 1:] += frames[..., hop:]

    waiting: deque[Future[None]] = deque()
    for start in range(0, spec.n_sources, _BLOCK):
        block = slice(start, min(start + _BLOCK, spec.n_sources))
        own = _complex_noise((block.stop - start, n_frames, n_bins), rng)
        own *= np.sqrt(np.float32(1 - spec.coherence))
        if len(waiting) > _THREADS:
            waiting.popleft().result()
        waiting.append(pool.submit(add, block, own))
    for future in waiting:
        future.result()


def _complex_noise(
    shape: tuple[int, int, int], rng: np.random.Generator
) -> Complex64[np.ndarray, "sources frames bins"]:
    """Noise whose real and imaginary part have unit variance."""
    return rng.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]


def _frames(
    spectra: Complex64[np.ndarray, "sources frames bins"], hop: int
) -> Float[np.ndarray, "sources frames samples"]:
    """Windowed signals of the given spectra, from the first bin above zero on; a bin is 1 / (2 hop) of the rate."""
    padded = np.zeros((*spectra.shape[:2], hop + 1), np.complex64)
    padded[..., 1 : spectra.shape[2] + 1] = spectra
    frames = scipy.fft.irfft(padded, 2 * hop, axis=-1, overwrite_x=True)
    frames *= np.sin(np.pi * (np.arange(2 * hop, dtype=np.float32) + 0.5) / (2 * hop))
    return frames


def _band_densities(spec: PersonSpec, freqs: Float[np.ndarray, " bins"]) -> Float[np.ndarray, "components bins"]:
    """Power densities (per Hz, for a unit rms) of the bands and, last, of the background."""
    bands = np.exp(-0.5 * ((freqs - spec.band_centre_hz[:, None]) / spec.band_width_hz[:, None]) ** 2)
    bands /= np.sqrt(2 * np.pi) * spec.band_width_hz[:, None]
    background = np.maximum(freqs, 1.0) ** -spec.background_slope
    usual = (freqs >= 1) & (freqs <= 45)
    background /= background[usual].sum() * (freqs[1] - freqs[0])
    return np.vstack([bands, background]).astype(np.float32)


def _power(
    spec: PersonSpec, block: slice, gains: Float[np.ndarray, "components sources frames"]
) -> Float[np.ndarray, "sources frames components"]:
    background = spec.background_rms * spec.background_field[block]
    rms = spec.source_rms_am * np.column_stack([spec.band_rms[block], background]).astype(np.float32)
    return (rms.T[..., None] ** 2 * np.exp(2 * gains)).transpose(1, 2, 0)


def _neighbourhood_spectra(n_values: int, rng: np.random.Generator) -> Float[np.ndarray, "parcels values"]:
    """Complex noise of unit power per parcel, alike in neighbouring parcels."""
    centres = load_atlas().centres_mm
    distance2 = ((centres[:, None] - centres[None]) ** 2).sum(2)
    mixing = np.exp(-0.5 * distance2 / _COHERENCE_MM**2)
    mixing /= np.linalg.norm(mixing, axis=1, keepdims=True)
    noise = rng.standard_normal((len(centres), 2 * n_values), np.float32)
    return (mixing.astype(np.float32) @ noise).view(np.complex64)


def _at_frames(
    log_gains: Float[np.ndarray, "components sources steps"], times_s: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "components sources frames"]:
    """Gains interpolated from the slow steps to the frames' centres."""
    place = (times_s + BURN_IN_S) / STEP_S
    before = np.minimum(place.astype(int), log_gains.shape[2] - 2)
    fraction = (place - before).astype(np.float32)
    return log_gains[..., before] * (1 - fraction) + log_gains[..., before + 1] * fraction
