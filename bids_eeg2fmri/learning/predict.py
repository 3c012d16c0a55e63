"""Predict the sample voxels and parcels of a training example, by the code path of the synthesis."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..network.neuralfield import NeuralField
from ..synthesis.grid_maps import evaluate_fields
from ..synthesis.render import pad_maps, render
from .examples import Example, parcel_means, sample_voxels

_VOLUMES_PER_BLOCK = 320
_OVER_TIME = ("mean", "total_sd", "parcel_mean", "parcel_sd", "conditions")


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
        blocks = [self._block(example, first) for first in range(0, n_volumes, _VOLUMES_PER_BLOCK)]
        joined = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in _OVER_TIME}
        return Predicted(**joined, epistemic=np.sum([block.epistemic for block in blocks], axis=0) / n_volumes)

    def _block(self, example: Example, first: int) -> Predicted:
        """Some of the volumes; ``epistemic`` is a sum over them."""
        count = min(_VOLUMES_PER_BLOCK, len(example.features) - first)
        # Padded to one shape: lengths differ from recording to recording, and each would be compiled anew.
        padding = (0, _VOLUMES_PER_BLOCK - count)
        seen = example.features[first : first + count].astype(np.float32)
        features = jnp.asarray(np.pad(seen, (padding, (0, 0))))
        evidence = jnp.asarray(np.pad(example.evidence[first : first + count], padding))
        counted = (jnp.arange(_VOLUMES_PER_BLOCK) < count).astype(jnp.float32)
        cap = self._network.cap_position(jnp.asarray(example.resolution))
        coefficients = self._network.coefficients(features)
        conditions = self._network.conditions(evidence, cap)
        novelty = self._network.novelty
        widening = novelty.widening(novelty.score(features, jnp.asarray(example.profile), evidence))
        voxels = render(coefficients, conditions, widening, counted, self._voxels)
        parcels = render(coefficients, conditions, widening, counted, self._parcels)
        n_parcels = self._network.config.n_parcels
        return Predicted(
            mean=np.asarray(voxels.mean)[:count, : self._n_voxels],
            total_sd=np.asarray(voxels.total_sd)[:count, : self._n_voxels],
            epistemic=np.asarray(voxels.epistemic)[: self._n_voxels],
            parcel_mean=np.asarray(parcels.mean)[:count, :n_parcels],
            parcel_sd=np.asarray(parcels.total_sd)[:count, :n_parcels],
            conditions=np.asarray(conditions)[:count],
        )
