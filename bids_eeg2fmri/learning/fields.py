"""Fit the spatial fields: maps given at sample voxels become functions of coordinates."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..network.field import SpatialField
from ..network.neuralfield import log_variance
from .descent import adam, descend

_HELD_OUT_SHARE = 0.1
_VOXELS_PER_STEP = 2048
_NOISE_VOXELS_PER_STEP, _NOISE_VOLUMES_PER_STEP = 1024, 512
_WEIGHT_DECAY = 1e-3
_DEVIATION_PENALTY = 1.0


class _Places(NamedTuple):
    """A field without its parameters, and what it receives at every voxel."""

    graph: nnx.GraphDef
    constants: nnx.State
    features: Float[Array, "voxels features"]

    def values(self, parameters: nnx.State, voxels: Array | slice = slice(None)) -> Float[Array, "chosen maps"]:
        """The field at some of the voxels."""
        field: SpatialField = nnx.merge(self.graph, parameters, self.constants)
        return field.of_features(self.features[voxels])


class _Maps(NamedTuple):
    """Maps to fit, and each one's share of the loss."""

    places: _Places
    wanted: Float[Array, "voxels maps"]
    share: Float[Array, " maps"]


class _Errors(NamedTuple):
    """Squared errors whose variance is to fit, and what it depends on besides the place."""

    places: _Places
    conditions: Float[Array, "volumes conditions"]
    squared: Float[Array, "volumes voxels"]


class _ParcelErrors(NamedTuple):
    """The same of parcels."""

    conditions: Float[Array, "volumes conditions"]
    squared: Float[Array, "volumes parcels"]


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
    held_out = np.random.default_rng(seed).random(len(maps)) < _HELD_OUT_SHARE
    share = jnp.asarray(importance / importance.sum(), jnp.float32)
    parameters, places = _placed(field, coordinates_mm, grey)
    train, test = (
        _Maps(places._replace(features=places.features[chosen]), jnp.asarray(maps[chosen], jnp.float32), share)
        for chosen in (np.flatnonzero(~held_out), np.flatnonzero(held_out))
    )
    optimiser = adam(learning_rate, n_steps, weight_decay=_WEIGHT_DECAY)
    keys = jax.random.split(jax.random.key(seed), n_steps)
    fitted = descend(parameters, train, keys, loss=_error_of_some, optimiser=optimiser)
    nnx.update(field, fitted)
    return float(_explained(fitted, test))


def _error_of_some(parameters: nnx.State, maps: _Maps, key: Array) -> Float[Array, ""]:
    n_voxels = len(maps.wanted)
    chosen = jax.random.choice(key, n_voxels, (min(_VOXELS_PER_STEP, n_voxels),), replace=False)
    return _weighted_square(maps.places.values(parameters, chosen) - maps.wanted[chosen], maps.share)


@jax.jit
def _explained(parameters: nnx.State, maps: _Maps) -> Float[Array, ""]:
    left = _weighted_square(maps.places.values(parameters) - maps.wanted, maps.share)
    return 1 - left / _weighted_square(maps.wanted - maps.wanted.mean(axis=0), maps.share)


def _weighted_square(errors: Float[Array, "voxels maps"], share: Float[Array, " maps"]) -> Float[Array, ""]:
    return (jnp.square(errors) * share).sum(axis=1).mean()


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
    parameters, places = _placed(noise, coordinates_mm, grey)
    errors = _Errors(places, jnp.asarray(conditions, jnp.float32), jnp.asarray(squared_error, jnp.float32))
    optimiser = adam(learning_rate, n_steps, weight_decay=_WEIGHT_DECAY)
    keys = jax.random.split(jax.random.key(seed), n_steps)
    nnx.update(noise, descend(parameters, errors, keys, loss=_surprise_of_some, optimiser=optimiser))


def _surprise_of_some(parameters: nnx.State, errors: _Errors, key: Array) -> Float[Array, ""]:
    n_volumes, n_voxels = errors.squared.shape
    voxel_key, volume_key = jax.random.split(key)
    voxel = jax.random.choice(voxel_key, n_voxels, (_NOISE_VOXELS_PER_STEP,))
    volume = jax.random.choice(volume_key, n_volumes, (_NOISE_VOLUMES_PER_STEP,))
    value = log_variance(errors.conditions[volume], errors.places.values(parameters, voxel))
    return _surprise(value, errors.squared[volume[:, None], voxel])


def _surprise(value: Float[Array, "volumes points"], squared: Float[Array, "volumes points"]) -> Float[Array, ""]:
    """Mean negative log-likelihood of a log variance, less a constant; NaN errors do not count."""
    known = jnp.isfinite(squared)
    each = value + jnp.where(known, squared, 0) * jnp.exp(-value)
    return jnp.where(known, each, 0).sum() / known.sum()


def _placed(
    field: SpatialField, coordinates_mm: Float[np.ndarray, "voxels 3"], grey: Float[np.ndarray, " voxels"]
) -> tuple[nnx.State, _Places]:
    """The parameters of a field, and the rest of it at some voxels."""
    parts: Any = nnx.split(field, nnx.Param, ...)
    graph, parameters, constants = parts
    return parameters, _Places(graph, constants, _features(field, jnp.asarray(coordinates_mm), jnp.asarray(grey)))


@nnx.jit
def _features(
    field: SpatialField, coordinates_mm: Float[Array, "voxels 3"], grey: Float[Array, " voxels"]
) -> Float[Array, "voxels features"]:
    return field.features(coordinates_mm, grey)


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
    errors = _ParcelErrors(jnp.asarray(conditions, jnp.float32), jnp.asarray(squared_error, jnp.float32))
    mean = np.log(np.nanmean(squared_error) + 1e-6)
    start = {
        "level": jnp.full(squared_error.shape[1], mean, jnp.float32),
        "slope": jnp.zeros(conditions.shape[1]),
        "deviation": jnp.zeros((squared_error.shape[1], conditions.shape[1])),
    }
    keys = jax.random.split(jax.random.key(seed), n_steps)
    fitted = descend(start, errors, keys, loss=_parcel_surprise, optimiser=adam(learning_rate, n_steps))
    return _parcel_maps(fitted)


def _parcel_surprise(parameters: dict[str, Array], errors: _ParcelErrors, key: Array) -> Float[Array, ""]:
    chosen = jax.random.choice(key, len(errors.conditions), (_NOISE_VOLUMES_PER_STEP,))
    value = log_variance(errors.conditions[chosen], _parcel_maps(parameters))
    deviation = jnp.square(parameters["deviation"]).mean()
    return _surprise(value, errors.squared[chosen]) + _DEVIATION_PENALTY * deviation


def _parcel_maps(parameters: dict[str, Array]) -> Float[Array, "parcels noise"]:
    return jnp.concatenate([parameters["level"][:, None], parameters["slope"] + parameters["deviation"]], axis=1)
