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
from .examples import sample_voxels
from .explained import explained_share
from .fields import fit_field
from .held_out import fit_to_held_out
from .inputs import Inputs, inputs_of
from .local_path import LocalPath, fit_spread, solve_around
from .novelty import fit_novelty_axes
from .people import People, Person, examples_of
from .prior import fit_prior
from .ridge import Moments, accumulate, jackknife, joined, leading_maps

SPREAD_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
PENALTIES = (10.0, 100.0, 1000.0, 10_000.0, 100_000.0)
# Of what the best penalty explains; a stronger one that loses no more is preferred, as the selection people come from
# where the training people come from and cannot tell which details hold elsewhere.
_TOLERANCE = 0.05
# Of every recording, for the axes of the novelty score.
_NOVELTY_VOLUMES = 40
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
        ``penalty``, ``spread_penalty``, ``field_r2``, ``calibration``, ``reliability`` and ``caveats``.
    """
    network = NeuralField(config, rngs=nnx.Rngs(seed))
    fit_prior(network, people.training, seed)
    inputs = inputs_of(network)
    folds = fold_moments(inputs, people.training, config.n_members)
    total = joined(folds)
    logger.info("moments of %d volumes", total.n_volumes)
    penalties, weights = _select_penalties(network, inputs, total, people.selection)
    explained = fit_maps(network, total, weights, seed)
    logger.info("%s, field explains %.3f on held-out voxels", penalties, explained)
    _set_linear(network, folds, penalties)
    gram, n_volumes = _feature_moments(people.training)
    descriptions = [example.description for example in examples_of(people.training)]
    fit_novelty_axes(network.novelty, gram, n_volumes, descriptions)
    held_out = fit_to_held_out(network, people, seed)
    return network, {
        "penalty": penalties.single,
        "spread_penalty": penalties.spread,
        "field_r2": round(explained, 4),
        **held_out,
        "caveats": people.caveats,
    }


def fold_moments(inputs: Inputs, training: Sequence[Person], n_folds: int) -> list[Moments]:
    """Moments of at most ``n_folds`` groups of people; of one person, of stretches of time."""
    if len(training) == 1:
        return [accumulate(_stretches(inputs, training[0], fold, n_folds)) for fold in range(n_folds)]
    n_folds = min(n_folds, len(training))
    return [accumulate(_pairs(inputs, training[fold::n_folds])) for fold in range(n_folds)]


def _pairs(inputs: Inputs, people: Sequence[Person]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for example in examples_of(people):
        yield inputs(example), example.targets


def _stretches(inputs: Inputs, person: Person, index: int, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for states, targets in _pairs(inputs, [person]):
        stretch = np.array_split(np.arange(len(states)), count)[index]
        yield states[stretch], targets[stretch]


def _feature_moments(training: Sequence[Person]) -> tuple[Float[np.ndarray, "features features"], int]:
    """Second moments of the features of some volumes of every recording."""
    rows = []
    for example in examples_of(training):
        every = max(len(example.features) // _NOVELTY_VOLUMES, 1)
        rows.append(example.features[::every].astype(np.float32))
    stacked = np.concatenate(rows)
    return stacked.T @ stacked, len(stacked)


@dataclass(frozen=True)
class _Penalties:
    """Penalties on the spread of parcels to voxels, and on single weights around the local solution."""

    spread: float
    single: float


def _select_penalties(
    network: NeuralField, inputs: Inputs, total: Moments, selection: Sequence[Person]
) -> tuple[_Penalties, Float[np.ndarray, "inputs voxels"]]:
    """The penalties whose predictions explain most of the selection people's BOLD, and their weights."""
    to_parcels = _unit_streams(network)

    def spread(penalty: float) -> LocalPath:
        return LocalPath(to_parcels, fit_spread(total, to_parcels, penalty))

    def single(penalty: float) -> tuple[np.ndarray]:
        return (solve_around(total, local, penalty),)

    spread_penalty, local = _best("spread", SPREAD_PENALTIES, spread, inputs, selection)
    penalty, (weights,) = _best("single", PENALTIES, single, inputs, selection)
    return _Penalties(spread_penalty, penalty), weights


def _best(
    name: str,
    penalties: Sequence[float],
    fit: Callable[[float], Factors],
    inputs: Inputs,
    selection: Sequence[Person],
) -> tuple[float, Factors]:
    """The strongest penalty before the share explained falls notably, and the matrices fitted with it."""
    best, most = None, -np.inf
    for penalty in penalties:
        factors = fit(penalty)
        explained = explained_share(inputs, factors, selection)
        logger.info("%s penalty %g: %.5f of the variance explained", name, penalty, explained)
        if explained < most - _TOLERANCE * abs(most):
            break
        best, most = (penalty, factors), max(explained, most)
    if best is None:
        raise ValueError("no penalties to choose from")
    return best


def fit_maps(network: NeuralField, total: Moments, weights: Float[np.ndarray, "inputs voxels"], seed: int) -> float:
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
    to_parcels = _unit_streams(network)

    def fit(moments: Moments) -> Float[np.ndarray, "inputs maps"]:
        local = LocalPath(to_parcels, fit_spread(moments, to_parcels, penalties.spread))
        return solve_around(moments, local, penalties.single, to_coefficients)

    network.linear[...] = jnp.asarray(jackknife(folds, fit, network.config.n_members))


def _unit_streams(network: NeuralField) -> Float[np.ndarray, "inputs parcels"]:
    """The sum of all streams, in parcels: the band weights were fitted to make it the parcels' BOLD."""
    return np.tile(np.asarray(network.loadings[...]).T, (network.config.n_streams, 1))
