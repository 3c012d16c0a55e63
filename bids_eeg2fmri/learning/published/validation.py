"""The loss on people that are not trained on."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float

from .batches import InOrder
from .devices import replicated, split_over
from .feed import Batch, feed
from .objective import Objective
from .state import Anatomy, Weights
from .volumes import Volumes

Validate = Callable[[Weights], dict[str, float]]


def make_validation(anatomy: Anatomy, volumes: Volumes, batch_size: int, mesh: Mesh, objective: Objective) -> Validate:
    """A function from weights to each part of the loss: the mean over people of the mean over their volumes.

    No person counts for more because of longer recordings. Dropout is off, batch normalisation uses its running
    statistics, and nothing is drawn.
    """
    whole, shared = replicated(mesh), split_over(mesh)

    def losses(weights: Weights, constants: nnx.State, batch: Batch) -> dict[str, Float[Array, " batch"]]:
        return objective.by_volume(anatomy.network(weights, constants, training=False), batch)

    compiled = jax.jit(losses, in_shardings=(whole, whole, shared), out_shardings=whole)
    constants = jax.device_put(anatomy.constants, whole)
    batches = InOrder(len(volumes), batch_size)

    def validate(weights: Weights) -> dict[str, float]:
        fed = feed(volumes, batches, range(batches.n_steps), shared)
        parts = [jax.tree.map(np.asarray, compiled(weights, constants, batch)) for batch in fed]
        joined = jax.tree.map(lambda *values: np.concatenate(values), *parts)
        return {name: _mean_over_people(values[: len(volumes)], volumes) for name, values in joined.items()}

    return validate


def _mean_over_people(values: Float[np.ndarray, " volumes"], volumes: Volumes) -> float:
    owner = volumes.person_of_volume
    totals = np.bincount(owner, values, minlength=len(volumes.people))
    return float(np.mean(totals / np.bincount(owner, minlength=len(volumes.people))))
