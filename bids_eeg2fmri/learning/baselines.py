"""Baselines on simulated people: what any model must beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..network.lags import CANONICAL_LAG
from ..network.neuralfield import NeuralFieldConfig
from .examples import Example, load_examples
from .ridge import accumulate, solve

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
# Alpha and beta down, gamma up: what simultaneous recordings report most often.
FIXED_SIGNS = (0.0, 0.0, -1.0, -1.0, -1.0, 1.0)

Features = Callable[[Example, NeuralFieldConfig], Float[np.ndarray, "volumes features"]]


def source_power(example: Example, config: NeuralFieldConfig) -> Float[np.ndarray, "volumes features"]:
    """Source band power through one canonical response (peak 5.5 s)."""
    lagged = example.features.astype(np.float32).reshape(len(example.features), len(config.peaks_s), -1)
    return lagged[:, CANONICAL_LAG]


def sensor_power(example: Example, _: NeuralFieldConfig) -> Float[np.ndarray, "volumes features"]:
    """Band power of the electrodes through the same response."""
    return example.sensor_features.astype(np.float32)


def fixed_sign_power(example: Example, config: NeuralFieldConfig) -> Float[np.ndarray, "volumes parcels"]:
    """Source power with fixed band signs: no training at all."""
    power = source_power(example, config).reshape(len(example.features), config.n_parcels, config.n_bands)
    return power @ np.asarray(FIXED_SIGNS, np.float32)


class ParcelRidge:
    """Ridge regression from band power on one cap to the parcels' BOLD; its penalty is chosen on other people."""

    def __init__(
        self,
        features: Features,
        config: NeuralFieldConfig,
        n_channels: int,
        training: Sequence[Path],
        selection: Sequence[Path],
    ) -> None:
        self._features, self._config = features, config
        moments = accumulate(self._pairs(training, n_channels))
        choices = []
        for penalty in PENALTIES:
            weights = solve(moments, penalty)
            errors = [np.square(x @ weights - y).mean() for x, y in self._pairs(selection, n_channels)]
            choices.append((float(np.mean(errors)), penalty, weights))
        self.error, self.penalty, self.weights = min(choices, key=lambda choice: choice[0])

    def _pairs(self, paths: Sequence[Path], n_channels: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for path in paths:
            for example in load_examples(path):
                if example.n_channels == n_channels:
                    yield self._features(example, self._config), example.parcel_targets

    def __call__(self, example: Example) -> Float[np.ndarray, "volumes parcels"]:
        """Predicted BOLD of every parcel."""
        return self._features(example, self._config) @ self.weights
