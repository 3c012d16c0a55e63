"""Band power of the virtual channels in short overlapping frames, and the electrodes' covariance in every band.

Complex spectra of the electrodes are projected to the parcels before power is taken. Frames of 2 s overlap
by three quarters: the noise of spectral estimation is a large part of what limits the synthesis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .sources import COMPONENTS_PER_PARCEL

HOPS_PER_WINDOW = 4
HOP_S = 0.5
BANDS_HZ = ((1.0, 4.0), (4.0, 8.0), (8.0, 13.0), (13.0, 20.0), (20.0, 30.0), (30.0, 45.0))
_FRAMES_PER_STEP = 32


def hop_samples(sfreq_hz: float) -> int:
    """Samples between the starts of two frames."""
    return round(HOP_S * sfreq_hz)


def frame_times_s(n_frames: int, sfreq_hz: float) -> Float[np.ndarray, " frames"]:
    """Centre of every frame in seconds from the first sample."""
    hop = hop_samples(sfreq_hz)
    return (np.arange(n_frames) * hop + HOPS_PER_WINDOW * hop / 2) / sfreq_hz


def band_bins(sfreq_hz: float) -> tuple[tuple[int, int], ...]:
    """First bin of a frame's spectrum in each band, and the first beyond it (lower edge in, upper edge out)."""
    window = HOPS_PER_WINDOW * hop_samples(sfreq_hz)
    freqs = np.fft.rfftfreq(window, 1 / sfreq_hz)
    return tuple((int(np.searchsorted(freqs, low)), int(np.searchsorted(freqs, high))) for low, high in BANDS_HZ)


@partial(jax.jit, static_argnames=("sfreq_hz", "n_frames"))
def log_band_power(
    signals_v: Float[Array, "channels samples"],
    operators: Float[Array, "bands virtual channels"],
    *,
    sfreq_hz: float,
    n_frames: int,
) -> Float[Array, "frames parcels bands"]:
    """Natural logarithm of the band power of every parcel in every frame.

    Parameters
    ----------
    signals_v
        Volts; ``(n_frames + 3)`` hops of samples.
    operators
        Virtual channels of every band, ``COMPONENTS_PER_PARCEL`` per parcel
        (:attr:`bids_eeg2fmri.eeg.modulation.ModulationFilter.operators`, for one).
    sfreq_hz, n_frames
        Sampling rate and number of frames (static: one compile serves equal shapes).
    """
    bins = band_bins(sfreq_hz)

    def power(spectrum: Array, operator: Array) -> Float[Array, "frames parcels"]:
        real = jnp.einsum("vc,cfk->fkv", operator, spectrum.real)
        imaginary = jnp.einsum("vc,cfk->fkv", operator, spectrum.imag)
        squared = (real**2 + imaginary**2).mean(axis=1)
        return squared.reshape(len(squared), -1, COMPONENTS_PER_PARCEL).sum(axis=-1)

    def one_step(spectrum: Array, _: Array) -> Float[Array, "frames parcels bands"]:
        bands = [power(spectrum[..., slice(*edges)], operators[band]) for band, edges in enumerate(bins)]
        return jnp.stack(bands, axis=-1)

    steps, starts = over_steps(one_step, signals_v, sfreq_hz, n_frames)
    index = jnp.arange(n_frames)
    step = index // _FRAMES_PER_STEP
    steps = steps[step, index - starts[step]]
    return jnp.log(steps + jnp.finfo(steps.dtype).tiny)


@partial(jax.jit, static_argnames=("sfreq_hz", "n_frames"))
def band_covariances(
    signals_v: Float[Array, "channels samples"],
    counted: Float[Array, " frames"],
    *,
    sfreq_hz: float,
    n_frames: int,
) -> Float[Array, "bands channels channels"]:
    """Real part of the electrodes' cross-spectra in microvolts squared, averaged over each band's bins.

    Parameters
    ----------
    signals_v
        Volts; ``(n_frames + 3)`` hops of samples.
    counted
        Weight of every frame in the sum over frames: zero leaves one out.
    sfreq_hz, n_frames
        As in :func:`log_band_power`.
    """
    bins = band_bins(sfreq_hz)

    def one_step(spectrum: Array, frames: Array) -> Float[Array, "bands channels channels"]:
        # The last step overlaps the one before: its first frames are not counted twice.
        weights = jnp.where(frames >= 0, counted[jnp.maximum(frames, 0)], 0)
        weighted = spectrum * jnp.sqrt(weights)[:, None]

        def covariance(first: int, last: int) -> Array:
            part = weighted[..., first:last].reshape(len(weighted), -1)
            return (part.real @ part.real.T + part.imag @ part.imag.T) / (last - first)

        return jnp.stack([covariance(*edges) for edges in bins])

    return over_steps(one_step, signals_v, sfreq_hz, n_frames)[0].sum(axis=0)


def over_steps(
    one_step: Callable[[Array, Array], Array],
    signals_v: Float[Array, "channels samples"],
    sfreq_hz: float,
    n_frames: int,
) -> tuple[Float[Array, "steps ..."], Float[Array, " steps"]]:
    """What ``one_step`` makes of the spectra of some frames at a time, and the first frame of every step.

    It receives spectra (channels x frames x bins) and the frames' numbers, -1 for those of the step before.
    """
    hop = hop_samples(sfreq_hz)
    # Microvolts: the squares of volts come close to the smallest float32.
    hops = (1e6 * signals_v)[:, : (n_frames + HOPS_PER_WINDOW - 1) * hop].reshape(signals_v.shape[0], -1, hop)
    window = jnp.asarray(np.hanning(HOPS_PER_WINDOW * hop), signals_v.dtype)
    n_steps = -(-n_frames // _FRAMES_PER_STEP)
    # The last step starts early enough to stay inside.
    starts = jnp.minimum(jnp.arange(n_steps) * _FRAMES_PER_STEP, n_frames - _FRAMES_PER_STEP)

    def spectra_of(step: Array) -> Array:
        start = starts[step]
        piece = jax.lax.dynamic_slice_in_dim(hops, start, _FRAMES_PER_STEP + HOPS_PER_WINDOW - 1, axis=1)
        frames = jnp.concatenate([piece[:, k : k + _FRAMES_PER_STEP] for k in range(HOPS_PER_WINDOW)], axis=-1)
        frames = (frames - frames.mean(axis=-1, keepdims=True)) * window
        number = start + jnp.arange(_FRAMES_PER_STEP)
        fresh = jnp.where(number >= step * _FRAMES_PER_STEP, number, -1)
        return one_step(jnp.fft.rfft(frames, axis=-1)[..., : band_bins(sfreq_hz)[-1][1]], fresh)

    return jax.lax.map(spectra_of, jnp.arange(n_steps)), starts
