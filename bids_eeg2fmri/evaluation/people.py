"""Means over people, with the interval that a mean over so few people deserves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import t, ttest_1samp

_LARGEST_R = 0.999999


class PeopleMean(NamedTuple):
    """Mean over people and its 95 % confidence interval; NaN where it cannot be told.

    Attributes
    ----------
    mean, low, high
        One value per column.
    n_people
        People who have a value.
    """

    mean: Float[np.ndarray, "..."]
    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]
    n_people: Float[np.ndarray, "..."]


def fisher_z(r: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Fisher's transform of correlations; +-1 is held just inside."""
    return np.arctanh(np.clip(r, -_LARGEST_R, _LARGEST_R))


def mean_over_people(
    values: Float[np.ndarray, "people ..."], *, correlation: bool, confidence: float = 0.95
) -> PeopleMean:
    """Mean and confidence interval over the first axis.

    The interval is Student's t over people; for correlations both are computed in Fisher's z and turned back. People
    without a value (NaN) are left out; with one person there is a mean and no interval.
    """
    scores = np.asarray(values, np.float64)
    scores = fisher_z(scores) if correlation else scores
    known = np.isfinite(scores)
    count = known.sum(axis=0)
    total = np.where(known, scores, 0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    squares = np.where(known, np.square(scores - mean), 0).sum(axis=0)
    error = np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1))
    half = np.where(count > 1, t.ppf((1 + confidence) / 2, np.maximum(count - 1, 1)) * error, np.nan)
    back = np.tanh if correlation else np.asarray
    return PeopleMean(back(mean), back(mean - half), back(mean + half), count)


def parcels_above_zero(r: Float[np.ndarray, "people parcels"]) -> Float[np.ndarray, " parcels"]:
    """p-values of a one-sided t-test over people, parcel by parcel, that the correlation (in Fisher's z) is positive.

    NaN with fewer than two people; give the others to :func:`.nulls.discoveries`.
    """
    if len(r) < 2:
        return np.full(np.shape(r)[1], np.nan)
    return ttest_1samp(fisher_z(np.asarray(r, np.float64)), 0.0, axis=0, alternative="greater").pvalue
