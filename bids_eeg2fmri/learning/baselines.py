"""Baselines on the same examples as the network: what any model must beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..evaluation.baselines import FIXED_SIGNS
from ..network.neuralfield import NeuralFieldConfig
from .examples import Example, load_examples, parcel_means, sample_voxels, zscore
from .people import People, examples_of
from .ridge import accumulate, solve

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

Features = Callable[[Example, NeuralFieldConfig], Float[np.ndarray, "volumes features"]]


Baseline = Callable[[Example], Float[np.ndarray, "volumes parcels"]]
"""Predicts the BOLD of every parcel of a recording, up to its scale."""


def source_power(example: Example, _: NeuralFieldConfig) -> Float[np.ndarray, "volumes features"]:
    """Minimum-norm band power through one canonical response (peak 5.5 s)."""
    return example.source_features.astype(np.float32)


def sensor_power(example: Example, _: NeuralFieldConfig) -> Float[np.ndarray, "volumes features"]:
    """Band power of the electrodes through the same response."""
    return example.sensor_features.astype(np.float32)


def fixed_sign_power(example: Example, config: NeuralFieldConfig) -> Float[np.ndarray, "volumes parcels"]:
    """Source power with fixed band signs, scaled to unit variance: no training at all."""
    power = source_power(example, config).reshape(len(example.features), config.n_parcels, config.n_bands)
    return zscore(power @ np.asarray(FIXED_SIGNS, np.float32))


class BandPowerRidge:
    """Ridge regression from band power to BOLD; its penalty is chosen on other people.

    Parameters
    ----------
    features
        The band power to use.
    config
        The features' shape.
    training, selection
        Recordings to fit, and to choose the penalty on; read as often as needed, one in memory at a time.

    Attributes
    ----------
    penalty
        Relative to the mean diagonal of the Gram matrix.
    weights
        To the sample voxels.
    """

    def __init__(
        self,
        features: Features,
        config: NeuralFieldConfig,
        training: Callable[[], Iterable[Example]],
        selection: Callable[[], Iterable[Example]],
    ) -> None:
        self._features, self._config = features, config
        self._averaging = parcel_means(sample_voxels()[1])
        moments = accumulate((features(example, config), example.targets) for example in training())
        cross = moments.cross
        choices = []
        for penalty in PENALTIES:
            weights = solve(moments.gram, cross, penalty)
            to_parcels = weights @ self._averaging
            errors = [
                np.nanmean(np.square(features(example, config) @ to_parcels - example.parcel_targets))
                for example in selection()
            ]
            choices.append((float(np.mean(errors)), penalty, weights))
        self.error, self.penalty, self.weights = min(choices, key=lambda choice: choice[0])

    def __call__(self, example: Example) -> Float[np.ndarray, "volumes parcels"]:
        """Predicted BOLD of every parcel."""
        return self._features(example, self._config) @ (self.weights @ self._averaging)

    def voxels(self, example: Example) -> Float[np.ndarray, "volumes voxels"]:
        """Predicted BOLD of the sample voxels (:func:`bids_eeg2fmri.learning.examples.sample_voxels`)."""
        return self._features(example, self._config) @ self.weights


@dataclass(frozen=True)
class Baselines:
    """Baselines fitted to the same people as a network.

    Attributes
    ----------
    models
        By name.
    left_out
        Why some are missing, in sentences.
    """

    models: dict[str, Baseline]
    left_out: tuple[str, ...]


def fit_baselines(people: People, config: NeuralFieldConfig, tested: Iterable[Example] = ()) -> Baselines:
    """Fixed signs, and ridges on the band power of sources and, if all recordings share one cap, of electrodes.

    Parameters
    ----------
    people
        Those that the network is fitted to: ``training`` fits, ``selection`` chooses penalties.
    config
        The features' shape.
    tested
        Recordings that the baselines will be asked to predict: their cap counts, too.
    """

    def training() -> Iterator[Example]:
        return examples_of(people.training)

    def selection() -> Iterator[Example]:
        return examples_of(people.selection)

    models: dict[str, Baseline] = {
        "fixed signs": partial(fixed_sign_power, config=config),
        "source ridge": BandPowerRidge(source_power, config, training, selection),
    }
    caps = {_cap(example) for group in (training(), selection(), tested) for example in group}
    if len(caps) > 1:
        reason = f"The sensor ridge is left out: the recordings have {len(caps)} different sets of electrodes."
        return Baselines(models, (reason,))
    models["sensor ridge"] = BandPowerRidge(sensor_power, config, training, selection)
    return Baselines(models, ())


def _cap(example: Example) -> tuple[int, tuple[str, ...]]:
    return example.sensor_features.shape[1], example.channel_names


def on_one_cap(paths: Sequence[Path], n_channels: int) -> Callable[[], Iterator[Example]]:
    """The examples of simulated people on the cap of one size, to be read as often as needed."""
    return lambda: (example for path in paths for example in load_examples(path) if example.n_channels == n_channels)
