"""What every region has in common: BOLD follows the band power around it. The ridge learns what differs.

A few weights, shared by all parcels, map the lagged band power of a parcel and of its surroundings (averages over
Gaussian neighbourhoods of several widths) to the parcel's BOLD; voxels follow from the parcels' predictions by a small
ridge. The full ridge is then shrunk towards this local solution instead of towards zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import linalg

from ..bold.atlas import load_atlas
from .ridge import Moments, solve

NEIGHBOURHOODS_MM = (0.0, 20.0, 45.0, np.inf)
_PARCEL_PENALTY = 0.1
_RELATIVE_PENALTY = 1e-4


@dataclass(frozen=True)
class LocalPath:
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


def fit_local_path(moments: Moments, parcel_means: Float[np.ndarray, "voxels parcels"]) -> LocalPath:
    """Least squares over all parcels at once, from the moments alone.

    Parameters
    ----------
    moments
        Second moments of features (lags x parcels x bands, flattened in this order) and voxels.
    parcel_means
        Columns that average the voxels over each parcel.
    """
    n_parcels = parcel_means.shape[1]
    n_bands, n_lags = _shape(moments, n_parcels)
    smoothers = _smoothers()
    targets = moments.cross @ parcel_means
    blocks = [(lag, band) for lag in range(n_lags) for band in range(n_bands)]
    rows = {block: _rows(*block, n_parcels, n_bands) for block in blocks}
    parameters = [(block, smoother) for block in blocks for smoother in smoothers]
    normal = np.empty((len(parameters), len(parameters)))
    right = np.empty(len(parameters))
    for j, (block, smoother) in enumerate(parameters):
        seen = moments.gram[:, rows[block]] @ smoother
        for i, (other, other_smoother) in enumerate(parameters):
            normal[i, j] = np.sum(other_smoother * seen[rows[other]])
        right[j] = np.sum(smoother * targets[rows[block]])
    normal[np.diag_indices_from(normal)] += _RELATIVE_PENALTY * np.trace(normal) / len(normal)
    weights = linalg.solve(normal, right, assume_a="pos")
    to_parcels = np.zeros((len(moments.gram), n_parcels), np.float32)
    for weight, (block, smoother) in zip(weights, parameters, strict=True):
        to_parcels[rows[block]] += weight * smoother
    reduced = Moments(to_parcels.T @ moments.gram @ to_parcels, to_parcels.T @ moments.cross, moments.n_volumes)
    return LocalPath(to_parcels, solve(reduced, _PARCEL_PENALTY))


def solve_around(
    moments: Moments, local: LocalPath, penalty: float, maps: Float[np.ndarray, "voxels maps"] | None = None
) -> Float[np.ndarray, "features targets"]:
    """Ridge weights shrunk towards the local solution; of the voxels, or of their projection on ``maps``."""
    to_targets = local.to_voxels if maps is None else local.to_voxels @ maps
    cross = moments.cross if maps is None else moments.cross @ maps
    start = local.to_parcels @ to_targets
    return start + solve(moments, penalty, cross - moments.gram @ start)


def _shape(moments: Moments, n_parcels: int) -> tuple[int, int]:
    from ..eeg.spectra import BANDS_HZ

    n_bands = len(BANDS_HZ)
    return n_bands, len(moments.gram) // (n_parcels * n_bands)


def _rows(lag: int, band: int, n_parcels: int, n_bands: int) -> np.ndarray:
    return (lag * n_parcels + np.arange(n_parcels)) * n_bands + band


def _smoothers() -> list[Float[np.ndarray, "parcels parcels"]]:
    """Columns that average parcels over the neighbourhood of each parcel."""
    centres = load_atlas().centres_mm
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    smoothers = []
    for width_mm in NEIGHBOURHOODS_MM:
        kernel = np.eye(len(centres)) if width_mm == 0 else np.exp(-0.5 * np.square(distance / width_mm))
        smoothers.append((kernel / kernel.sum(axis=0)).astype(np.float32))
    return smoothers
