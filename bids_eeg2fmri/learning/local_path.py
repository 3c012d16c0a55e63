"""What every region has in common: BOLD follows the band power around it. The ridge learns what differs.

A few weights, shared by all parcels, map the lagged band power of a parcel and of its surroundings (averages over
Gaussian neighbourhoods of several widths) to the parcel's BOLD; voxels follow from the parcels' predictions by a small
ridge. The full ridge is then shrunk towards this local solution instead of towards zero.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import linalg

from ..bold.atlas import load_atlas
from ..eeg.spectra import BANDS_HZ
from .ridge import Moments, solve

NEIGHBOURHOODS_MM = (0.0, 20.0, 45.0, np.inf)
_RELATIVE_PENALTY = 1e-4


class LocalPath(NamedTuple):
    """Linear weights of the local solution, factorised.

    Attributes
    ----------
    to_parcels
        Features to the parcels' BOLD.
    to_voxels
        The parcels' predictions to voxels.
    """

    to_parcels: Float[np.ndarray, "features parcels"]
    to_voxels: Float[np.ndarray, "parcels voxels"]


def fit_local_path(
    moments: Moments, parcel_means: Float[np.ndarray, "voxels parcels"], spread_penalty: float
) -> LocalPath:
    """The local solution, from the moments alone; see :func:`fit_shared_weights` and :func:`fit_spread`."""
    to_parcels = fit_shared_weights(moments, parcel_means)
    return LocalPath(to_parcels, fit_spread(moments, to_parcels, spread_penalty))


def fit_spread(
    moments: Moments, to_parcels: Float[np.ndarray, "features parcels"], penalty: float
) -> Float[np.ndarray, "parcels voxels"]:
    """Ridge weights from the parcels' predictions to voxels; ``penalty`` is relative to their mean variance."""
    return solve(to_parcels.T @ moments.gram @ to_parcels, to_parcels.T @ moments.cross, penalty)


def fit_shared_weights(
    moments: Moments, parcel_means: Float[np.ndarray, "voxels parcels"]
) -> Float[np.ndarray, "features parcels"]:
    """Least squares over all parcels at once.

    Parameters
    ----------
    moments
        Second moments of features (lags x parcels x bands, flattened in this order) and voxels.
    parcel_means
        Columns that average the voxels over each parcel. Parcels of which nobody has a voxel teach nothing.
    """
    n_parcels, n_bands = parcel_means.shape[1], len(BANDS_HZ)
    n_lags = len(moments.gram) // (n_parcels * n_bands)
    n_blocks = n_lags * n_bands
    averaging = parcel_means * (moments.n_known > 0)[:, None]
    size = averaging.sum(axis=0)
    known = size > 0
    targets = (moments.cross @ averaging)[:, known] / size[known]
    smoothers = _smoothers()
    seen = smoothers[:, :, known]
    # <S, G S'> = <G, S S'^T>: one pass over the Gram matrix serves all pairs of neighbourhoods.
    pairs = np.einsum("apc,sqc->aspq", seen, seen, optimize=True)
    shape = (n_lags, n_parcels, n_bands)
    blocks = moments.gram.reshape(*shape, *shape).transpose(0, 2, 3, 5, 1, 4).reshape(-1, n_parcels**2)
    normal = (blocks @ pairs.reshape(-1, n_parcels**2).T).reshape(n_blocks, n_blocks, len(seen), len(seen))
    normal = normal.transpose(0, 2, 1, 3).reshape(n_blocks * len(seen), -1).astype(np.float64)
    right = targets.reshape(*shape, -1).transpose(0, 2, 1, 3).reshape(n_blocks, -1) @ seen.reshape(len(seen), -1).T
    normal[np.diag_indices_from(normal)] += _RELATIVE_PENALTY * np.trace(normal) / len(normal)
    weights = linalg.solve(normal, right.ravel(), assume_a="pos").astype(np.float32)
    to_parcels = np.tensordot(weights.reshape(n_lags, n_bands, -1), smoothers, 1)
    return to_parcels.transpose(0, 2, 1, 3).reshape(len(moments.gram), n_parcels)


def solve_around(
    moments: Moments, local: LocalPath, penalty: float, maps: Float[np.ndarray, "voxels maps"] | None = None
) -> Float[np.ndarray, "features targets"]:
    """Ridge weights shrunk towards the local solution; of the voxels, or of their projection on ``maps``."""
    to_targets = local.to_voxels if maps is None else local.to_voxels @ maps
    cross = moments.cross if maps is None else moments.cross @ maps
    start = local.to_parcels @ to_targets
    return start + solve(moments.gram, cross - moments.gram @ start, penalty)


def _smoothers() -> Float[np.ndarray, "neighbourhoods parcels parcels"]:
    """Columns that average parcels over the neighbourhood of each parcel."""
    centres = load_atlas().centres_mm
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    smoothers = []
    for width_mm in NEIGHBOURHOODS_MM:
        kernel = np.eye(len(centres)) if width_mm == 0 else np.exp(-0.5 * np.square(distance / width_mm))
        smoothers.append((kernel / kernel.sum(axis=0)).astype(np.float32))
    return np.stack(smoothers)
