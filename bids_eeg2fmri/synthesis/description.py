"""What is known of the volumes of a recording before they are rendered."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..eeg.spectra import HOP_S
from ..network.lags import CANONICAL_LAG
from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts

# JAX's where it is computed, NumPy's where it is kept.
_AnyArray: TypeAlias = Any


class Described(NamedTuple):
    """Volumes before the recording as a whole is known; the coefficients as they are before their amplitude."""

    coefficients: Float[_AnyArray, "members volumes maps"]
    features: Float[_AnyArray, "columns parcels bands"]
    energy: Float[_AnyArray, " volumes"]
    evidence: Float[_AnyArray, " volumes"]
    novelty_parts: Float[_AnyArray, "volumes parts"]


@nnx.jit
def describe(
    network: NeuralField,
    frames_z: Float[Array, "frames parcels bands"],
    recorded: Float[Array, " frames"],
    frame_times_s: Float[Array, " frames"],
    volume_times_s: Float[Array, " volumes"],
    facts: RecordingFacts,
) -> Described:
    """Everything about a block of volumes but the volumes themselves."""
    features = network.features(frames_z, frame_times_s, volume_times_s, HOP_S)
    ones = jnp.broadcast_to(recorded[:, None, None], (len(recorded), 1, 1))
    evidence = network.features(ones, frame_times_s, volume_times_s, HOP_S)
    evidence = jnp.clip(evidence[:, CANONICAL_LAG], 0, 1)
    by_lag = features.reshape(len(volume_times_s), len(network.config.peaks_s), *frames_z.shape[1:])
    coefficients = network.coefficients(network.states(features, facts))
    return Described(
        coefficients,
        by_lag[:, CANONICAL_LAG],
        network.energy(coefficients),
        evidence,
        network.novelty.parts(features, facts.description, evidence),
    )


class Weighed(NamedTuple):
    """Volumes once the recording as a whole is known.

    Attributes
    ----------
    amplitude
        Factor on their coefficients, the same for all.
    conditions, widening
        As :func:`.render.render` takes them.
    novelty, novelty_parts
        Percentiles.
    """

    amplitude: Float[_AnyArray, " volumes"]
    conditions: Float[_AnyArray, "volumes conditions"]
    widening: Float[_AnyArray, " volumes"]
    novelty: Float[_AnyArray, " volumes"]
    novelty_parts: Float[_AnyArray, "volumes parts"]


@nnx.jit
def weigh(
    network: NeuralField,
    mean_energy: Float[Array, ""],
    evidence: Float[Array, " volumes"],
    novelty_parts: Float[Array, "volumes parts"],
    facts: RecordingFacts,
) -> Weighed:
    """A block of volumes; how strong the prediction is as a whole decides its amplitude."""
    strength = network.strength_of(mean_energy)
    score = novelty_parts.max(axis=1)
    return Weighed(
        jnp.broadcast_to(network.amplitude(strength), evidence.shape),
        network.conditions(evidence, facts, strength),
        network.novelty.widening(score),
        network.novelty.percentile(score),
        network.novelty.percentile(novelty_parts),
    )
