"""What synthesis yields: blocks of volumes, and a summary when all blocks are done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from ..eeg.cap_match import CapMatch


@dataclass(frozen=True)
class PredictionBlock:
    """Consecutive predicted volumes.

    Attributes
    ----------
    first_volume
        Index of the block's first volume.
    mean_z
        Predicted BOLD, standardised over time (volumes x brain voxels).
    total_sd_z
        Predictive standard deviation, aleatoric and epistemic together, same units.
    """

    first_volume: int
    mean_z: Float[np.ndarray, "volumes voxels"]
    total_sd_z: Float[np.ndarray, "volumes voxels"]


@dataclass(frozen=True)
class ImageBlock:
    """Consecutive volumes on their way to images.

    Attributes
    ----------
    bold, total_sd
        Prediction and predictive standard deviation (volumes x brain voxels): standardised if floating-point numbers,
        otherwise the integers that the images store.
    """

    bold: Shaped[np.ndarray, "volumes voxels"]
    total_sd: Shaped[np.ndarray, "volumes voxels"]


@dataclass(frozen=True)
class PredictionSummary:
    """What is known once every volume is predicted.

    Attributes
    ----------
    aleatoric_sd_z, epistemic_sd_z
        Root mean square over volumes of each part of the uncertainty, per brain voxel.
    novelty
        Percentile (0-100) of each volume's distance from the training features.
    parcel_mean_z, parcel_sd_z
        Prediction averaged over each parcel of the atlas, and the sd of a parcel's mean.
    features_z
        What the network received, standardised over time (volumes x rows x bands): band power of the parcels, or
        the bands' amplitude in the channels of the network's own cap just before each volume. Of long series only
        :func:`.thinning.shown_volumes`.
    bands_hz
        Lower and upper edge of each band.
    resolution
        How well this cap sees each parcel (0-1), for a network that projects to parcels.
    cap
        How the channels of the network's own cap were made, for a network that has one.
    epistemic_estimated
        Whether the network states an epistemic uncertainty; if not, it is zero everywhere.
    novelty_parts
        Percentile (0-100) of each of the distances whose largest is ``novelty``, in the order of
        :data:`bids_eeg2fmri.network.novelty.PARTS`; ``None`` for a network that does not tell them apart.
    """

    aleatoric_sd_z: Float[np.ndarray, " voxels"]
    epistemic_sd_z: Float[np.ndarray, " voxels"]
    novelty: Float[np.ndarray, " volumes"]
    parcel_mean_z: Float[np.ndarray, "volumes parcels"]
    parcel_sd_z: Float[np.ndarray, "volumes parcels"]
    features_z: Float[np.ndarray, "columns rows bands"]
    bands_hz: tuple[tuple[float, float], ...]
    resolution: Float[np.ndarray, " parcels"] | None = None
    cap: CapMatch | None = None
    epistemic_estimated: bool = True
    novelty_parts: Float[np.ndarray, "volumes parts"] | None = None
