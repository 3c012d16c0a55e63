"""What an explanation is: shares of a region's predicted fluctuation over electrodes, bands and lags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Method = Literal["integrated gradients", "layer-wise relevance propagation"]
BandsHz = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Relevance:
    """Where the predicted fluctuation of some regions comes from.

    The prediction of a region at volume t is a baseline and contributions, ``y_t = y_0 + sum_i c_ti``; i goes over
    electrodes, bands and lags. The relevance of i is its share of the variance of the prediction over the explained
    volumes, ``R_i = sum_t (y_t - mean(y)) c_ti / sum_t (y_t - mean(y))^2``, so that all of them sum to one. It may be
    negative: there the electrode works against what all together predict.

    Attributes
    ----------
    method
        How the contributions were found.
    shares
        The relevance.
    unassigned
        What the shares of each region lack to one, because it belongs to constants of the network (biases).
    regions
        Names of the regions.
    electrodes, directions
        Names of the electrodes and unit vectors from the middle of the head (RAS).
    bands_hz
        Lower (in) and upper (out) edge of each band.
    lag_edges_s
        Edges of the lags: how long before its volume a piece of EEG was recorded.
    n_volumes
        Volumes that were explained.
    """

    method: Method
    shares: Float[np.ndarray, "regions electrodes bands lags"]
    unassigned: Float[np.ndarray, " regions"]
    regions: tuple[str, ...]
    electrodes: tuple[str, ...]
    directions: Float[np.ndarray, "electrodes 3"]
    bands_hz: BandsHz
    lag_edges_s: Float[np.ndarray, " edges"]
    n_volumes: int

    @property
    def by_electrode_and_band(self) -> Float[np.ndarray, "regions electrodes bands"]:
        """Summed over the lags."""
        return self.shares.sum(axis=3)

    @property
    def by_band(self) -> Float[np.ndarray, "regions bands"]:
        """Summed over electrodes and lags."""
        return self.shares.sum(axis=(1, 3))

    @property
    def by_lag(self) -> Float[np.ndarray, "regions lags"]:
        """Summed over electrodes and bands."""
        return self.shares.sum(axis=(1, 2))

    @property
    def by_electrode(self) -> Float[np.ndarray, "regions electrodes"]:
        """Summed over bands and lags."""
        return self.shares.sum(axis=(2, 3))


@dataclass(frozen=True)
class ElectrodeGraph:
    """How much each electrode attends to each other one, in a network with attention over electrodes.

    Attributes
    ----------
    electrodes, directions
        As in :class:`Relevance`.
    weights
        Mean attention over the volumes: row i holds the weights, which sum to one, that make electrode i's signal.
    relevance
        Relevance of the weights for each region (layer-wise relevance propagation through the attended signals).
    """

    electrodes: tuple[str, ...]
    directions: Float[np.ndarray, "electrodes 3"]
    weights: Float[np.ndarray, "electrodes electrodes"]
    relevance: Float[np.ndarray, "regions electrodes electrodes"]


@dataclass(frozen=True)
class Explanation:
    """Everything that explains one recording's prediction.

    Attributes
    ----------
    relevance
        By integrated gradients.
    propagated
        By layer-wise relevance propagation, for networks that have layers.
    graph
        For networks with attention over electrodes.
    """

    relevance: Relevance
    propagated: Relevance | None = None
    graph: ElectrodeGraph | None = None


def variance_weights(predicted: Float[np.ndarray, "regions volumes"]) -> Float[np.ndarray, "regions volumes"]:
    """Weights that turn contributions to each volume into shares of the prediction's variance; 0 if it has none."""
    centred = predicted - predicted.mean(axis=1, keepdims=True)
    variation = np.square(centred).sum(axis=1, keepdims=True)
    return np.divide(centred, variation, out=np.zeros_like(centred), where=variation > np.finfo(np.float32).tiny)
