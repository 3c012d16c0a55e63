"""Predict the sample voxels and parcels of a training example, by the code path of the synthesis."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts
from ..synthesis.grid_maps import evaluate_fields
from ..synthesis.render import Rendered, RenderMaps, pad_maps, render
from .examples import Example, parcel_means, sample_voxels

_VOLUMES_PER_BLOCK = 320


class Predicted(NamedTuple):
    """Prediction of one example, standardised over time."""

    mean: Float[np.ndarray, "volumes voxels"]
    total_sd: Float[np.ndarray, "volumes voxels"]
    epistemic: Float[np.ndarray, " voxels"]
    parcel_mean: Float[np.ndarray, "volumes parcels"]
    parcel_sd: Float[np.ndarray, "volumes parcels"]
    conditions: Float[np.ndarray, "volumes conditions"]
    strength: float
    novelty_score: Float[np.ndarray, " volumes"]


class Predictor:
    """Predicts examples with one network; its maps at the sample voxels are evaluated once."""

    def __init__(self, network: NeuralField) -> None:
        coordinates, labels = sample_voxels()
        mean, noise = evaluate_fields(network, coordinates)
        averaging = parcel_means(labels).T
        self._network = network
        self._n_voxels = len(mean)
        self._voxels = pad_maps(mean, noise, np.asarray(network.voxel_factor[...])[labels])
        self._parcels = pad_maps(
            averaging @ mean, np.asarray(network.parcel_noise[...]), np.asarray(network.parcel_factor[...])
        )

    def __call__(self, example: Example) -> Predicted:
        """Mean and uncertainty of every volume; ``epistemic`` is the variance between members, averaged over time."""
        n_volumes = len(example.features)
        network, facts = self._network, example.facts
        padded = -(-n_volumes // _VOLUMES_PER_BLOCK) * _VOLUMES_PER_BLOCK
        features = np.zeros((padded, example.features.shape[1]), np.float32)
        features[:n_volumes] = example.features
        evidence = np.zeros(padded, np.float32)
        evidence[:n_volumes] = example.evidence
        described = [
            _describe(network, jnp.asarray(features[_block(first)]), jnp.asarray(evidence[_block(first)]), facts)
            for first in range(0, padded, _VOLUMES_PER_BLOCK)
        ]
        coefficients = jnp.concatenate([coefficients for coefficients, _ in described], axis=1)
        score = jnp.concatenate([score for _, score in described])
        counted = (np.arange(padded) < n_volumes).astype(np.float32)
        strength = network.strength(coefficients, jnp.asarray(counted))
        coefficients = network.amplitude(strength) * coefficients
        conditions = network.conditions(jnp.asarray(evidence), facts, strength)
        widening = network.novelty.widening(score)
        inputs = (coefficients, conditions, widening, jnp.asarray(counted))
        voxels, parcels = (self._render(*inputs, maps) for maps in (self._voxels, self._parcels))
        n_parcels = network.config.n_parcels
        return Predicted(
            mean=np.asarray(voxels.mean)[:n_volumes, : self._n_voxels],
            total_sd=np.asarray(voxels.total_sd)[:n_volumes, : self._n_voxels],
            epistemic=np.asarray(voxels.epistemic)[: self._n_voxels] / n_volumes,
            parcel_mean=np.asarray(parcels.mean)[:n_volumes, :n_parcels],
            parcel_sd=np.asarray(parcels.total_sd)[:n_volumes, :n_parcels],
            conditions=np.asarray(conditions)[:n_volumes],
            strength=float(strength),
            novelty_score=np.asarray(score)[:n_volumes],
        )

    @staticmethod
    def _render(coefficients: Array, conditions: Array, widening: Array, counted: Array, maps: RenderMaps) -> Rendered:
        """All blocks of a recording; the variances are sums over its volumes."""
        blocks = [
            render(coefficients[:, _block(k)], conditions[_block(k)], widening[_block(k)], counted[_block(k)], maps)
            for k in range(0, len(counted), _VOLUMES_PER_BLOCK)
        ]
        over_time = (jnp.concatenate([getattr(block, name) for block in blocks]) for name in ("mean", "total_sd"))
        sums = (sum(getattr(block, name) for block in blocks) for name in ("aleatoric", "epistemic"))
        return Rendered(*over_time, *sums)


def _block(first: int) -> slice:
    return slice(first, first + _VOLUMES_PER_BLOCK)


@nnx.jit
def _describe(
    network: NeuralField,
    features: Float[Array, "volumes features"],
    evidence: Float[Array, " volumes"],
    facts: RecordingFacts,
) -> tuple[Float[Array, "members volumes maps"], Float[Array, " volumes"]]:
    """Coefficients and novelty score of a block of volumes: of one shape, or each recording would be compiled anew."""
    score = network.novelty.score(features, facts.description, evidence)
    return network.coefficients(network.states(features, facts)), score
