"""The story of a training: linear path, maps, noise, calibration, novelty."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float

from ..bold.grid import grey_fraction
from ..network.neuralfield import NeuralField, NeuralFieldConfig
from ..synthesis.grid_maps import evaluate_fields
from .calibration import factors_by_parcel, level_multipliers
from .examples import Example, load_examples, parcel_means, sample_voxels
from .fields import fit_field, fit_noise
from .gain import fit_gain
from .local_path import fit_local_path, solve_around
from .novelty import fit_novelty
from .predict import Predicted, Predictor
from .ridge import Moments, accumulate, jackknife, joined, leading_maps

PENALTIES = (10.0, 100.0, 1000.0, 10_000.0)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class People:
    """Files of simulated people, one each; the three groups share nobody.

    Attributes
    ----------
    training
        Fit the linear path and the maps.
    selection
        Choose the penalty, set the novelty score and fit the noise.
    calibration
        Set the factors on the predictive sd.
    """

    training: Sequence[Path]
    selection: Sequence[Path]
    calibration: Sequence[Path]


def fit_neuralfield(people: People, config: NeuralFieldConfig, seed: int = 0) -> tuple[NeuralField, dict[str, Any]]:
    """Train a network; returns it with what its description must say (penalty, calibration, field fit)."""
    network = NeuralField(config, rngs=nnx.Rngs(seed))
    _set_caps(network, people.training)
    folds = [accumulate(_pairs(people.training[fold :: config.n_members])) for fold in range(config.n_members)]
    total = joined(folds)
    logger.info("moments of %d volumes", total.n_volumes)
    penalty, weights = _select_penalty(total, people.selection)
    maps = leading_maps(total, weights, config.n_maps)
    explained = _fit_maps(network, total, weights, maps, seed)
    logger.info("penalty %g, field explains %.3f on held-out voxels", penalty, explained)
    _set_linear(network, folds, penalty)
    _fit_gain(network, people.selection)
    profiles = np.stack([example.profile for path in people.training for example in load_examples(path)])
    held_out = [example for path in people.selection for example in load_examples(path)]
    fit_novelty(network.novelty, total.gram, total.n_volumes, profiles, held_out)
    _fit_noise(network, people.selection, seed)
    calibration = _calibrate(network, people.calibration)
    return network, {"penalty": penalty, "field_r2": round(explained, 4), "calibration": calibration}


def _pairs(paths: Sequence[Path]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for path in paths:
        for example in load_examples(path):
            yield example.features, example.targets


def _set_caps(network: NeuralField, paths: Sequence[Path]) -> None:
    """Axes along which caps differ in how well they see the parcels, scaled to unit sd over the training caps."""
    log_resolution = np.log(np.stack([example.resolution for path in paths for example in load_examples(path)]))
    mean = log_resolution.mean(axis=0)
    _, strength, axes = np.linalg.svd(log_resolution - mean, full_matrices=False)
    count = network.config.n_cap_axes
    sd = strength[:count] / np.sqrt(len(log_resolution) - 1)
    network.cap_mean[...] = jnp.asarray(mean)
    network.cap_axes[...] = jnp.asarray(axes[:count].T / sd)


def _select_penalty(total: Moments, selection: Sequence[Path]) -> tuple[float, Float[np.ndarray, "features voxels"]]:
    """The penalty with the smallest squared error on the selection people, and its weights."""
    local = fit_local_path(total, parcel_means(sample_voxels()[1]))
    choices = []
    for penalty in PENALTIES:
        weights = solve_around(total, local, penalty)
        errors = [np.square(x.astype(np.float32) @ weights - y).mean(dtype=np.float64) for x, y in _pairs(selection)]
        logger.info("penalty %g: error %.4f", penalty, np.mean(errors))
        choices.append((float(np.mean(errors)), penalty, weights))
        if choices[-1][0] > min(choice[0] for choice in choices):
            break
    _, penalty, weights = min(choices, key=lambda choice: choice[0])
    return penalty, weights


def _fit_maps(
    network: NeuralField,
    total: Moments,
    weights: Float[np.ndarray, "features voxels"],
    maps: Float[np.ndarray, "voxels maps"],
    seed: int,
) -> float:
    coordinates, _ = sample_voxels()
    scale = np.sqrt(len(maps))
    small = weights @ maps
    importance = np.einsum("fr,fr->r", small, total.gram @ small) / total.n_volumes
    return fit_field(network.field, coordinates, grey_fraction(coordinates), scale * maps, importance, seed=seed)


def _set_linear(network: NeuralField, folds: Sequence[Moments], penalty: float) -> None:
    """Members of the linear path for the maps as the field renders them."""
    rendered, _ = evaluate_fields(network, sample_voxels()[0])
    to_coefficients = rendered @ np.linalg.inv(rendered.T @ rendered)
    averages = parcel_means(sample_voxels()[1])

    def fit(moments: Moments) -> Float[np.ndarray, "features maps"]:
        return solve_around(moments, fit_local_path(moments, averages), penalty, to_coefficients)

    network.linear[...] = jnp.asarray(jackknife(folds, fit))


def _fit_gain(network: NeuralField, selection: Sequence[Path]) -> None:
    predict = Predictor(network)
    examples = (example for path in selection for example in load_examples(path))
    pairs = ((predict(example).mean, example.targets.astype(np.float32)) for example in examples)
    network.gain[...] = jnp.asarray(fit_gain(pairs), jnp.float32)


def _errors(
    network: NeuralField, paths: Sequence[Path], use: Callable[[Example, Predicted], np.ndarray]
) -> list[np.ndarray]:
    """Something of every example's prediction, joined per person."""
    predict = Predictor(network)
    return [np.concatenate([use(example, predict(example)) for example in load_examples(path)]) for path in paths]


def _fit_noise(network: NeuralField, selection: Sequence[Path], seed: int) -> None:
    coordinates, _ = sample_voxels()
    predict = Predictor(network)
    conditions, squared = [], []
    for path in selection:
        for example in load_examples(path):
            predicted = predict(example)
            error = np.square(example.targets.astype(np.float32) - predicted.mean) - predicted.epistemic
            conditions.append(predicted.conditions)
            squared.append(np.maximum(error, 0).astype(np.float16))
    fit_noise(
        network.noise,
        coordinates,
        grey_fraction(coordinates),
        np.concatenate(conditions),
        np.concatenate(squared),
        seed=seed,
    )


def _calibrate(network: NeuralField, calibration: Sequence[Path]) -> dict[str, Any]:
    _, labels = sample_voxels()
    n_parcels = network.config.n_parcels

    def standardised(example: Example, predicted: Predicted) -> np.ndarray:
        return (example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd

    def standardised_parcels(example: Example, predicted: Predicted) -> np.ndarray:
        return (example.parcel_targets - predicted.parcel_mean) / predicted.parcel_sd

    voxel_errors = _errors(network, calibration, standardised)
    parcel_errors = _errors(network, calibration, standardised_parcels)
    network.voxel_factor[...] = jnp.asarray(factors_by_parcel(voxel_errors, labels, n_parcels + 1))
    network.parcel_factor[...] = jnp.asarray(factors_by_parcel(parcel_errors, np.arange(n_parcels), n_parcels))
    return {
        "voxels": level_multipliers(_errors(network, calibration, standardised)),
        "parcels": level_multipliers(_errors(network, calibration, standardised_parcels)),
    }
