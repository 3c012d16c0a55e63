"""An explanation as tables, and what their sidecars say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .regions import Region
from .relevance import ElectrodeGraph, Explanation

PROPAGATED = "relevance_propagation"
COLUMNS: dict[str, dict[str, str]] = {
    "electrode": {"Description": "Name of the electrode"},
    "band_low_hz": {"Description": "Lower edge of the frequency band, which belongs to it", "Units": "Hz"},
    "band_high_hz": {"Description": "Upper edge of the frequency band, which does not", "Units": "Hz"},
    "lag_from_s": {"Description": "Shortest time from the piece of EEG to the volume", "Units": "s"},
    "lag_to_s": {"Description": "Longest time from the piece of EEG to the volume", "Units": "s"},
    "integrated_gradients": {
        "Description": "Share of the variance over time of the region's prediction that comes from this electrode, "
        "band and lag, by integrated gradients from the recording's mean (Sundararajan et al. 2017); the column sums "
        "to 1, negative values work against the rest",
        "Units": "1",
    },
    PROPAGATED: {
        "Description": "The same by layer-wise relevance propagation (Bach et al. 2015), attention held constant; what "
        "the column lacks to 1 belongs to the network's biases",
        "Units": "1",
    },
}


def relevance_table(explanation: Explanation, region: int) -> pd.DataFrame:
    """One row per electrode, band and lag of one region; the columns are described in :data:`COLUMNS`."""
    relevance = explanation.relevance
    shape = relevance.shares.shape[1:]
    electrode, band, lag = (axis.ravel() for axis in np.indices(shape))
    bands, edges_s = np.array(relevance.bands_hz), relevance.lag_edges_s
    columns = {
        "electrode": np.array(relevance.electrodes)[electrode],
        "band_low_hz": bands[band, 0],
        "band_high_hz": bands[band, 1],
        "lag_from_s": edges_s[lag],
        "lag_to_s": edges_s[lag + 1],
        "integrated_gradients": relevance.shares[region].ravel(),
    }
    if explanation.propagated is not None:
        columns[PROPAGATED] = explanation.propagated.shares[region].ravel()
    return pd.DataFrame(columns)


def relevance_description(explanation: Explanation, index: int, region: Region) -> dict[str, Any]:
    """What the sidecar of a region's table says besides the model and the sources."""
    relevance, propagated = explanation.relevance, explanation.propagated
    columns = {name: text for name, text in COLUMNS.items() if propagated is not None or name != PROPAGATED}
    return {
        "Description": f"What of the EEG the predicted fluctuation of {region.name} rests on. It says what the model "
        "looked at, not what the brain did",
        "Region": region.name,
        "Parcels": [parcel + 1 for parcel in region.parcels],
        "VolumesExplained": relevance.n_volumes,
        **({} if propagated is None else {"RelevanceOfBiases": float(propagated.unassigned[index])}),
        **columns,
    }


def graph_table(graph: ElectrodeGraph, weights: np.ndarray) -> pd.DataFrame:
    """A matrix over electrodes with their names above the columns; rows are in the same order."""
    return pd.DataFrame(weights, columns=list(graph.electrodes))


def graph_description(graph: ElectrodeGraph, what: str, n_volumes: int) -> dict[str, Any]:
    """What the sidecar of a matrix over electrodes says besides the model and the sources."""
    return {
        "Description": what,
        "RelationshipMeasure": "attention",
        "Directed": True,
        "Weighted": True,
        "ValidDiagonal": True,
        "StorageFormat": "Full",
        "Nodes": list(graph.electrodes),
        "Orientation": "A row is the electrode whose signal is made, a column the electrode that it is made from",
        "VolumesExplained": n_volumes,
    }
