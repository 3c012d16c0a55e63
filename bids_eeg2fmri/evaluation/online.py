"""A forecast against real BOLD, block by block, for recordings of any length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from .nulls import Null, timing_nulls
from .parcels import parcel_scores
from .scores import temporal_correlation
from .voxels import VoxelMaps, VoxelScores


@dataclass(frozen=True)
class OnlineScores:
    """What a comparison found.

    Attributes
    ----------
    scores
        Every metric by name (see :mod:`bids_eeg2fmri.evaluation.definitions`), the null's 95th percentiles among them.
    voxels
        Maps: r, CRPS and coverage per voxel (NaN where not valid), and the spatial r of every compared volume.
    parcel_r
        Correlation over time per parcel; NaN where not valid.
    predicted_parcels_z, observed_parcels_z
        The parcels' series, compared volumes only.
    null
        Circular shifts and phase surrogates of the parcels' series.
    compared
        Which volumes were compared.
    """

    scores: dict[str, float]
    voxels: VoxelMaps
    parcel_r: Float[np.ndarray, " parcels"]
    predicted_parcels_z: Float[np.ndarray, "volumes parcels"]
    observed_parcels_z: Float[np.ndarray, "volumes parcels"]
    null: Null
    compared: Bool[np.ndarray, " volumes"]

    @property
    def n_volumes(self) -> int:
        """Number of volumes that were compared."""
        return int(self.compared.sum())


class OnlineComparison:
    """Compares blocks of predicted volumes with the scanner's, and keeps only maps and the parcels' series.

    ::

        comparison = OnlineComparison(n_voxels, load_atlas().averaging_matrix(grid.coordinates_mm), tr_s, valid=valid)
        for block in synthesis:
            comparison.update(block.mean_z, block.total_sd_z, observed_z)
        result = comparison.finish(parcel_sd_z=summary.parcel_sd_z)
        result.scores["parcel_r"], result.voxels.r, result.null.shifted_parcel_r

    Volumes whose observation is not finite at every valid voxel are left out.

    Parameters
    ----------
    n_voxels
        Number of voxels of a volume.
    averaging
        Sparse rows that average voxels over each parcel. Only valid voxels enter a parcel's mean, for the forecast
        as for the scanner's series; parcels without any are not scored.
    tr_s
        Repetition time.
    valid
        Voxels that have a signal in the scanner's image; all by default.
    widths
        The bundle's calibrated half-widths of the voxels' intervals (keys ``"0.5"`` to ``"0.95"``); a Gaussian's by
        default.
    """

    def __init__(
        self,
        n_voxels: int,
        averaging: sparse.csr_array,
        tr_s: float,
        *,
        valid: Bool[np.ndarray, " voxels"] | None = None,
        widths: Mapping[str, float] | None = None,
    ) -> None:
        self._valid = np.ones(n_voxels, bool) if valid is None else np.asarray(valid, bool)
        self._averaging, self._parcel_valid = valid_averages(averaging, self._valid)
        self._tr_s = tr_s
        self._voxels = VoxelScores(self._valid, widths)
        self._compared: list[np.ndarray] = []
        self._predicted: list[np.ndarray] = []
        self._observed: list[np.ndarray] = []

    def update(
        self,
        predicted_mean_z: Float[np.ndarray, "volumes voxels"],
        predicted_sd_z: Float[np.ndarray, "volumes voxels"] | None,
        observed_z: Float[np.ndarray, "volumes voxels"],
    ) -> None:
        """Take in the next block; all in units of the scanner's series standardised over time."""
        compared = np.isfinite(observed_z[:, self._valid]).all(axis=1)
        if not compared.all():
            predicted_mean_z, observed_z = predicted_mean_z[compared], observed_z[compared]
            predicted_sd_z = None if predicted_sd_z is None else predicted_sd_z[compared]
        self._compared.append(compared)
        self._voxels.update(predicted_mean_z, predicted_sd_z, observed_z)
        for store, block in ((self._predicted, predicted_mean_z), (self._observed, observed_z)):
            # Values of invalid voxels have weight zero; NaN times zero would still be NaN.
            store.append((self._averaging @ np.where(self._valid, block, 0).T).T.astype(np.float32))

    def finish(
        self,
        *,
        parcel_sd_z: Float[np.ndarray, "volumes parcels"] | None = None,
        parcel_widths: Mapping[str, float] | None = None,
        seed: int = 0,
    ) -> OnlineScores:
        """Everything that was compared.

        Parameters
        ----------
        parcel_sd_z
            Predictive sd of the parcels' means, one row for every volume that was given to :meth:`update`.
        parcel_widths
            Calibrated half-widths of the parcels' intervals.
        seed
            Of the surrogates.
        """
        predicted, observed = np.concatenate(self._predicted), np.concatenate(self._observed)
        valid, compared = self._parcel_valid, np.concatenate(self._compared)
        sd = None if parcel_sd_z is None else np.asarray(parcel_sd_z)[compared]
        correlations = temporal_correlation(predicted, observed) if len(observed) > 1 else np.nan
        null = timing_nulls(predicted, observed, self._tr_s, valid=valid, seed=seed)
        parcels = parcel_scores(predicted, observed, self._tr_s, sd=sd, valid=valid, widths=parcel_widths)
        return OnlineScores(
            scores={**parcels, **self._voxels.scores(), **null.scores()},
            voxels=self._voxels.maps(),
            parcel_r=np.where(valid, correlations, np.nan),
            predicted_parcels_z=predicted,
            observed_parcels_z=observed,
            null=null,
            compared=compared,
        )


def valid_averages(
    averaging: sparse.csr_array, valid: Bool[np.ndarray, " voxels"]
) -> tuple[sparse.csr_array, Bool[np.ndarray, " parcels"]]:
    """Averages over the valid voxels of each parcel, and the parcels that have any."""
    kept = averaging @ sparse.diags_array(np.asarray(valid, np.float32))
    share = np.asarray(kept.sum(axis=1)).ravel()
    scaled = sparse.diags_array((1 / np.where(share > 0, share, 1)).astype(np.float32)) @ kept
    return scaled.tocsr(), share > 0
