"""What the report shows of a prediction beside the BOLD that a scanner recorded in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Comparison:
    """One recording's synthetic BOLD against the scanner's.

    Attributes
    ----------
    source
        BIDS URI of the scanner's image.
    simulated
        Whether the scanner is a simulation (a phantom), so that the page does not call its image measured.
    voxel_r
        Correlation over time per brain voxel; NaN where the scanner's image has no signal.
    parcel_r
        The same for the means of the atlas' parcels.
    null_parcel_r
        Parcel correlations after circular shifts of the prediction against the scanner's series; NaN as in
        ``parcel_r``.
    nominal, covered
        Probability of each predictive interval, and the share of the scanner's values that lie in it.
    scores
        Metrics of the comparison, as the sidecar states them.
    parcel_error_z, parcel_sd_z
        The scanner's value less the prediction for every volume and parcel that was compared, and the stated standard
        deviation of the same values; ``None`` where they were not kept.
    """

    source: str
    simulated: bool
    voxel_r: Float[np.ndarray, " voxels"]
    parcel_r: Float[np.ndarray, " parcels"]
    null_parcel_r: Float[np.ndarray, "shifts parcels"]
    nominal: tuple[float, ...]
    covered: tuple[float, ...]
    scores: Mapping[str, float]
    parcel_error_z: Float[np.ndarray, "volumes parcels"] | None = None
    parcel_sd_z: Float[np.ndarray, "volumes parcels"] | None = None

    @property
    def scanner(self) -> str:
        """What to call the scanner's image."""
        return "simulated scanner's BOLD" if self.simulated else "measured BOLD"
