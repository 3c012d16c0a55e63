"""The haemodynamic lag as a small bank of causal responses.

Their weighted sums span the responses between a peak of about 3 and 10 s and an undershoot, so that a linear
map over the bank learns the lag of every band and region. Responses are evaluated at the true distance between
a frame and a volume: any repetition time and any volume clock is served without resampling.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

MEMORY_S = 26.0
MAX_FEATURE_Z = 5.0
CANONICAL_LAG = 1


def lag_bank(
    volume_times_s: Float[Array, " volumes"],
    frame_times_s: Float[Array, " frames"],
    *,
    peaks_s: tuple[float, ...],
    widths_s: tuple[float, ...],
    hop_s: float,
) -> Float[Array, "lags volumes frames"]:
    """Weights of every frame for every volume, one matrix per response.

    Responses are gamma-shaped, ``(t/p)^a exp(a (1 - t/p))`` with ``a = (p/w)^2``, peak ``p`` and width ``w``;
    zero for frames after the volume and more than ``MEMORY_S`` before it. Each sums to one over a full history,
    so that a missing history shrinks the feature towards its mean (zero) instead of extrapolating.
    """
    lag = volume_times_s[:, None] - frame_times_s[None, :]
    inside = (lag > 0) & (lag <= MEMORY_S)
    lag = jnp.where(inside, lag, 1.0)
    dense = jnp.arange(hop_s / 2, MEMORY_S, hop_s)

    def response(t: Array, peak: float, width: float) -> Array:
        exponent = (peak / width) ** 2
        return jnp.exp(exponent * (jnp.log(t / peak) + 1 - t / peak))

    rows = [
        jnp.where(inside, response(lag, peak, width), 0.0) / response(dense, peak, width).sum()
        for peak, width in zip(peaks_s, widths_s, strict=True)
    ]
    return jnp.stack(rows)


def lagged_features(
    frames_z: Float[Array, "frames parcels bands"],
    frame_times_s: Float[Array, " frames"],
    volume_times_s: Float[Array, " volumes"],
    *,
    peaks_s: tuple[float, ...],
    widths_s: tuple[float, ...],
    hop_s: float,
) -> Float[Array, "volumes features"]:
    """Band power of every volume through the bank: lags x parcels x bands, flattened."""
    bank = lag_bank(volume_times_s, frame_times_s, peaks_s=peaks_s, widths_s=widths_s, hop_s=hop_s)
    clipped = jnp.clip(frames_z, -MAX_FEATURE_Z, MAX_FEATURE_Z)
    return jnp.einsum("kvf,fpb->vkpb", bank, clipped).reshape(len(volume_times_s), -1)
