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
    pairs = np.triu_indices(int(varies.sum()), 1)
    one, other = (np.corrcoef(series[:, varies], rowvar=False)[pairs] for series in (predicted, observed))
    if np.ptp(one) < 1e-6 or np.ptp(other) < 1e-6:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
