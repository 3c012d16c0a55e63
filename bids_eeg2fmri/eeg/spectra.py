"""Band power of the virtual channels in short overlapping frames.

Complex spectra of the electrodes are projected to the parcels before power is taken. Frames of 2 s overlap
by three quarters: the noise of spectral estimation is a large part of what limits the synthesis.
"""

from __future__ import annotations

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


def band_matrix(sfreq_hz: float) -> Float[np.ndarray, "bins bands"]:
    """Weights that average the bins of a frame's spectrum over each band (lower edge in, upper edge out)."""
    window = HOPS_PER_WINDOW * hop_samples(sfreq_hz)
    freqs = np.fft.rfftfreq(window, 1 / sfreq_hz)
    inside = np.stack([(freqs >= low) & (freqs < high) for low, high in BANDS_HZ], axis=1).astype(np.float32)
    return inside / np.maximum(inside.sum(axis=0), 1)


@partial(jax.jit, static_argnames=("sfreq_hz", "n_frames"))
def log_band_power(
    signals_v: Float[Array, "channels samples"],
    operator: Float[Array, "virtual channels"],
    *,
    sfreq_hz: float,
    n_frames: int,
) -> Float[Array, "frames parcels bands"]:
    """Natural logarithm of the band power of every parcel in every frame.

    Parameters
    ----------
    signals_v
        Volts; ``(n_frames + 3)`` hops of samples.
    operator
        :attr:`bids_eeg2fmri.eeg.sources.SourceProjection.operator`.
    sfreq_hz, n_frames
        Sampling rate and number of frames (static: one compile serves equal shapes).
    """
    hop = hop_samples(sfreq_hz)
    # Microvolts: the squares of volts come close to the smallest float32.
    hops = (1e6 * signals_v)[:, : (n_frames + HOPS_PER_WINDOW - 1) * hop].reshape(signals_v.shape[0], -1, hop)
    window = jnp.asarray(np.hanning(HOPS_PER_WINDOW * hop), signals_v.dtype)
    bands = band_matrix(sfreq_hz)
    used = np.flatnonzero(bands.sum(axis=1))
    first, last = int(used[0]), int(used[-1]) + 1
    weights = jnp.asarray(bands[first:last])
    steps = -(-n_frames // _FRAMES_PER_STEP)

    def one_step(start: Array) -> Float[Array, "frames parcels bands"]:
        piece = jax.lax.dynamic_slice_in_dim(hops, start, _FRAMES_PER_STEP + HOPS_PER_WINDOW - 1, axis=1)
        frames = jnp.concatenate([piece[:, k : k + _FRAMES_PER_STEP] for k in range(HOPS_PER_WINDOW)], axis=-1)
        frames = (frames - frames.mean(axis=-1, keepdims=True)) * window
        spectrum = jnp.fft.rfft(frames, axis=-1)[..., first:last]
        real = jnp.einsum("vc,cfk->fkv", operator, spectrum.real)
        imaginary = jnp.einsum("vc,cfk->fkv", operator, spectrum.imag)
        power = (real**2 + imaginary**2).reshape(*real.shape[:2], -1, COMPONENTS_PER_PARCEL)
        return jnp.einsum("fkp,kb->fpb", power.sum(axis=-1), weights)

    # The last step starts early enough to stay inside; its overlap is dropped.
    starts = jnp.minimum(jnp.arange(steps) * _FRAMES_PER_STEP, n_frames - _FRAMES_PER_STEP)
    power = jax.lax.map(one_step, starts)
    index = jnp.arange(n_frames)
    step = index // _FRAMES_PER_STEP
    power = power[step, index - starts[step]]
    return jnp.log(power + jnp.finfo(power.dtype).tiny)
