"""The story of a training: linear path, maps, and what people held out say about them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float

from ..bold.grid import grey_fraction
from ..network.neuralfield import NeuralField, NeuralFieldConfig
from ..synthesis.grid_maps import evaluate_fields
from .examples import parcel_means, sample_voxels
from .explained import explained_share
from .fields import fit_field
from .held_out import fit_to_held_out
from .local_path import LocalPath, fit_local_path, fit_shared_weights, fit_spread, solve_around
from .novelty import fit_novelty_axes
from .people import People, Person, examples_of
from .ridge import Moments, accumulate, jackknife, joined, leading_maps

SPREAD_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
PENALTIES = (10.0, 100.0, 1000.0, 10_000.0, 100_000.0)
# Of the norm of log resolution: caps that differ by less are one cap.
_LEAST_CAP_SD = 0.2
logger = logging.getLogger(__name__)
Factors = TypeVar("Factors", bound=tuple[np.ndarray, ...])


def fit_neuralfield(people: People, config: NeuralFieldConfig, seed: int = 0) -> tuple[NeuralField, dict[str, Any]]:
    """Train a network; returns it with what its description must say.

    Two people are enough to run, not to be good; what they do not permit is in the description's ``caveats``.
    Voxels of which nobody has BOLD are predicted as their mean, with the sd of BOLD itself.

    Parameters
    ----------
    people
        Files of simulated or recorded people.
    config
        Hyper-parameters.
    seed
        Decides the fields' initial weights and every drawn number: the same people and seed give the same network.

    Returns
    -------
    network
        Fitted and calibrated.
    description
        ``penalty``, ``spread_penalty``, ``field_r2``, ``calibration`` and ``caveats``.
    """
    network = NeuralField(config, rngs=nnx.Rngs(seed))
    _set_caps(network, people.training)
    folds = fold_moments(people.training, config.n_members)
    total = joined(folds)
    logger.info("moments of %d volumes", total.n_volumes)
    penalties, weights = _select_penalties(total, people.selection)
    explained = fit_maps(network, total, weights, seed)
    logger.info("%s, field explains %.3f on held-out voxels", penalties, explained)
    _set_linear(network, folds, penalties)
    profiles = np.stack([example.profile for example in examples_of(people.training)])
    fit_novelty_axes(network.novelty, total.gram, total.n_volumes, profiles)
    calibration = fit_to_held_out(network, people, seed)
    return network, {
        "penalty": penalties.single,
        "spread_penalty": penalties.spread,
        "field_r2": round(explained, 4),
        "calibration": calibration,
        "caveats": people.caveats,
    }


def fold_moments(training: Sequence[Person], n_folds: int) -> list[Moments]:
    """Moments of at most ``n_folds`` groups of people; of one person, of stretches of time."""
    if len(training) == 1:
        return [accumulate(_stretches(training[0], fold, n_folds)) for fold in range(n_folds)]
    n_folds = min(n_folds, len(training))
    return [accumulate(_pairs(training[fold::n_folds])) for fold in range(n_folds)]


def _pairs(people: Sequence[Person]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for example in examples_of(people):
        yield example.features, example.targets


def _stretches(person: Person, index: int, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for features, targets in _pairs([person]):
        stretch = np.array_split(np.arange(len(features)), count)[index]
        yield features[stretch], targets[stretch]


def _set_caps(network: NeuralField, people: Sequence[Person]) -> None:
    """Axes along which caps differ in how well they see the parcels, scaled to unit sd over the training caps.

    Axes along which they do not differ stay empty.
    """
    log_resolution = np.log(np.stack([example.resolution for example in examples_of(people)]))
    mean = log_resolution.mean(axis=0)
    _, strength, axes = np.linalg.svd(log_resolution - mean, full_matrices=False)
    count = min(network.config.n_cap_axes, len(strength))
    sd = strength[:count] / np.sqrt(max(len(log_resolution) - 1, 1))
    scaled = np.zeros(network.cap_axes.shape, np.float32)
    scaled[:, :count] = np.where(sd > _LEAST_CAP_SD, axes[:count].T / np.maximum(sd, _LEAST_CAP_SD), 0)
    network.cap_mean[...] = jnp.asarray(mean)
    network.cap_axes[...] = jnp.asarray(scaled)


@dataclass(frozen=True)
class _Penalties:
    """Penalties on the spread of parcels to voxels, and on single weights around the local solution."""

    spread: float
    single: float


def _select_penalties(
    total: Moments, selection: Sequence[Person]
) -> tuple[_Penalties, Float[np.ndarray, "features voxels"]]:
    """The penalties whose predictions explain most of the selection people's BOLD, and their weights."""
    to_parcels = fit_shared_weights(total, parcel_means(sample_voxels()[1]))

    def spread(penalty: float) -> LocalPath:
        return LocalPath(to_parcels, fit_spread(total, to_parcels, penalty))

    def single(penalty: float) -> tuple[np.ndarray]:
        return (solve_around(total, local, penalty),)

    spread_penalty, local = _best("spread", SPREAD_PENALTIES, spread, selection)
    penalty, (weights,) = _best("single", PENALTIES, single, selection)
    return _Penalties(spread_penalty, penalty), weights


def _best(
    name: str, penalties: Sequence[float], fit: Callable[[float], Factors], selection: Sequence[Person]
) -> tuple[float, Factors]:
    """The last penalty before the share explained falls, and the matrices fitted with it."""
    best, most = None, -np.inf
    for penalty in penalties:
        factors = fit(penalty)
        explained = explained_share(factors, selection)
        logger.info("%s penalty %g: %.5f of the variance explained", name, penalty, explained)
        if explained <= most:
            break
        best, most = (penalty, factors), explained
    if best is None:
        raise ValueError("no penalties to choose from")
    return best


def fit_maps(network: NeuralField, total: Moments, weights: Float[np.ndarray, "features voxels"], seed: int) -> float:
    """Fit the field to the maps that hold most of what ``weights`` predict; returns the share explained elsewhere."""
    coordinates, _ = sample_voxels()
    maps = leading_maps(total, weights, network.config.n_maps)
    scale = np.sqrt(len(maps))
    small = weights @ maps
    importance = np.einsum("fr,fr->r", small, total.gram @ small) / total.n_volumes
    return fit_field(network.field, coordinates, grey_fraction(coordinates), scale * maps, importance, seed=seed)


def rendered_maps(
    network: NeuralField,
) -> tuple[Float[np.ndarray, "voxels maps"], Float[np.ndarray, "voxels maps"]]:
    """Maps at the sample voxels, and what takes voxels to coefficients by least squares."""
    rendered, _ = evaluate_fields(network, sample_voxels()[0])
    return rendered, rendered @ np.linalg.inv(rendered.T @ rendered)


def _set_linear(network: NeuralField, folds: Sequence[Moments], penalties: _Penalties) -> None:
    """Members of the linear path for the maps as the field renders them."""
    _, to_coefficients = rendered_maps(network)
    averages = parcel_means(sample_voxels()[1])

    def fit(moments: Moments) -> Float[np.ndarray, "features maps"]:
        local = fit_local_path(moments, averages, penalties.spread)
        return solve_around(moments, local, penalties.single, to_coefficients)

    network.linear[...] = jnp.asarray(jackknife(folds, fit, network.config.n_members))
