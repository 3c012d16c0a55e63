"""The reliability atlas on one output grid, for one cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..bold.grid import GREY_MATTER, Grid
from ..derivatives.evaluated_caps import EvaluatedCaps
from ..network.bundle import Network
from ..network.neuralfield import NeuralField
from ..network.reliability import GROUPS
from .grid_maps import GridMaps
from .start import Maps

# A cap this much smaller than any that was measured is told apart from them; a group of so little weight is not named.
_MUCH_SMALLER = 0.9
_LEAST_WEIGHT = 0.01


@dataclass(frozen=True)
class ReliabilityMaps:
    """What correlation over time with measured BOLD a new person may expect, per brain voxel.

    Attributes
    ----------
    r
        Expected correlation.
    lower
        What it exceeds with 90 % probability.
    grey
        Which voxels are grey matter.
    caps
        The caps of the held-out people that the maps follow from.
    """

    r: Float[np.ndarray, " voxels"]
    lower: Float[np.ndarray, " voxels"]
    grey: Bool[np.ndarray, " voxels"]
    caps: EvaluatedCaps

    @property
    def interpretable(self) -> Bool[np.ndarray, " voxels"]:
        """Where the prediction follows 90 % of new people's BOLD better than not at all."""
        return self.lower > 0

    @property
    def share_interpretable(self) -> float:
        """Share (0-1) of the grey-matter voxels that may be interpreted; NaN without any grey matter."""
        return float(self.interpretable[self.grey].mean()) if self.grey.any() else float("nan")


def make_reliability(network: Network, maps: Maps, grid: Grid, n_electrodes: int) -> ReliabilityMaps | None:
    """What a network's reliability atlas says on a grid.

    Parameters
    ----------
    network, maps
        Any network that a bundle can hold, and what was made of it on the grid.
    grid
        The output grid.
    n_electrodes
        Good electrodes of the recording.

    Returns
    -------
    ReliabilityMaps or None
        ``None`` for a network without an atlas.
    """
    if not isinstance(network, NeuralField) or not isinstance(maps, GridMaps) or maps.reliability is None:
        return None
    atlas = network.reliability
    r, lower = atlas.expected(maps.reliability, n_electrodes)
    used = np.flatnonzero(atlas.weights(n_electrodes) > _LEAST_WEIGHT)
    people, sizes = np.asarray(atlas.n_people[...]), np.asarray(atlas.n_electrodes[...])
    caps = EvaluatedCaps(
        n_electrodes=n_electrodes,
        groups=tuple(GROUPS[group] for group in used),
        n_people=int(people[used].min()),
        smaller_than_measured=bool(n_electrodes < _MUCH_SMALLER * sizes[people > 0].min()),
    )
    return ReliabilityMaps(r, lower, grid.tissue == GREY_MATTER, caps)
