"""Fit the spatial fields: maps given at sample voxels become functions of coordinates."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Float

from ..network.field import SpatialField
from ..network.neuralfield import log_variance

HELD_OUT_SHARE = 0.1
_DEVIATION_PENALTY = 1.0


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


def fit_parcel_noise(
    conditions: Float[np.ndarray, "volumes conditions"],
    squared_error: Float[np.ndarray, "volumes parcels"],
    *,
    n_steps: int = 800,
    learning_rate: float = 3e-2,
    seed: int = 0,
) -> Float[Array, "parcels noise"]:
    """Log variance of the parcels' means: of every parcel one number, and what each condition adds to it.

    Gaussian likelihood, with what the conditions add drawn towards what they add to all parcels. Errors are NaN where
    there was nothing to predict; parcels without any get the average.
    """
    data = jnp.asarray(conditions, jnp.float32), jnp.asarray(squared_error, jnp.float32)
    mean = np.log(np.nanmean(squared_error) + 1e-6)
    start = {
        "level": jnp.full(squared_error.shape[1], mean, jnp.float32),
        "slope": jnp.zeros(conditions.shape[1]),
        "deviation": jnp.zeros((squared_error.shape[1], conditions.shape[1])),
    }
    optimiser = optax.adam(optax.cosine_decay_schedule(learning_rate, n_steps))

    def surprise(parameters: dict[str, Array], key: Array) -> Array:
        chosen = jax.random.choice(key, len(data[0]), (512,))
        value = log_variance(data[0][chosen], _parcel_maps(parameters))
        error = data[1][chosen]
        known = jnp.isfinite(error)
        each = jnp.where(known, value + jnp.where(known, error, 0) * jnp.exp(-value), 0).sum() / known.sum()
        return each + _DEVIATION_PENALTY * jnp.square(parameters["deviation"]).mean()

    def step(carry: tuple[dict[str, Array], optax.OptState], key: Array) -> tuple[Any, None]:
        parameters, state = carry
        updates, state = optimiser.update(jax.grad(surprise)(parameters, key), state)
        return (optax.apply_updates(parameters, updates), state), None

    keys = jax.random.split(jax.random.key(seed), n_steps)
    (fitted, _), _ = jax.jit(lambda carry: jax.lax.scan(step, carry, keys))((start, optimiser.init(start)))
    return _parcel_maps(fitted)


def _parcel_maps(parameters: dict[str, Array]) -> Float[Array, "parcels noise"]:
    return jnp.concatenate([parameters["level"][:, None], parameters["slope"] + parameters["deviation"]], axis=1)
