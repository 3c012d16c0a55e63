"""Scores of predicted series against known ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr


def temporal_correlation(
    predicted: Float[np.ndarray, "volumes points"], true: Float[np.ndarray, "volumes points"]
) -> Float[np.ndarray, " points"]:
    """Pearson correlation over time of every point; zero where a series is constant."""
    predicted, predicted_norm = _centred(predicted)
    true, true_norm = _centred(true)
    norms = predicted_norm * true_norm
    return np.where(norms > 0, np.einsum("tp,tp->p", predicted, true) / np.where(norms > 0, norms, 1), 0.0)


def _centred(
    series: Float[np.ndarray, "volumes points"],
) -> tuple[Float[np.ndarray, "volumes points"], Float[np.ndarray, " points"]]:
    """Series without their means, and their norms: zero where only rounding is left."""
    series = np.asarray(series)
    centred = series - series.mean(axis=0)
    norm = np.linalg.norm(centred, axis=0)
    rounding = 8 * np.finfo(centred.dtype).eps * np.linalg.norm(series, axis=0)
    return centred, np.where(norm > rounding, norm, 0.0)


def spatial_correlation(
    predicted: Float[np.ndarray, "volumes points"], true: Float[np.ndarray, "volumes points"]
) -> Float[np.ndarray, " volumes"]:
    """Pearson correlation over space of every volume; zero where a volume is constant."""
    return temporal_correlation(np.asarray(predicted).T, np.asarray(true).T)


def crps_gaussian(
    mean: Float[np.ndarray, "..."], sd: Float[np.ndarray, "..."], observed: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """Continuous ranked probability score of Gaussian forecasts (Gneiting & Raftery 2007, eq. 21); lower is better.

    With an sd of zero it is the absolute error, the score of a forecast without uncertainty.
    """
    error = np.abs(observed - mean)
    certain = np.asarray(sd) <= 0
    z = error / np.where(certain, 1, sd)
    density = np.exp(-0.5 * z * z) * np.float32(1 / np.sqrt(2 * np.pi))
    spread = z * (2 * ndtr(z) - 1) + 2 * density - np.float32(1 / np.sqrt(np.pi))
    return np.where(certain, error, sd * spread)


def skill(
    predicted: Float[np.ndarray, "..."], observed: Float[np.ndarray, "..."], baseline: Float[np.ndarray, "..."]
) -> float:
    """1 - MSE / MSE of a baseline: above 0 is better than the baseline; NaN if the baseline makes no error."""
    error = np.square(baseline - observed).mean()
    return float(1 - np.square(predicted - observed).mean() / error) if error > 0 else float("nan")


def r_squared(predicted: Float[np.ndarray, "volumes points"], observed: Float[np.ndarray, "volumes points"]) -> float:
    """Share of the points' pooled variance over time that is explained: skill against each point's own mean."""
    return skill(predicted, observed, np.broadcast_to(np.mean(observed, axis=0), np.shape(observed)))
