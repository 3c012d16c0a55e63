"""How much of its amplitude a prediction keeps for people that the linear path did not see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

# Recordings per knot: fewer give one gain for all.
_RECORDINGS_PER_KNOT = 4
# Draws the gains towards the common one; in shares of a knot's own part of the energy.
_PRIOR = 0.25


class Agreement(NamedTuple):
    """Inner product of a recording's prediction and target, and of the prediction with itself."""

    with_target: float
    energy: float


def fit_gains(
    strengths: Float[np.ndarray, " recordings"], recordings: Sequence[Agreement], n_knots: int
) -> tuple[Float[np.ndarray, " knots"], Float[np.ndarray, " knots"]]:
    """The factor on predictions, piecewise linear in their strength, that makes the squared error smallest.

    Predictions that point the wrong way, or nowhere, get zero: they are turned off, not around.

    Parameters
    ----------
    strengths
        How strong the prediction of every recording is.
    recordings
        How well it agrees with the target.
    n_knots
        How many gains; few recordings share one.

    Returns
    -------
    Increasing strengths, and the gain at each; between them it is interpolated, beyond them it stays.
    """
    if not recordings:
        raise ValueError("no recordings to learn from")
    low, high = np.quantile(strengths, [0.02, 0.98])
    knots = np.linspace(low, max(high, low + 1e-2 * n_knots), n_knots)
    with_target, energy = np.array(recordings).T
    common = max(with_target.sum(), 0.0) / energy.sum() if energy.sum() > 0 else 0.0
    if len(recordings) < _RECORDINGS_PER_KNOT * n_knots:
        return knots, np.full(n_knots, common)
    shares = np.stack([np.interp(strengths, knots, one) for one in np.eye(n_knots)], axis=1)
    # Non-negative least squares of shares @ gain, by way of square roots of the energies.
    root = np.sqrt(np.maximum(energy, 1e-12))
    prior = np.sqrt(_PRIOR * np.maximum(energy @ shares, 1e-12))
    design = np.concatenate([root[:, None] * shares, np.diag(prior)])
    gains, _ = nnls(design, np.concatenate([with_target / root, prior * common]))
    return knots, gains


def fit_gain(recordings: Iterable[tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]]) -> float:
    """The one factor on predictions that makes their squared error over all recordings smallest; never negative.

    Parameters
    ----------
    recordings
        Prediction and target of every recording.
    """
    agreements = [agreement(predicted, target) for predicted, target in recordings]
    if not agreements:
        raise ValueError("no recordings to learn from")
    with_target, energy = np.sum(agreements, axis=0)
    return float(max(with_target, 0.0) / energy) if energy > 0 else 0.0


def agreement(predicted: Float[np.ndarray, "*shape"], target: Float[np.ndarray, "*shape"]) -> Agreement:
    """How a recording's prediction agrees with its target."""
    return Agreement(
        float((predicted * target).sum(dtype=np.float64)), float(np.square(predicted).sum(dtype=np.float64))
    )
