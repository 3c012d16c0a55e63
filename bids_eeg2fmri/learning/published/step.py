"""One training step, compiled: gradient, clipping, Adam, moving average."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ...network.calhas2022.factored_dense import Factors
from ...network.calhas2022.nonnegative import project_nonnegative
from ..options import TrainingOptions
from .devices import replicated, split_over
from .feed import Batch
from .large_kernel import apart, collect_factors, total_norm, with_kernel, zero_factors
from .objective import Objective
from .optimiser import within_norm
from .state import Anatomy, TrainingState, Weights

Step = Callable[[TrainingState, Batch], tuple[TrainingState, Float[Array, ""]]]


def make_step(
    anatomy: Anatomy,
    optimiser: optax.GradientTransformation,
    options: TrainingOptions,
    mesh: Mesh,
    objective: Objective,
) -> Step:
    """The compiled step; it returns the new state, whose predecessor is used up, and the batch's loss.

    Batch normalisation, norms and means run over the whole batch, wherever its volumes lie, and drawn numbers depend
    on seed and step alone: devices share the work without changing what is computed.
    """

    def differentiated(
        state: TrainingState, constants: nnx.State, batch: Batch
    ) -> tuple[nnx.State, Float[Array, ""], tuple[Float[Array, ""], dict[str, Array], nnx.State]]:
        kernel, others = apart(state.weights.parameters)

        def loss_of(
            others: nnx.State, factors: Factors | None
        ) -> tuple[Float[Array, ""], tuple[dict[str, Array], nnx.State]]:
            weights = Weights(nnx.merge_state(kernel, others), state.weights.statistics)
            network = anatomy.network(weights, constants, training=True)
            draw_anew(network, options.seed, state.step)
            collect_factors(network, factors)
            loss, parts = objective.of_batch(network, batch)
            return loss, (parts, nnx.state(network, nnx.BatchStat))

        by_both = jax.value_and_grad(loss_of, argnums=(0, 1), has_aux=True)
        (loss, aside), (gradient, factors) = by_both(others, zero_factors(kernel, len(batch.weights)))
        return with_kernel(gradient, kernel, factors), total_norm(gradient, factors), (loss, *aside)

    def step(state: TrainingState, constants: nnx.State, batch: Batch) -> tuple[TrainingState, Float[Array, ""]]:
        gradient, norm, (loss, parts, statistics) = differentiated(state, constants, batch)
        scale = within_norm(norm, options.clip_norm)
        gradient = jax.tree.map(lambda leaf: scale * leaf, gradient)
        updates, optimiser_state = optimiser.update(gradient, state.optimiser, state.weights.parameters)
        parameters = _projected(anatomy, optax.apply_updates(state.weights.parameters, updates), state, constants)
        weights = Weights(parameters, statistics)
        count = batch.weights.sum()
        sums = {name: state.sums[name] + count * value for name, value in {"loss": loss, **parts}.items()}
        sums["gradient_norm"] = state.sums["gradient_norm"] + norm
        sums["volumes"] = state.sums["volumes"] + count
        sums["steps"] = state.sums["steps"] + 1
        average = _moved(state.average, weights, state.step, options.ema_decay)
        return TrainingState(state.step + 1, weights, average, optimiser_state, sums), loss

    whole, shared = replicated(mesh), split_over(mesh)
    compiled = jax.jit(step, donate_argnums=0, in_shardings=(whole, whole, shared), out_shardings=whole)
    constants = jax.device_put(anatomy.constants, whole)
    return lambda state, batch: compiled(state, constants, batch)


def draw_anew(network: nnx.Module, seed: int, step: Array | int) -> None:
    """Set the keys of everything that the network draws to functions of seed and step."""
    key = jax.random.fold_in(jax.random.key(seed), step)
    dropout, sample = jax.random.split(key)
    nnx.reseed(network, dropout=dropout, sample=sample)


def _projected(anatomy: Anatomy, parameters: nnx.State, state: TrainingState, constants: nnx.State) -> nnx.State:
    """Parameters with those that may not be negative raised to zero."""
    network = anatomy.network(Weights(parameters, state.weights.statistics), constants, training=True)
    project_nonnegative(network)
    return nnx.state(network, nnx.Param)


def _moved(average: Weights, weights: Weights, step: Array, decay: float) -> Weights:
    """The average, one step on; young averages forget faster, so that the first weights do not linger."""
    kept = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda old, new: old + (1 - kept) * (new - old), average, weights)
