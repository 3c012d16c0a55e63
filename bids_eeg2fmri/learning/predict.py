"""Predict the sample voxels and parcels of a training example, by the code path of the synthesis."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..network.neuralfield import NeuralField
from ..synthesis.grid_maps import evaluate_fields
from ..synthesis.render import pad_maps, render
from .examples import MAX_VOLUMES, Example, parcel_means, sample_voxels


class Predicted(NamedTuple):
    """Prediction of one example, standardised over time."""

    mean: Float[np.ndarray, "volumes voxels"]
    total_sd: Float[np.ndarray, "volumes voxels"]
    epistemic: Float[np.ndarray, " voxels"]
    parcel_mean: Float[np.ndarray, "volumes parcels"]
    parcel_sd: Float[np.ndarray, "volumes parcels"]
    conditions: Float[np.ndarray, "volumes conditions"]


class Predictor:
    """Predicts examples with one network; its maps at the sample voxels are evaluated once."""

    def __init__(self, network: NeuralField) -> None:
        coordinates, labels = sample_voxels()
        mean, noise = evaluate_fields(network, coordinates)
        averaging = parcel_means(labels).T
        self._network = network
        self._n_voxels = len(mean)
        self._voxels = pad_maps(mean, noise, np.asarray(network.voxel_factor[...])[labels])
        self._parcels = pad_maps(averaging @ mean, averaging @ noise, np.asarray(network.parcel_factor[...]))

    def __call__(self, example: Example) -> Predicted:
        """Mean and uncertainty of every volume; ``epistemic`` is the variance between members, averaged over time."""
        n_volumes = len(example.features)
        # Padded to one shape: repetition times differ from person to person, and each would be compiled anew.
        padding = (0, MAX_VOLUMES - n_volumes)
        features = jnp.asarray(np.pad(example.features.astype(np.float32), (padding, (0, 0))))
        evidence = jnp.asarray(np.pad(example.evidence, padding))
        counted = (jnp.arange(MAX_VOLUMES) < n_volumes).astype(jnp.float32)
        cap = self._network.cap_position(jnp.asarray(example.resolution))
        coefficients = self._network.coefficients(features)
        conditions = self._network.conditions(evidence, cap)
        novelty = self._network.novelty
        widening = novelty.widening(novelty.score(features, jnp.asarray(example.profile), evidence))
        voxels = render(coefficients, conditions, widening, counted, self._voxels)
        parcels = render(coefficients, conditions, widening, counted, self._parcels)
        n_parcels = self._network.config.n_parcels
        return Predicted(
            mean=np.asarray(voxels.mean)[:n_volumes, : self._n_voxels],
            total_sd=np.asarray(voxels.total_sd)[:n_volumes, : self._n_voxels],
            epistemic=np.asarray(voxels.epistemic)[: self._n_voxels] / n_volumes,
            parcel_mean=np.asarray(parcels.mean)[:n_volumes, :n_parcels],
            parcel_sd=np.asarray(parcels.total_sd)[:n_volumes, :n_parcels],
            conditions=np.asarray(conditions)[:n_volumes],
        )
