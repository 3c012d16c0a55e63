"""The published contrastive classifier: pairs in a Fourier latent, pulled together or held apart by half a circle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Float, Int

from ..network.calhas2022.contrastive_losses import contrastive_classification
from ..network.calhas2022.fourier import RandomFourierFeatures
from ..network.calhas2022.nonnegative import project_nonnegative
from .rotated import Rotated
from .rows import MAX_AXES, fit_rows

N_LATENT = 12
_STEPS, _LEARNING_RATE, _PAIRS = 120, 2e-2, 16


class FourierClassifier(nnx.Module):
    """Features to Fourier phases, and the logit of their cosines.

    Parameters
    ----------
    n_features
        Length of the input.
    """

    def __init__(self, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.encoder = nnx.Linear(n_features, N_LATENT, rngs=rngs)
        self.fourier = RandomFourierFeatures(N_LATENT, normalization="layer", rngs=rngs)
        self.classifier = nnx.Linear(N_LATENT, 1, rngs=rngs)

    def phases(self, values: Float[Array, "units features"]) -> Float[Array, "units latent"]:
        """Phases in radians, before the cosine."""
        return self.fourier(self.encoder(values))

    def logits(self, phases: Float[Array, "units latent"]) -> Float[Array, " units"]:
        """Logits of phases."""
        return self.classifier(jnp.cos(phases))[:, 0]

    def pair_loss(
        self,
        one: Float[Array, "pairs features"],
        other: Float[Array, "pairs features"],
        same: Float[Array, " pairs"],
        labels: Float[Array, "pairs 2"],
        penalty: float | Float[Array, ""],
    ) -> Float[Array, ""]:
        """Contrastive loss of the phases and cross-entropy of both, with an L1 penalty on the classifier.

        Parameters
        ----------
        one, other
            Features of the two of each pair.
        same
            1 where they are of one class, 0 elsewhere.
        labels
            Their labels, 0 or 1.
        penalty
            Factor on the sum of the absolute weights.
        """
        phases = self.phases(jnp.concatenate([one, other]))
        first, second = jnp.split(phases, 2)
        logits = self.logits(phases).reshape(2, -1).T
        loss = contrastive_classification(jnp.abs(first - second), same, logits, labels)
        return loss + penalty * jnp.abs(self.classifier.kernel[...]).sum()


@dataclass(frozen=True)
class Siamese:
    """:class:`FourierClassifier` fitted to pairs of training units; a penalty is the factor of the L1 norm."""

    name: str = "siamese"
    degree: int = 1
    penalties: tuple[float, ...] = (0.02,)
    max_permutations: int = 100

    def decide(
        self,
        rotated: Rotated,
        positive: Float[np.ndarray, "labellings units"],
        weights: Float[np.ndarray, "labellings units"],
        penalty: float,
        seed: int,
    ) -> Float[np.ndarray, "labellings units"]:
        """See :meth:`.classifier.Classifier.decide`; the start and the pairs are drawn."""
        # Weights become the chances of being drawn: both classes come as often, and so do people.
        limits = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
        chances = np.random.default_rng(seed).random((_STEPS, 2, _PAIRS))
        pairs = np.stack([np.searchsorted(row, chances, side="right") for row in limits]).astype(np.int32)
        return fit_rows(partial(_fit, *_start(seed)), rotated, penalty, positive.astype(np.float32), pairs)


@lru_cache(maxsize=2)
def _start(seed: int) -> tuple[nnx.GraphDef, nnx.State]:
    return nnx.split(FourierClassifier(MAX_AXES, rngs=nnx.Rngs(seed)))


@partial(jax.jit, static_argnums=0)
def _fit(
    definition: nnx.GraphDef,
    start: nnx.State,
    values: Float[Array, "units axes"],
    penalty: Float[Array, ""],
    positive: Float[Array, "rows units"],
    pairs: Int[Array, "rows steps 2 pairs"],
) -> Float[Array, "rows units"]:
    network = nnx.merge(definition, start)
    # Blocks have unit variance as a whole; the encoder expects it of every value.
    scaled = values / jnp.maximum(values.std(), jnp.finfo(values.dtype).tiny)
    return jax.vmap(lambda labels, drawn: _fit_one(network, scaled, labels, drawn, penalty))(positive, pairs)


def _fit_one(
    network: FourierClassifier,
    values: Float[Array, "units axes"],
    positive: Float[Array, " units"],
    pairs: Int[Array, "steps 2 pairs"],
    penalty: Float[Array, ""],
) -> Float[Array, " units"]:
    definition, start, *constants = nnx.split(network, nnx.Param, ...)
    optimiser = optax.adam(_LEARNING_RATE)

    def loss(state: nnx.State, drawn: Int[Array, "2 pairs"]) -> Float[Array, ""]:
        merged = nnx.merge(definition, state, *constants)
        labels = positive[drawn]
        same = (labels[0] == labels[1]).astype(values.dtype)
        return merged.pair_loss(values[drawn[0]], values[drawn[1]], same, labels.T, penalty)

    def step(carry: tuple[nnx.State, optax.OptState], drawn: Int[Array, "2 pairs"]) -> tuple[tuple, None]:
        state, memory = carry
        updates, memory = optimiser.update(jax.grad(loss)(state, drawn), memory)
        moved = nnx.merge(definition, optax.apply_updates(state, updates), *constants)
        project_nonnegative(moved)
        return (nnx.state(moved, nnx.Param), memory), None

    (state, _), _ = jax.lax.scan(step, (start, optimiser.init(start)), pairs)
    fitted = nnx.merge(definition, state, *constants)
    return fitted.logits(fitted.phases(values))
