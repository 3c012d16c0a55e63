"""Draws from the predictive distribution of parcels' series.

One draw is one possible BOLD of the recording: the prediction, plus one deviation within the model's ensemble that
lasts from the first volume to the last, plus noise with the stated sd of every volume, correlated between parcels and
over time. The noise's autocorrelation is exp(-lag / 5 s): a first-order autoregression, whatever the repetition time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from .parcel_forecast import ParcelForecast

# Measured on simulated people (docs/uncertainty_downstream.md).
NOISE_TIME_CONSTANT_S = 5.0


def draw_parcels(
    forecast: ParcelForecast, n_samples: int, tr_s: float, seed: int, recording: str
) -> Iterator[Float[np.ndarray, "volumes parcels"]]:
    """Draw whole series, in z.

    A draw depends on the seed, the recording and its own number alone: the first of ten are the same as the first of
    a hundred.

    Parameters
    ----------
    forecast
        What to draw from.
    n_samples
        How many.
    tr_s
        Repetition time.
    seed
        Any number from 0 on.
    recording
        Its name: no two recordings share their noise.
    """
    key = int.from_bytes(hashlib.sha256(recording.encode()).digest()[:8], "big")
    root = _root(forecast.correlation)
    memory = np.exp(-tr_s / NOISE_TIME_CONSTANT_S)
    for sample in range(n_samples):
        rng = np.random.default_rng([seed, key, sample])
        member = np.tensordot(rng.standard_normal(len(forecast.deviations_z)), forecast.deviations_z, axes=1)
        noise = _autoregression(rng.standard_normal(forecast.mean_z.shape) @ root.T, memory)
        yield (forecast.mean_z + member + forecast.aleatoric_sd_z * noise).astype(np.float32)


def _root(correlation: Float[np.ndarray, "parcels parcels"]) -> Float[np.ndarray, "parcels parcels"]:
    """A matrix whose product with its transpose is the correlation; unlike Cholesky's, of singular ones, too."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    # Rounding must not take from the variance.
    return np.asarray(root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-12))


def _autoregression(white: Float[np.ndarray, "volumes parcels"], memory: float) -> Float[np.ndarray, "volumes parcels"]:
    """Unit variance from the first volume on."""
    innovations = np.sqrt(1 - memory**2) * white
    innovations[0] = white[0]
    return np.asarray(lfilter([1.0], [1.0, -memory], innovations, axis=0))
