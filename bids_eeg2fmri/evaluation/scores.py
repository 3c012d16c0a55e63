"""Scores of predicted series against known ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.stats import norm


def temporal_correlation(
    predicted: Float[np.ndarray, "volumes points"], true: Float[np.ndarray, "volumes points"]
) -> Float[np.ndarray, " points"]:
    """Pearson correlation over time of every point; zero where a series is constant."""
    predicted = predicted - predicted.mean(axis=0)
    true = true - true.mean(axis=0)
    norms = np.linalg.norm(predicted, axis=0) * np.linalg.norm(true, axis=0)
    return np.where(norms > 0, (predicted * true).sum(axis=0) / np.where(norms > 0, norms, 1), 0.0)


def crps_gaussian(
    mean: Float[np.ndarray, "..."], sd: Float[np.ndarray, "..."], observed: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """Continuous ranked probability score of Gaussian forecasts (Gneiting & Raftery 2007, eq. 21); lower is better."""
    z = (observed - mean) / sd
    return sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


def skill(
    predicted: Float[np.ndarray, "..."], observed: Float[np.ndarray, "..."], baseline: Float[np.ndarray, "..."]
) -> float:
    """1 - MSE / MSE of a baseline: above 0 is better than the baseline."""
    return float(1 - np.square(predicted - observed).mean() / np.square(baseline - observed).mean())
