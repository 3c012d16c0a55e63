"""Parcels' means as the published network predicts them.

The sd of a bundled parcel's mean was calibrated as a multiple of the root mean square of its voxels' sds. Of other
parcels the multiple is the mean over the bundled ones that they lie in, towards that of single voxels where they cover
only a part. The network does not say how the errors of parcels go together: beside what its draws
have in common they are taken as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..bold.parcellation import Overlap
from .drawn import Drawn, aleatoric_variance
from .parcel_forecast import ParcelForecast, partial
from .volume_maps import VolumeMaps

_VOXELS_PER_STEP = 32768


class ParcelBlock(NamedTuple):
    """Some volumes of a forecast: see :class:`.parcel_forecast.ParcelForecast`."""

    mean: Float[np.ndarray, "volumes parcels"]
    aleatoric_sd: Float[np.ndarray, "volumes parcels"]
    deviations: Float[np.ndarray, "members volumes parcels"]


def block_of_parcels(
    maps: VolumeMaps,
    lying: Overlap,
    drawn: Drawn,
    members: Sequence[Float[np.ndarray, "volumes voxels"]],
    evidence: Float[np.ndarray, " volumes"],
    widening: Float[np.ndarray, " volumes"],
) -> ParcelBlock:
    """Predictive distribution of a block of volumes.

    Parameters
    ----------
    maps, lying
        The output grid's voxels, and where the parcels lie on them.
    drawn, members
        Volumes of the network's own grid: summarised, and every draw's.
    evidence, widening
        Of the block's volumes.
    """
    count = len(evidence)
    factor = np.sqrt(_squared_factor(maps, lying))
    total = factor * widening[:, None] * np.sqrt(_mean_variance(maps, lying, drawn, evidence))
    to_parcels = lying.averaging @ maps.interpolation
    mean = np.asarray((to_parcels @ drawn.mean[:count].T).T)
    deviations = np.stack([np.asarray((to_parcels @ member[:count].T).T) - mean for member in members])
    deviations *= factor * widening[:, None] / np.sqrt(max(len(members) - 1, 1))
    epistemic = np.square(deviations).sum(axis=0)
    # The draws may disagree on a whole parcel more than its calibrated sd allows.
    deviations *= np.sqrt(np.minimum(1, np.square(total) / np.maximum(epistemic, 1e-12)))
    aleatoric = np.maximum(np.square(total) - epistemic, 0)
    return ParcelBlock(mean, np.sqrt(aleatoric), deviations)


def joined_parcels(blocks: Sequence[ParcelBlock]) -> ParcelForecast:
    """The blocks of a recording, one after the other."""
    deviations = np.concatenate([block.deviations for block in blocks], axis=1)
    return ParcelForecast(
        mean_z=np.concatenate([block.mean for block in blocks]).astype(np.float32),
        aleatoric_sd_z=np.concatenate([block.aleatoric_sd for block in blocks]).astype(np.float32),
        deviations_z=deviations.astype(np.float32),
        correlation=np.eye(deviations.shape[2]),
    )


def _squared_factor(maps: VolumeMaps, lying: Overlap) -> Float[np.ndarray, " parcels"]:
    """Of the variance of a parcel's mean, in units of its voxels' mean variance."""
    whole = lying.share[:, 1:] * (1 - partial(lying.covered))
    of_voxels = lying.averaging @ np.square(maps.voxel_factor)
    return whole @ np.square(maps.parcel_factor) + (1 - whole.sum(axis=1)) * of_voxels


def _mean_variance(
    maps: VolumeMaps, lying: Overlap, drawn: Drawn, evidence: Float[np.ndarray, " volumes"]
) -> Float[np.ndarray, "volumes parcels"]:
    """Variance of the voxels before calibration, averaged over each parcel."""
    by_voxel = lying.averaging.T.tocsr()
    total = np.zeros((len(evidence), by_voxel.shape[1]))
    for start in range(0, maps.n_voxels, _VOXELS_PER_STEP):
        voxels = slice(start, start + _VOXELS_PER_STEP)
        mean, stated, epistemic = drawn.carried(maps.interpolation[voxels], len(evidence))
        aleatoric = aleatoric_variance(mean, maps.residual_sd[voxels] ** 2 * stated, evidence)
        total += (aleatoric + epistemic) @ by_voxel[voxels]
    return total
