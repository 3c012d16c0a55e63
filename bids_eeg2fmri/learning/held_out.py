"""What is fitted to people that did not train the linear path: amplitude, novelty, noise and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..bold.grid import grey_fraction
from ..network.neuralfield import NeuralField
from .calibration import factors_by_parcel, level_multipliers
from .examples import Example, load_examples, sample_voxels
from .fields import fit_noise, fit_parcel_noise
from .gain import agreement, fit_gains
from .novelty import fit_novelty_scale
from .people import People, Person, examples_of
from .predict import Predicted, Predictor
from .reliability import fit_reliability

# Of the information's share and of the log strength: few people do not show how much they differ.
_LEAST_SD = np.array([0.05, 0.3])


def fit_to_held_out(network: NeuralField, people: People, seed: int = 0) -> dict[str, Any]:
    """Fit in place to the people who selected and calibrated; returns ``calibration`` and ``reliability``.

    The axes of the novelty score must be there.
    """
    network.voxel_factor[...] = jnp.ones_like(network.voxel_factor[...])
    network.parcel_factor[...] = jnp.ones_like(network.parcel_factor[...])
    fit_novelty_scale(network.novelty, examples_of(people.selection))
    fit_amplitude(network, people.selection)
    fit_aleatoric(network, people.selection, seed)
    calibration = calibrate(network, people.calibration)
    held_out = tuple(dict.fromkeys((*people.selection, *people.calibration)))
    return {
        "calibration": calibration,
        "reliability": fit_reliability(network.reliability, held_out, Predictor(network), seed),
    }


def fit_amplitude(network: NeuralField, selection: Sequence[Person]) -> None:
    """Set the gain as a function of the prediction's strength, and what information and strength usually are."""
    network.gain[...] = jnp.ones_like(network.gain[...])
    predict = Predictor(network)
    informed = nnx.jit(lambda model, facts: model.informed(facts))
    facts, recordings = [], []
    for example in examples_of(selection):
        predicted = predict(example)
        known = np.isfinite(example.targets)
        mean, target = predicted.mean[known], example.targets[known].astype(np.float32)
        facts.append((float(informed(network, example.facts)), predicted.strength))
        recordings.append(agreement(mean, target))
    strengths = np.array([strength for _, strength in facts])
    knots, gains = fit_gains(strengths, recordings, network.config.n_gains)
    network.gain_knots[...] = jnp.asarray(knots, jnp.float32)
    network.gain[...] = jnp.asarray(gains, jnp.float32)
    sd = np.maximum(np.std(facts, axis=0), _LEAST_SD)
    network.usual[...] = jnp.asarray(np.stack([np.mean(facts, axis=0), sd]), jnp.float32)


def fit_aleatoric(network: NeuralField, selection: Sequence[Person], seed: int = 0) -> None:
    """Fit the noise of voxels and parcels to the errors on the selection people.

    Voxels of which none of them has BOLD get the variance of BOLD itself.
    """
    coordinates, _ = sample_voxels()
    predict = Predictor(network)
    conditions, of_voxels, of_parcels = [], [], []
    for example in examples_of(selection):
        predicted = predict(example)
        error = np.square(example.targets.astype(np.float32) - predicted.mean) - predicted.epistemic
        conditions.append(predicted.conditions)
        of_voxels.append(np.maximum(error, 0).astype(np.float16))
        of_parcels.append(np.square(example.parcel_targets - predicted.parcel_mean))
    errors = np.concatenate(of_voxels)
    errors[:, np.isnan(errors).all(axis=0)] = 1
    inputs = np.concatenate(conditions)
    fit_noise(network.noise, coordinates, grey_fraction(coordinates), inputs, errors, seed=seed)
    network.parcel_noise[...] = fit_parcel_noise(inputs, np.concatenate(of_parcels), seed=seed)


def calibrate(network: NeuralField, calibration: Sequence[Person]) -> dict[str, Any]:
    """Set the factors on the sd; returns the half-widths of the intervals in units of the calibrated sd."""
    _, labels = sample_voxels()
    n_parcels = network.config.n_parcels
    predict = Predictor(network)
    of_voxels, of_parcels = [], []
    for person in calibration:
        errors = [_standardised_errors(example, predict(example)) for example in load_examples(*person)]
        voxels, parcels = (np.concatenate(part) for part in zip(*errors, strict=True))
        of_voxels.append(voxels)
        of_parcels.append(parcels)
    voxel_factor = factors_by_parcel(of_voxels, labels, n_parcels + 1)
    parcel_factor = factors_by_parcel(of_parcels, np.arange(n_parcels), n_parcels)
    network.voxel_factor[...] = network.voxel_factor[...] * jnp.asarray(voxel_factor)
    network.parcel_factor[...] = network.parcel_factor[...] * jnp.asarray(parcel_factor)
    # The sd is proportional to its factor: nothing has to be predicted again.
    return {
        "voxels": level_multipliers([errors / voxel_factor[labels] for errors in of_voxels]),
        "parcels": level_multipliers([errors / parcel_factor for errors in of_parcels]),
    }


def _standardised_errors(example: Example, predicted: Predicted) -> tuple[np.ndarray, np.ndarray]:
    """Errors of voxels and of parcels in units of the sd."""
    voxels = (example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd
    return voxels, (example.parcel_targets - predicted.parcel_mean) / predicted.parcel_sd
