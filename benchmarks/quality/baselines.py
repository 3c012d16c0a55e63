"""Everything that the model is compared with, fitted on simulated people of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from bids_eeg2fmri.evaluation.baselines import (
    EEG_SHUFFLED,
    EEG_ZEROED,
    MEAN_VOLUME,
    NEIGHBOURS,
    PERSON_MEAN,
    PREVIOUS_VOLUME,
    TIME_ONLY,
    interpolated_neighbours,
    person_mean,
    previous_volume,
    time_only,
)
from bids_eeg2fmri.evaluation.forecast import Observed
from bids_eeg2fmri.learning.baselines import PENALTIES, fixed_sign_power, sensor_power, source_power
from bids_eeg2fmri.learning.examples import Example
from bids_eeg2fmri.learning.ridge import accumulate, solve
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

from .conditions import CAPS, TR_S
from .oracle import Oracle

SENSOR_RIDGE, SOURCE_RIDGE, FIXED_SIGNS = "ridge on sensor power", "ridge on source power", "source power, fixed signs"
HONEST = (MEAN_VOLUME, TIME_ONLY, FIXED_SIGNS, SENSOR_RIDGE, SOURCE_RIDGE, EEG_SHUFFLED, EEG_ZEROED)
"""Baselines of design section 6 that see no more than the model does."""
SEEN_THE_SCAN = (PERSON_MEAN, PREVIOUS_VOLUME, NEIGHBOURS)
"""Those that know the person's real BOLD but for the volume in question: no EEG is needed for that."""
CEILING = "ceiling: the sources are known"

_RIDGES = {SENSOR_RIDGE: ("sensor", sensor_power), SOURCE_RIDGE: ("source", source_power)}
Weights = Float[np.ndarray, "features parcels"]


@dataclass(frozen=True)
class Fitted:
    """What was learnt from the baselines' people.

    Attributes
    ----------
    ridges
        Weights by name and cap, fitted on that cap alone.
    course
        Mean BOLD of every parcel at every volume: all that a clock can know.
    sd
        Root mean square of every parcel's series over the people: with a mean of zero, the climatology.
    oracle
        The ceiling.
    """

    ridges: dict[tuple[str, int], Weights]
    course: Float[np.ndarray, "volumes parcels"]
    sd: Float[np.ndarray, " parcels"]
    oracle: Oracle

    @classmethod
    def on(cls, training: Sequence[Path], selection: Sequence[Path]) -> Fitted:
        """Fit to ``training``; ``selection`` chooses the penalties of the ridges."""
        ridges = {
            (name, cap): fit_ridge(pairs(training, f"{kind}_{cap}"), pairs(selection, f"{kind}_{cap}"))
            for name, (kind, _) in _RIDGES.items()
            for cap in CAPS
        }
        observed = [_observed(targets) for _, targets in pairs(training, "sources")()]
        course = time_only(observed, len(observed[0].parcel_z)).parcel_mean_z
        sd = np.sqrt(np.mean([np.square(one.parcel_z).mean(axis=0) for one in observed], axis=0))
        return cls(ridges, course, sd, Oracle.fit(pairs(training, "sources")))

    def forecasts(self, example: Example, config: NeuralFieldConfig) -> dict[str, Float[np.ndarray, "volumes parcels"]]:
        """What each baseline says about a recording on one of the caps; those that need the model are missing."""
        observed = _observed(example.parcel_targets)
        return {
            MEAN_VOLUME: np.zeros_like(observed.parcel_z),
            TIME_ONLY: self.course,
            FIXED_SIGNS: fixed_sign_power(example, config),
            **{
                name: see(example, config) @ self.ridges[name, example.n_channels] for name, (_, see) in _RIDGES.items()
            },
            PERSON_MEAN: person_mean(observed).parcel_mean_z,
            PREVIOUS_VOLUME: previous_volume(observed).parcel_mean_z,
            NEIGHBOURS: interpolated_neighbours(observed).parcel_mean_z,
        }


Pairs = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]


def pairs(paths: Sequence[Path], name: str) -> Pairs:
    """Features of one name and parcel series of the people who have them, one person in memory at a time."""

    def read() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for path in paths:
            with np.load(path, allow_pickle=False) as stored:
                if name in stored.files:
                    yield stored[name], stored["targets"]

    return read


def fit_ridge(training: Pairs, selection: Pairs) -> Weights:
    """Ridge regression from band power to the parcels' BOLD; the penalty does best on other people.

    A ridge of voxels averaged over parcels has the same weights: it is linear in its targets.
    """
    moments = accumulate(training())
    choices = []
    for penalty in PENALTIES:
        weights = solve(moments.gram, moments.cross, penalty)
        errors = [np.square(x.astype(np.float32) @ weights - y).mean() for x, y in selection()]
        choices.append((float(np.mean(errors)), penalty, weights))
    return min(choices, key=lambda choice: choice[:2])[2]


def _observed(parcels: Float[np.ndarray, "volumes parcels"]) -> Observed:
    """The parcels' series alone."""
    everywhere = np.ones(parcels.shape[1], bool)
    return Observed(parcels[:, :0], parcels, everywhere[:0], everywhere, TR_S)
