"""A linear classifier whose weights are distributions."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from ..network.calhas2022.contrastive_losses import binary_cross_entropy
from ..network.calhas2022.dense_variational import DenseFlipout
from .rotated import Rotated
from .rows import fit_rows

_STEPS, _LEARNING_RATE = 200, 0.05


@dataclass(frozen=True)
class VariationalLinear:
    """Logistic regression with a normal distribution over every weight, fitted by the evidence lower bound.

    A penalty is the precision of the weights' normal prior. The decision value is the logit averaged over the
    weights' distribution by MacKay's approximation (1992, doi 10.1162/neco.1992.4.5.720).
    """

    name: str = "variational"
    degree: int = 1
    penalties: tuple[float, ...] = (0.2,)
    max_permutations: int = 100

    def decide(
        self,
        rotated: Rotated,
        positive: Float[np.ndarray, "labellings units"],
        weights: Float[np.ndarray, "labellings units"],
        penalty: float,
        seed: int,
    ) -> Float[np.ndarray, "labellings units"]:
        """See :meth:`.classifier.Classifier.decide`; the layer's weights are drawn."""
        keys = jax.random.split(jax.random.key(seed), len(positive))
        return fit_rows(_fit, rotated, penalty, positive.astype(np.float32), weights.astype(np.float32), keys)


@jax.jit
def _fit(
    values: Float[Array, "units axes"],
    penalty: Float[Array, ""],
    positive: Float[Array, "rows units"],
    weights: Float[Array, "rows units"],
    keys: PRNGKeyArray,
) -> Float[Array, "rows units"]:
    # The layer's prior has unit variance: another one is another scale of the features.
    scaled = values / jnp.sqrt(penalty)
    return jax.vmap(lambda labels, shares, key: _fit_one(scaled, labels, shares, key))(positive, weights, keys)


def _fit_one(
    values: Float[Array, "units axes"],
    positive: Float[Array, " units"],
    weights: Float[Array, " units"],
    key: PRNGKeyArray,
) -> Float[Array, " units"]:
    start_key, draws_key = jax.random.split(key)
    layer = DenseFlipout(values.shape[1], 1, rngs=nnx.Rngs(params=start_key))
    definition, start = nnx.split(layer)
    optimiser = optax.adam(_LEARNING_RATE)
    n_training = jnp.sum(weights > 0)

    def loss(state: nnx.State, draw_key: PRNGKeyArray) -> Float[Array, ""]:
        drawn = nnx.merge(definition, state)
        entropy = binary_cross_entropy(drawn(values, draw_key)[:, 0], positive)
        return jnp.sum(weights * entropy) + drawn.divergence() / n_training

    def step(carry: tuple[nnx.State, optax.OptState], draw_key: PRNGKeyArray) -> tuple[tuple, None]:
        state, memory = carry
        updates, memory = optimiser.update(jax.grad(loss)(state, draw_key), memory)
        return (optax.apply_updates(state, updates), memory), None

    (state, _), _ = jax.lax.scan(step, (start, optimiser.init(start)), jax.random.split(draws_key, _STEPS))
    fitted = nnx.merge(definition, state)
    variance = jnp.square(values) @ jnp.square(fitted.kernel.sd)[:, 0]
    return fitted(values, None)[:, 0] / jnp.sqrt(1 + jnp.pi / 8 * variance)
