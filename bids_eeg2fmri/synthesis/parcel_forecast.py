"""The predictive distribution of parcels' means.

The sd of a mean over voxels is not the mean of the voxels' sds, because errors of neighbours go together. For the
parcels of the bundled atlas it was calibrated on people held out. Any other parcel is put together from them: the
errors of the bundled parcels that it lies in, with their correlations, plus what the part of a bundled parcel that
it covers may differ from the whole one: for that, a bundled parcel is taken to consist of ten pieces, inside of which
voxels err together. Voxels in no bundled parcel are taken to err together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..bold.parcellation import Overlap

# Measured on simulated people (docs/uncertainty_downstream.md): correlation of the errors of two bundled parcels,
# explained by a part that is common to the brain and by the posterior correlation of the slow state.
COMMON_CORRELATION = 0.2
POSTERIOR_WEIGHT = 0.45
# Pieces of the size of BOLD's smoothness (6 mm) in a bundled parcel.
PIECES_PER_PARCEL = 10
_TINY = 1e-12


@dataclass(frozen=True)
class ParcelForecast:
    """Prediction averaged over parcels, in z.

    Attributes
    ----------
    mean_z
        The predicted means.
    aleatoric_sd_z
        Sd of the part of their error that is drawn anew in every recording.
    deviations_z
        Of every member of the model; the sum of their squares is the epistemic variance.
    correlation
        Of the aleatoric errors between parcels.
    """

    mean_z: Float[np.ndarray, "volumes parcels"]
    aleatoric_sd_z: Float[np.ndarray, "volumes parcels"]
    deviations_z: Float[np.ndarray, "members volumes parcels"]
    correlation: Float[np.ndarray, "parcels parcels"]

    @property
    def sd_z(self) -> Float[np.ndarray, "volumes parcels"]:
        """Predictive sd, aleatoric and epistemic together."""
        return np.sqrt(np.square(self.aleatoric_sd_z) + np.square(self.deviations_z).sum(axis=0))


def error_correlation(posterior: Float[np.ndarray, "bundled bundled"]) -> Float[np.ndarray, "bundled bundled"]:
    """Correlation of the bundled parcels' errors, from the posterior covariance of the slow state."""
    sd = np.sqrt(np.maximum(np.diag(posterior), _TINY))
    known = posterior / np.outer(sd, sd)
    correlation = COMMON_CORRELATION + POSTERIOR_WEIGHT * known
    np.fill_diagonal(correlation, 1.0)
    return correlation


def partial(covered: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """How far the mean over a part of a bundled parcel errs like a voxel (1) rather than like the whole parcel (0).

    Exact for a parcel of equal pieces whose errors are a common part and independent ones.
    """
    return np.clip((1 / np.maximum(covered, _TINY) - 1) / (PIECES_PER_PARCEL - 1), 0, 1)


def combined_sd(
    lying: Overlap,
    parcel_sd: Float[np.ndarray, "volumes bundled"],
    voxel_sd: Float[np.ndarray, "volumes parcels"],
    correlation: Float[np.ndarray, "bundled bundled"],
) -> Float[np.ndarray, "volumes parcels"]:
    """Sd of the mean over any parcels.

    Parameters
    ----------
    lying
        Where they lie.
    parcel_sd
        Sd of the mean over each bundled parcel.
    voxel_sd
        Sd of a voxel, typical of each parcel.
    correlation
        Of the bundled parcels' errors.
    """
    none, share = lying.share[:, 0], lying.share[:, 1:]
    return np.stack(
        [
            _of_one(share[index], lying.covered[index], none[index], parcel_sd, voxel_sd[:, index], correlation)
            for index in range(len(share))
        ],
        axis=1,
    )


def _of_one(
    share: Float[np.ndarray, " bundled"],
    covered: Float[np.ndarray, " bundled"],
    none: float,
    parcel_sd: Float[np.ndarray, "volumes bundled"],
    voxel_sd: Float[np.ndarray, " volumes"],
    correlation: Float[np.ndarray, "bundled bundled"],
) -> Float[np.ndarray, " volumes"]:
    touched = np.flatnonzero(share)
    sd = parcel_sd[:, touched] * share[touched]
    together = ((sd @ correlation[np.ix_(touched, touched)]) * sd).sum(axis=1)
    excess = np.maximum(np.square(voxel_sd)[:, None] - np.square(parcel_sd[:, touched]), 0)
    alone = excess @ (np.square(share[touched]) * partial(covered[touched]))
    return np.sqrt(together + alone) + none * voxel_sd


def combined_correlation(
    lying: Overlap,
    parcel_sd: Float[np.ndarray, " bundled"],
    sd: Float[np.ndarray, " parcels"],
    correlation: Float[np.ndarray, "bundled bundled"],
) -> Float[np.ndarray, "parcels parcels"]:
    """Correlation of the errors of any parcels; what is not of the bundled ones' errors goes with nothing.

    ``parcel_sd`` and ``sd`` (of :func:`combined_sd`) are typical of the recording.
    """
    weights = lying.share[:, 1:] * parcel_sd
    result = weights @ correlation @ weights.T / np.maximum(np.outer(sd, sd), _TINY)
    np.fill_diagonal(result, 1.0)
    return result
