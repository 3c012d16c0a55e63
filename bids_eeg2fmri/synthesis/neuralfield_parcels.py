"""Parcels' means as ``neuralfield`` predicts them: the coefficients on maps that are averaged over each parcel."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..bold.parcellation import Overlap
from ..network.neuralfield import NeuralField, log_variance
from ..network.recording_facts import RecordingFacts
from .grid_maps import GridMaps
from .parcel_forecast import ParcelForecast, combined_correlation, combined_sd, error_correlation


def forecast_of_neuralfield(
    network: NeuralField,
    maps: GridMaps,
    lying: Overlap,
    facts: RecordingFacts,
    coefficients: Float[np.ndarray, "members volumes maps"],
    conditions: Float[np.ndarray, "volumes conditions"],
    widening: Float[np.ndarray, " volumes"],
) -> ParcelForecast:
    """Predictive distribution of parcels' means.

    Parameters
    ----------
    network, maps
        The network and its maps on the grid.
    lying
        Where the parcels lie on this grid.
    facts
        The recording's.
    coefficients, conditions, widening
        Of every volume, as :func:`.render.render` takes them.
    """
    n_members = len(coefficients)
    voxels = maps.voxels
    mean_maps = lying.averaging @ np.asarray(voxels.mean)[: maps.n_voxels]
    voxel_factor = lying.averaging @ np.asarray(voxels.factor)[: maps.n_voxels]
    voxel_noise = lying.averaging @ np.asarray(voxels.noise)[: maps.n_voxels]
    parcel_factor = np.asarray(network.parcel_factor[...])
    factor = lying.share[:, 1:] @ parcel_factor + lying.share[:, 0] * voxel_factor
    parcel_sd = _sd(conditions, np.asarray(network.parcel_noise[...])) * parcel_factor
    voxel_sd = _sd(conditions, voxel_noise) * voxel_factor
    between = error_correlation(np.asarray(posterior_covariance(network, facts)))
    sd = combined_sd(lying, parcel_sd, voxel_sd, between)
    mean = coefficients.mean(axis=0)
    deviations = (coefficients - mean) @ mean_maps.T / np.sqrt(max(n_members - 1, 1))
    return ParcelForecast(
        mean_z=(mean @ mean_maps.T).astype(np.float32),
        aleatoric_sd_z=(sd * widening[:, None]).astype(np.float32),
        deviations_z=(deviations * factor * widening[:, None]).astype(np.float32),
        correlation=combined_correlation(lying, _typical(parcel_sd), _typical(sd), between),
    )


@nnx.jit
def posterior_covariance(network: NeuralField, facts: RecordingFacts) -> Float[Array, "bundled bundled"]:
    """:meth:`.NeuralField.posterior_covariance`, compiled."""
    return network.posterior_covariance(facts)


def _sd(
    conditions: Float[np.ndarray, "volumes conditions"], noise: Float[np.ndarray, "parcels noise"]
) -> Float[np.ndarray, "volumes parcels"]:
    return np.exp(0.5 * np.asarray(log_variance(jnp.asarray(conditions), jnp.asarray(noise))))


def _typical(sd: Float[np.ndarray, "volumes parcels"]) -> Float[np.ndarray, " parcels"]:
    return np.sqrt(np.square(sd).mean(axis=0))
