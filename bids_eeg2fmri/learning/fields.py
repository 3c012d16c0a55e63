"""Fit the spatial fields: maps given at sample voxels become functions of coordinates."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Float

from ..network.field import SpatialField
from ..network.neuralfield import log_variance

HELD_OUT_SHARE = 0.1


def fit_field(
    field: SpatialField,
    coordinates_mm: Float[np.ndarray, "voxels 3"],
    grey: Float[np.ndarray, " voxels"],
    maps: Float[np.ndarray, "voxels maps"],
    importance: Float[np.ndarray, " maps"],
    *,
    n_steps: int = 3000,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> float:
    """Fit ``field`` in place to maps sampled at voxels; returns the share of variance explained on held-out voxels.

    Squared errors are weighted by each map's ``importance`` (the variance of its coefficient), which makes the
    loss the mean squared error of the rendered volumes.
    """
    rng = np.random.default_rng(seed)
    held_out = rng.random(len(maps)) < HELD_OUT_SHARE
    data = tuple(jnp.asarray(part) for part in (coordinates_mm, grey, maps))
    train, test = (tuple(part[keep] for part in data) for keep in (~held_out, held_out))
    scale = jnp.asarray(importance / importance.sum())
    schedule = optax.cosine_decay_schedule(learning_rate, n_steps)
    optimiser = nnx.Optimizer(field, optax.adamw(schedule, weight_decay=1e-3), wrt=nnx.Param)

    def loss(model: SpatialField, coordinates: Array, tissue: Array, wanted: Array) -> Array:
        return (jnp.square(model(coordinates, tissue) - wanted) * scale).sum(axis=1).mean()

    @nnx.jit
    def step(model: SpatialField, optimiser: nnx.Optimizer, key: Array) -> None:
        chosen = jax.random.choice(key, len(train[2]), (min(2048, len(train[2])),), replace=False)
        gradient = nnx.grad(loss)(model, *(part[chosen] for part in train))
        optimiser.update(model, gradient)

    for key in jax.random.split(jax.random.key(seed), n_steps):
        step(field, optimiser, key)
    centred = (jnp.square(test[2] - test[2].mean(axis=0)) * scale).sum(axis=1).mean()
    return float(1 - loss(field, *test) / centred)


def fit_noise(
    noise: SpatialField,
    coordinates_mm: Float[np.ndarray, "voxels 3"],
    grey: Float[np.ndarray, " voxels"],
    conditions: Float[np.ndarray, "volumes conditions"],
    squared_error: Float[np.ndarray, "volumes voxels"],
    *,
    n_steps: int = 1500,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> None:
    """Fit the log-variance field in place by Gaussian likelihood to squared errors of people not trained on.

    The epistemic part of the error is the caller's to subtract. Errors are NaN where there was nothing to predict.
    """
    data = tuple(jnp.asarray(part, jnp.float32) for part in (coordinates_mm, grey, conditions, squared_error))
    schedule = optax.cosine_decay_schedule(learning_rate, n_steps)
    optimiser = nnx.Optimizer(noise, optax.adamw(schedule, weight_decay=1e-3), wrt=nnx.Param)

    @nnx.jit
    def step(model: SpatialField, optimiser: nnx.Optimizer, key: Array, data: tuple[Array, ...]) -> Array:
        coordinates, tissue, condition, error = data
        voxel_key, volume_key = jax.random.split(key)
        voxel = jax.random.choice(voxel_key, len(tissue), (1024,))
        volume = jax.random.choice(volume_key, len(condition), (512,))
        seen = error[volume][:, voxel]
        known = jnp.isfinite(seen)

        def loss(model: SpatialField) -> Array:
            value = log_variance(condition[volume], model(coordinates[voxel], tissue[voxel]))
            surprise = value + jnp.where(known, seen, 0) * jnp.exp(-value)
            return jnp.where(known, surprise, 0).sum() / known.sum()

        value, gradient = nnx.value_and_grad(loss)(model)
        optimiser.update(model, gradient)
        return value

    for key in jax.random.split(jax.random.key(seed), n_steps):
        step(noise, optimiser, key, data)
