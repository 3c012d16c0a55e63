"""Whether a forecast connects the parcels as the scanner's series do."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def connectivity_similarity(
    predicted: Float[np.ndarray, "volumes parcels"], observed: Float[np.ndarray, "volumes parcels"]
) -> float:
    """Correlation between the two matrices of functional connectivity.

    Connectivity is the Pearson correlation of every pair of parcels; the matrices are compared over the pairs above
    the diagonal whose parcels vary in both. NaN with fewer than three such parcels, or where one of the matrices
    is constant. It needs no agreement in time: a series shifted as a whole keeps all of it.
    """
    varies = (np.ptp(predicted, axis=0) > 0) & (np.ptp(observed, axis=0) > 0)
    if varies.sum() < 3:
        return float("nan")
    one, other = (np.corrcoef(series[:, varies], rowvar=False) for series in (predicted, observed))
    return matrix_similarity(one, other)


def matrix_similarity(one: Float[np.ndarray, "parcels parcels"], other: Float[np.ndarray, "parcels parcels"]) -> float:
    """Correlation between two matrices over the pairs above the diagonal that are finite in both.

    NaN with fewer than three such pairs, or where one of the matrices is constant.
    """
    pairs = np.triu_indices(len(one), 1)
    return pair_similarity(np.asarray(one)[pairs], np.asarray(other)[pairs])


def pair_similarity(one: Float[np.ndarray, " pairs"], other: Float[np.ndarray, " pairs"]) -> float:
    """As :func:`matrix_similarity`, of the entries above the diagonal alone."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 3 or np.ptp(one[known]) < 1e-6 or np.ptp(other[known]) < 1e-6:
        return float("nan")
    return float(np.corrcoef(one[known], other[known])[0, 1])
