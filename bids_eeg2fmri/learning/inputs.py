"""What the linear map of a network receives from a training example."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts
from .examples import Example

_VOLUMES_PER_BLOCK = 320

Inputs = Callable[[Example], Float[np.ndarray, "volumes inputs"]]


def inputs_of(network: NeuralField) -> Inputs:
    """The slow states of an example's volumes, by the network as it is now."""
    frozen = nnx.clone(network)

    def inputs(example: Example) -> Float[np.ndarray, "volumes inputs"]:
        blocks = []
        for first in range(0, len(example.features), _VOLUMES_PER_BLOCK):
            block = example.features[first : first + _VOLUMES_PER_BLOCK].astype(np.float32)
            # Padded to one shape: lengths differ from recording to recording, and each would be compiled anew.
            padded = np.pad(block, ((0, _VOLUMES_PER_BLOCK - len(block)), (0, 0)))
            blocks.append(np.asarray(_states(frozen, jnp.asarray(padded), example.facts))[: len(block)])
        return np.concatenate(blocks)

    return inputs


@nnx.jit
def _states(
    network: NeuralField, features: Float[Array, "volumes features"], facts: RecordingFacts
) -> Float[Array, "volumes inputs"]:
    return network.states(features, facts)
