"""A forecast of one recording, and the real BOLD that it is scored against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from .pictures import Picture


@dataclass(frozen=True)
class Forecast:
    """What a model or a baseline says about one recording, in z over time.

    Attributes
    ----------
    mean_z, sd_z
        Predicted voxels and their predictive sd; no sd: a forecast without uncertainty.
    parcel_mean_z, parcel_sd_z
        The same for voxels averaged over each parcel.
    picture
        The mean picture that the fluctuations are added to for the published metrics; the observed person's own where
        it is not given.
    widths, parcel_widths
        Calibrated half-widths of the intervals in units of the sd (keys ``"0.5"`` to ``"0.95"``, as a bundle states
        them); a Gaussian's where not given.
    """

    mean_z: Float[np.ndarray, "volumes voxels"]
    sd_z: Float[np.ndarray, "volumes voxels"] | None
    parcel_mean_z: Float[np.ndarray, "volumes parcels"]
    parcel_sd_z: Float[np.ndarray, "volumes parcels"] | None = None
    picture: Picture | None = None
    widths: Mapping[str, float] | None = None
    parcel_widths: Mapping[str, float] | None = None

    @classmethod
    def of_parcels(
        cls,
        parcel_mean_z: Float[np.ndarray, "volumes parcels"],
        labels: Int[np.ndarray, " voxels"],
        parcel_sd_z: Float[np.ndarray, "volumes parcels"] | None = None,
    ) -> Forecast:
        """A forecast that knows parcels only: every voxel has the series of its parcel, zero outside all parcels.

        Parameters
        ----------
        parcel_mean_z, parcel_sd_z
            The parcels' series.
        labels
            Parcel of each voxel, counted from 1; 0 outside.
        """
        known = labels > 0
        voxels = np.zeros((len(parcel_mean_z), len(labels)), np.float32)
        voxels[:, known] = parcel_mean_z[:, labels[known] - 1]
        return cls(voxels, None, parcel_mean_z, parcel_sd_z)


@dataclass(frozen=True)
class Observed:
    """The scanner's series of one recording.

    Attributes
    ----------
    z
        Voxels, each standardised over time.
    parcel_z
        ``z`` averaged over each parcel's valid voxels.
    valid, parcel_valid
        Voxels and parcels that have a signal.
    tr_s
        Repetition time.
    picture_mean, picture_sd
        The person's mean picture (see :class:`.pictures.Picture`); without it the published metrics are left out.
    picture_background
        Its value outside the brain.
    """

    z: Float[np.ndarray, "volumes voxels"]
    parcel_z: Float[np.ndarray, "volumes parcels"]
    valid: Bool[np.ndarray, " voxels"]
    parcel_valid: Bool[np.ndarray, " parcels"]
    tr_s: float
    picture_mean: Float[np.ndarray, " voxels"] | None = None
    picture_sd: Float[np.ndarray, " voxels"] | None = None
    picture_background: float = 0.0

    @property
    def picture(self) -> Picture | None:
        """The person's own picture."""
        if self.picture_mean is None or self.picture_sd is None:
            return None
        return Picture(self.picture_mean, self.picture_sd, self.picture_background)
