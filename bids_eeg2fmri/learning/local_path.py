"""What every region has in common: BOLD follows the slow state. The ridge learns what differs.

A few weights, shared by all parcels, add up the posterior means of the lags and groups of bands to the parcels' BOLD;
voxels follow from the parcels' predictions by a small ridge. The full ridge is then shrunk towards this local solution
instead of towards zero.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import linalg

from .ridge import Moments, solve

_RELATIVE_PENALTY = 1e-4


class LocalPath(NamedTuple):
    """Linear weights of the local solution, factorised.

    Attributes
    ----------
    to_parcels
        Inputs to the parcels' BOLD.
    to_voxels
        The parcels' predictions to voxels.
    """

    to_parcels: Float[np.ndarray, "inputs parcels"]
    to_voxels: Float[np.ndarray, "parcels voxels"]


def fit_spread(
    moments: Moments, to_parcels: Float[np.ndarray, "inputs parcels"], penalty: float
) -> Float[np.ndarray, "parcels voxels"]:
    """Ridge weights from the parcels' predictions to voxels; ``penalty`` is relative to their mean variance."""
    return solve(to_parcels.T @ moments.gram @ to_parcels, to_parcels.T @ moments.cross, penalty)


def fit_shared_weights(
    moments: Moments,
    parcel_means: Float[np.ndarray, "voxels parcels"],
    loadings: Float[np.ndarray, "parcels states"],
) -> Float[np.ndarray, "inputs parcels"]:
    """Least squares over all parcels at once: one weight per stream of states.

    Parameters
    ----------
    moments
        Second moments of inputs (streams x states, flattened) and voxels.
    parcel_means
        Columns that average the voxels over each parcel. Parcels of which nobody has a voxel teach nothing.
    loadings
        Of the parcels on the states.
    """
    n_states = loadings.shape[1]
    n_streams = len(moments.gram) // n_states
    averaging = parcel_means * (moments.n_known > 0)[:, None]
    size = averaging.sum(axis=0)
    known = size > 0
    targets = (moments.cross @ averaging)[:, known] / size[known]
    seen = loadings[known]
    shape = (n_streams, n_states)
    normal = np.einsum("asbr,sr->ab", moments.gram.reshape(*shape, *shape), seen.T @ seen).astype(np.float64)
    right = np.einsum("asp,ps->a", targets.reshape(*shape, -1), seen)
    normal[np.diag_indices_from(normal)] += _RELATIVE_PENALTY * np.trace(normal) / len(normal)
    weights = linalg.solve(normal, right, assume_a="pos").astype(np.float32)
    return np.kron(weights[:, None], loadings.T)


def solve_around(
    moments: Moments, local: LocalPath, penalty: float, maps: Float[np.ndarray, "voxels maps"] | None = None
) -> Float[np.ndarray, "inputs targets"]:
    """Ridge weights shrunk towards the local solution; of the voxels, or of their projection on ``maps``."""
    to_targets = local.to_voxels if maps is None else local.to_voxels @ maps
    cross = moments.cross if maps is None else moments.cross @ maps
    start = local.to_parcels @ to_targets
    return start + solve(moments.gram, cross - moments.gram @ start, penalty)
