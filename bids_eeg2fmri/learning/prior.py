"""What the posterior of the slow state assumes: patterns of parcels, and what the evidence of every lag and band says.

The patterns are the principal components of the training people's BOLD. The few weights and precisions are what
minimises the squared error of the posterior mean, by gradient descent through the posterior itself. A small penalty
draws weights towards zero and precisions towards where they start: what hardly lowers the error in the training people
is a habit of theirs, and people who come from elsewhere need not share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..evaluation.baselines import FIXED_SIGNS
from ..network.neuralfield import NeuralField
from .descent import adam, descend
from .examples import Example
from .people import Person, examples_of

_N_RECORDINGS = 96
_VOLUMES_PER_RECORDING = 96
_N_STEPS = 120
_LEARNING_RATE = 0.1
# Where the descent starts: the share of each response of the bank, and of the prior's precision.
_FIRST_LAGS = (0.5, 1.0, 0.3, -0.2)
_FIRST_WEIGHT, _FIRST_PRECISION = 0.1, 0.1
# On the squares of standardised weights, and of the precisions' logarithms less their first.
_WEIGHT_PENALTY, _PRECISION_PENALTY = 3e-3, 1e-3


class _Batch(NamedTuple):
    """Some volumes of every recording, in the coordinates of the patterns."""

    evidence: Float[Array, "recordings volumes lags states bands"]
    information: Float[Array, "recordings bands states states"]
    targets: Float[Array, "recordings volumes parcels"]


class _Task(NamedTuple):
    """What the descent needs: the batch, the patterns, and the size of evidence and information of every band."""

    batch: _Batch
    loadings: Float[Array, "parcels states"]
    scale: Float[Array, " bands"]
    level: Float[Array, " bands"]


def fit_prior(network: NeuralField, training: Sequence[Person], seed: int = 0) -> None:
    """Set loadings, band weights and precisions of a network in place.

    Parameters
    ----------
    network
        Any; what it has of these is not looked at.
    training
        Files of the people; parcels of which nobody has BOLD get no loadings.
    seed
        Decides which volumes are looked at.
    """
    loadings = _principal_patterns(training, network.config.n_states)
    network.loadings[...] = jnp.asarray(loadings)
    batch = _gather(network, training, loadings, np.random.default_rng([0x9A10, seed]))
    scale = jnp.sqrt(jnp.square(batch.evidence).mean(axis=(0, 1, 2, 3))) + 1e-12
    level = jnp.trace(batch.information.mean(axis=0), axis1=1, axis2=2) / loadings.shape[1] + 1e-12
    lags = np.resize(_FIRST_LAGS, len(network.config.peaks_s))
    start = {
        "weights": jnp.asarray(_FIRST_WEIGHT * np.outer(lags, FIXED_SIGNS), jnp.float32),
        "log_precision": jnp.full(len(level), np.log(_FIRST_PRECISION), jnp.float32),
    }
    task = _Task(batch, jnp.asarray(loadings), scale, level)
    optimiser = adam(_LEARNING_RATE, _N_STEPS)
    fitted = descend(start, task, jnp.arange(_N_STEPS), loss=_error, optimiser=optimiser)
    network.band_weights[...] = fitted["weights"] / scale
    network.log_precision[...] = fitted["log_precision"] - jnp.log(level)


def _principal_patterns(training: Sequence[Person], n_states: int) -> Float[np.ndarray, "parcels states"]:
    """Principal components of the parcels' BOLD, scaled to their standard deviations less that of noise."""
    total: np.ndarray | None = None
    n_volumes = 0
    for example in examples_of(training):
        targets = np.nan_to_num(example.parcel_targets)
        square = targets.T @ targets
        total = square if total is None else total + square
        n_volumes += len(targets)
    if total is None:
        raise ValueError("nobody to learn from")
    values, vectors = np.linalg.eigh(total.astype(np.float64) / n_volumes)
    noise = np.median(values[: len(values) // 2])
    kept = slice(len(values) - n_states, None)
    return (vectors[:, kept] * np.sqrt(np.maximum(values[kept] - noise, 0))).astype(np.float32)


def _gather(
    network: NeuralField,
    training: Sequence[Person],
    loadings: Float[np.ndarray, "parcels states"],
    rng: np.random.Generator,
) -> _Batch:
    every = max(len(training) // _N_RECORDINGS, 1)
    rows = [_row(network, example, loadings, rng) for example in examples_of(training[::every])]
    chosen = rng.permutation(len(rows))[:_N_RECORDINGS]
    return _Batch(*(jnp.asarray(np.stack(part)) for part in zip(*(rows[index] for index in chosen), strict=True)))


def _row(
    network: NeuralField, example: Example, loadings: Float[np.ndarray, "parcels states"], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    config = network.config
    # With replacement: recordings are of any length, and the batch has one shape.
    chosen = rng.integers(len(example.features), size=_VOLUMES_PER_RECORDING)
    shape = (len(chosen), len(config.peaks_s), config.n_parcels, config.n_bands)
    evidence = example.features[chosen].astype(np.float32).reshape(shape) * example.facts.amplitude
    by_state = np.einsum("vlpb,ps->vlsb", evidence, loadings, optimize=True)
    information = np.einsum("pr,bpq,qs->brs", loadings, example.facts.information, loadings, optimize=True)
    return by_state, information, example.parcel_targets[chosen]


def _error(parameters: dict[str, Array], task: _Task, _: Array) -> Float[Array, ""]:
    """Mean squared error of the posterior means, and the penalties."""
    known = jnp.isfinite(task.batch.targets)
    targets = jnp.where(known, task.batch.targets, 0)
    eye = jnp.eye(task.loadings.shape[1])

    def one(recording: tuple[Array, ...]) -> Array:
        evidence, information, target, counted = recording
        weighted = jnp.einsum("vlsb,lb->vs", evidence, parameters["weights"] / task.scale)
        precision = eye + jnp.einsum("brs,b->rs", information, jnp.exp(parameters["log_precision"]) / task.level)
        states = jax.scipy.linalg.solve(precision, weighted.T, assume_a="pos").T
        return (jnp.square(states @ task.loadings.T - target) * counted).sum()

    squared = jax.lax.map(one, (*task.batch[:2], targets, known)).sum() / known.sum()
    moved = parameters["log_precision"] - np.log(_FIRST_PRECISION)
    penalty = _WEIGHT_PENALTY * jnp.square(parameters["weights"]).sum()
    return squared + penalty + _PRECISION_PENALTY * jnp.square(moved).sum()
