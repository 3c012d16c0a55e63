"""Everything that a training step changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Float, Int

PARTS = ("loss", "reconstruction", "latent", "penalty")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Weights:
    """What training learns.

    Attributes
    ----------
    parameters
        What gradients change.
    statistics
        What batch normalisation measures.
    """

    parameters: nnx.State
    statistics: nnx.State


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainingState:
    """Weights, their moving average, the optimiser's memory, and the sums of the epoch so far.

    Attributes
    ----------
    step
        Steps made.
    weights
        The network's.
    average
        Exponential moving average of the weights: what is validated and kept.
    optimiser
        Moments and counters of Adam.
    sums
        Sums over the epoch's volumes of each part of the loss, over its steps of the gradient's norm, and both counts.
    """

    step: Int[Array, ""]
    weights: Weights
    average: Weights
    optimiser: Any
    sums: dict[str, Float[Array, ""]]


@dataclass(frozen=True)
class Anatomy:
    """A network taken apart.

    Attributes
    ----------
    training, evaluation
        Its structure with dropout and batch statistics on and off.
    keys
        Keys and counters of what the network draws; each step sets them anew.
    constants
        What nothing changes: drawn frequencies, tables.
    """

    training: nnx.GraphDef
    evaluation: nnx.GraphDef
    keys: nnx.State
    constants: nnx.State

    def network(self, weights: Weights, constants: nnx.State, *, training: bool) -> Any:
        """The network with the given weights."""
        graph = self.training if training else self.evaluation
        # Copies: what the network changes in itself must not change the state it was made of.
        return nnx.merge(graph, weights.parameters, weights.statistics, self.keys, constants, copy=True)


def take_apart(network: nnx.Module) -> tuple[Anatomy, Weights]:
    """Structure and constants of a network, and its weights."""
    network.eval()
    evaluation = nnx.graphdef(network)
    network.train()
    parts: Any = nnx.split(network, nnx.Param, nnx.BatchStat, nnx.RngState, ...)
    training, parameters, statistics, keys, constants = parts
    return Anatomy(training, evaluation, keys, constants), Weights(parameters, statistics)


def first_state(weights: Weights, optimiser: optax.GradientTransformation) -> TrainingState:
    """The state before the first step."""
    weights = copied(weights)
    return TrainingState(
        step=jnp.zeros((), jnp.int32),
        weights=weights,
        average=copied(weights),
        optimiser=optimiser.init(weights.parameters),
        sums=no_sums(),
    )


def copied(weights: Weights) -> Weights:
    """The same weights in memory of their own: a step uses up the memory of the state that it is given.

    Weak types, which initial values may have and results of a step have not, would make it compile twice.
    """
    return jax.tree.map(lambda leaf: jnp.array(leaf, leaf.dtype), weights)


def no_sums() -> dict[str, Float[Array, ""]]:
    """The sums at the start of an epoch."""
    return {name: jnp.zeros(()) for name in (*PARTS, "gradient_norm", "volumes", "steps")}
