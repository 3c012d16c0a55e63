"""What draws from a network with a grid of its own have in common, and how far it may be from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import sparse


class Drawn(NamedTuple):
    """Volumes of the network's own grid, flattened.

    Attributes
    ----------
    mean
        z over time.
    stated_variance
        What the aleatoric head states; one where there is no such head.
    epistemic
        Variance between draws; zero for a deterministic network.
    """

    mean: Float[np.ndarray, "volumes voxels"]
    stated_variance: Float[np.ndarray, "volumes voxels"] | float
    epistemic: Float[np.ndarray, "volumes voxels"] | float

    def carried(self, to_points: sparse.csr_array, count: int) -> Drawn:
        """The first ``count`` volumes at the points of an interpolation, whose columns are the voxels."""

        def carry(part: np.ndarray) -> np.ndarray:
            return np.asarray((to_points @ part[:count].T).T)

        variances = (part if isinstance(part, float) else carry(part) for part in self[1:])
        return Drawn(carry(self.mean), *variances)


def summarised(
    members: Sequence[Float[np.ndarray, "volumes voxels"]], stated_variance: Float[np.ndarray, "volumes voxels"] | float
) -> Drawn:
    """Mean of the draws, and the variance between them."""
    mean = sum(members[1:], start=members[0]) / len(members)
    if len(members) == 1:
        return Drawn(mean, stated_variance, 0.0)
    epistemic = sum((np.square(member - mean) for member in members), start=np.zeros_like(mean)) / (len(members) - 1)
    return Drawn(mean, stated_variance, epistemic)


def aleatoric_variance(
    mean_z: Float[np.ndarray, "volumes voxels"],
    residual_variance: Float[np.ndarray, "*volumes voxels"],
    evidence: Float[np.ndarray, " volumes"],
) -> Float[np.ndarray, "volumes voxels"]:
    """Variance of the error of volumes, of which only a share of the input was recorded.

    With all of it, the error's variance is the residual's. With none, the prediction is a constant that has nothing to
    do with this recording, and misses BOLD of unit variance by one plus its own square. In between, both are mixed.
    """
    blind = np.maximum(1 - residual_variance, 0) + np.square(mean_z)
    return residual_variance + (1 - evidence[:, None]) * blind
