"""What is fitted to people that did not train the linear path: amplitude, novelty, noise and calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..bold.grid import grey_fraction
from ..network.neuralfield import NeuralField
from .calibration import factors_by_parcel, level_multipliers
from .examples import Example, load_examples, sample_voxels
from .fields import fit_noise
from .gain import fit_gain
from .novelty import fit_novelty_scale
from .people import People, Person, examples_of
from .predict import Predicted, Predictor


def fit_to_held_out(network: NeuralField, people: People, seed: int = 0) -> dict[str, Any]:
    """Fit in place to the people who selected and calibrated; returns the half-widths of the intervals.

    The axes of the novelty score must be there.
    """
    network.voxel_factor[...] = jnp.ones_like(network.voxel_factor[...])
    network.parcel_factor[...] = jnp.ones_like(network.parcel_factor[...])
    fit_amplitude(network, people.selection)
    fit_novelty_scale(network.novelty, examples_of(people.selection))
    fit_aleatoric(network, people.selection, seed)
    return calibrate(network, people.calibration)


def fit_amplitude(network: NeuralField, selection: Sequence[Person]) -> None:
    """Set the gain."""
    predict = Predictor(network)

    def pairs(example: Example) -> tuple[np.ndarray, np.ndarray]:
        known = np.isfinite(example.targets)
        return predict(example).mean[known], example.targets[known].astype(np.float32)

    network.gain[...] = jnp.asarray(fit_gain(pairs(example) for example in examples_of(selection)), jnp.float32)


def fit_aleatoric(network: NeuralField, selection: Sequence[Person], seed: int = 0) -> None:
    """Fit the noise field to the errors on the selection people.

    Voxels of which none of them has BOLD get the variance of BOLD itself.
    """
    coordinates, _ = sample_voxels()
    predict = Predictor(network)
    conditions, squared = [], []
    for example in examples_of(selection):
        predicted = predict(example)
        error = np.square(example.targets.astype(np.float32) - predicted.mean) - predicted.epistemic
        conditions.append(predicted.conditions)
        squared.append(np.maximum(error, 0).astype(np.float16))
    errors = np.concatenate(squared)
    errors[:, np.isnan(errors).all(axis=0)] = 1
    fit_noise(network.noise, coordinates, grey_fraction(coordinates), np.concatenate(conditions), errors, seed=seed)


def calibrate(network: NeuralField, calibration: Sequence[Person]) -> dict[str, Any]:
    """Set the factors on the sd; returns the half-widths of the intervals in units of the calibrated sd."""
    _, labels = sample_voxels()
    n_parcels = network.config.n_parcels

    def voxels(example: Example, predicted: Predicted) -> np.ndarray:
        return (example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd

    def parcels(example: Example, predicted: Predicted) -> np.ndarray:
        return (example.parcel_targets - predicted.parcel_mean) / predicted.parcel_sd

    voxel_factor = factors_by_parcel(_errors(network, calibration, voxels), labels, n_parcels + 1)
    parcel_factor = factors_by_parcel(_errors(network, calibration, parcels), np.arange(n_parcels), n_parcels)
    network.voxel_factor[...] = network.voxel_factor[...] * jnp.asarray(voxel_factor)
    network.parcel_factor[...] = network.parcel_factor[...] * jnp.asarray(parcel_factor)
    return {
        "voxels": level_multipliers(_errors(network, calibration, voxels)),
        "parcels": level_multipliers(_errors(network, calibration, parcels)),
    }


def _errors(
    network: NeuralField, people: Sequence[Person], use: Callable[[Example, Predicted], np.ndarray]
) -> list[np.ndarray]:
    """Something of every example's prediction, joined per person."""
    predict = Predictor(network)
    return [np.concatenate([use(example, predict(example)) for example in load_examples(*person)]) for person in people]
