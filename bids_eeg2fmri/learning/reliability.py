"""Measure the reliability atlas on people held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float

from ..bold.grid import grey_fraction
from ..network.reliability import GROUPS, Reliability, group_of
from .examples import Example, load_examples, sample_voxels
from .fields import fit_field, fit_noise
from .people import Person
from .predict import Predicted

N_STEPS = 800
# Fewer volumes say next to nothing about a correlation.
_LEAST_VOLUMES = 20
_LARGEST_R = 0.999
_GREY = 0.5
# Of the length of a recording, far from where it was.
_SHIFTS = (0.25, 0.4, 0.6, 0.75)


class _Measured(NamedTuple):
    """A person's recordings with caps of one group: the mean of Fisher's z, and of the log number of electrodes."""

    group: int
    z: Float[np.ndarray, " voxels"]
    log_electrodes: float
    sampling: float


def fit_reliability(
    reliability: Reliability,
    people: Sequence[Person],
    predict: Callable[[Example], Predicted],
    seed: int = 0,
    n_steps: int = N_STEPS,
) -> list[dict[str, Any]]:
    """Fit the atlas in place to the correlations of people that the linear path did not see.

    Correlations are with the BOLD as measured, noise and all: the only ones that real data have, and smaller than
    those with what the BOLD would be without noise.

    Parameters
    ----------
    reliability
        The module to set.
    people
        Files of the people; somebody named twice counts once.
    predict
        A :class:`~.predict.Predictor` of the network.
    seed
        Decides which voxels are looked at in which step.
    n_steps
        Steps of each fit.

    Returns
    -------
    list
        For each group of caps that people had: ``electrodes``, ``people``, ``mean_electrodes``, and of grey matter
        ``mean_r`` and ``share_interpretable``, the share whose ``lower`` is above zero.
    """
    measured = [each for person in dict.fromkeys(people) for each in _measure(person, predict)]
    if not measured:
        raise ValueError("nobody to measure on")
    of_group = [[each for each in measured if each.group == group] for group in range(len(GROUPS))]
    counts = np.array([len(members) for members in of_group], np.float32)
    sizes = [np.exp(np.mean([each.log_electrodes for each in members])) if members else 1.0 for members in of_group]
    reliability.n_people[...] = jnp.asarray(counts)
    sampling = [np.mean([each.sampling for each in members]) if members else 0.0 for members in of_group]
    reliability.sampling[...] = jnp.asarray(sampling, jnp.float32)
    reliability.n_electrodes[...] = jnp.asarray(sizes, jnp.float32)
    coordinates, _ = sample_voxels()
    grey = grey_fraction(coordinates)
    moments = [_moments([each.z for each in members], len(grey)) for members in of_group]
    means = np.stack([mean for mean, _ in moments], axis=1)
    fit_field(reliability.mean, coordinates, grey, means, (counts > 0).astype(float), n_steps=n_steps, seed=seed)
    conditions = np.repeat(np.eye(len(GROUPS), dtype=np.float32), counts.astype(int), axis=0)
    squared = np.concatenate([deviations for _, deviations in moments])
    squared[:, np.isnan(squared).all(axis=0)] = 1
    # The fit moves slowly in the logarithm: it begins at the level that it is to find the pattern around.
    level = np.log(np.nanmean(squared))
    reliability.log_variance.maps.bias = nnx.Param(jnp.zeros(1 + len(GROUPS)).at[0].set(level))
    fit_noise(reliability.log_variance, coordinates, grey, conditions, squared, n_steps=n_steps, seed=seed)
    return _described(reliability, coordinates, grey)


def _measure(person: Person, predict: Callable[[Example], Predicted]) -> Iterator[_Measured]:
    """A person's mean for every group of caps that their recordings were made with."""
    of_group: dict[int, list[_Measured]] = defaultdict(list)
    for example in load_examples(*person):
        group = group_of(example.n_channels)
        predicted, targets = predict(example).mean, example.targets.astype(np.float32)
        z, size = fisher_z(predicted, targets), float(np.log(example.n_channels))
        of_group[group].append(_Measured(group, z, size, sampling_variance(predicted, targets)))
    for group, several in of_group.items():
        z = _mean_over_known(np.stack([each.z for each in several]))
        size = float(np.mean([each.log_electrodes for each in several]))
        yield _Measured(group, z, size, float(np.mean([each.sampling for each in several])) / len(several))


def sampling_variance(
    predicted: Float[np.ndarray, "volumes voxels"], targets: Float[np.ndarray, "volumes voxels"]
) -> float:
    """Variance of Fisher's z where there is nothing to find: the prediction is shifted around in time.

    Series keep their autocorrelations, which make it larger than that of independent volumes, 1 / (n - 3).
    """
    shifts = (np.array(_SHIFTS) * len(predicted)).astype(int)
    squares = [np.nanmean(np.square(fisher_z(np.roll(predicted, shift, axis=0), targets))) for shift in shifts]
    return float(np.nan_to_num(np.mean(squares)))


def fisher_z(
    predicted: Float[np.ndarray, "volumes voxels"], targets: Float[np.ndarray, "volumes voxels"]
) -> Float[np.ndarray, " voxels"]:
    """Fisher's z of the correlation over the volumes that have a target.

    Zero where the prediction is constant: it says nothing. NaN where the target is, or has fewer than 20 volumes.
    """
    known = np.isfinite(targets)
    count = np.maximum(known.sum(axis=0), 1)
    parts = []
    for series in (predicted, targets):
        kept = np.where(known, series, 0)
        parts.append(np.where(known, kept - kept.sum(axis=0) / count, 0))
    power, power_target = (np.square(part).sum(axis=0) for part in parts)
    product = (parts[0] * parts[1]).sum(axis=0)
    tiny = np.finfo(np.float32).eps * count
    r = np.where(power > tiny, product / np.sqrt(np.maximum(power * power_target, tiny**2)), 0)
    usable = (known.sum(axis=0) >= _LEAST_VOLUMES) & (power_target > tiny)
    return np.where(usable, np.arctanh(np.clip(r, -_LARGEST_R, _LARGEST_R)), np.nan).astype(np.float32)


def _mean_over_known(values: Float[np.ndarray, "people voxels"]) -> Float[np.ndarray, " voxels"]:
    """Mean of those that are known; NaN where none is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _moments(
    people: Sequence[Float[np.ndarray, " voxels"]], n_voxels: int
) -> tuple[Float[np.ndarray, " voxels"], Float[np.ndarray, "people voxels"]]:
    """Mean over people, zero where nobody has BOLD; and squared deviations whose mean is the unbiased variance.

    A single person has no deviation: NaN.
    """
    values = np.reshape(people, (len(people), n_voxels)).astype(np.float32)
    count = np.isfinite(values).sum(axis=0)
    mean = _mean_over_known(values)
    unbiased = np.where(count > 1, count / np.maximum(count - 1, 1), np.nan)
    return np.nan_to_num(mean), np.square(values - mean) * unbiased


def _described(
    reliability: Reliability, coordinates_mm: Float[np.ndarray, "voxels 3"], grey: Float[np.ndarray, " voxels"]
) -> list[dict[str, Any]]:
    cortex = grey > _GREY
    rows = []
    for group, (n_people, size) in enumerate(
        zip(reliability.n_people[...].tolist(), reliability.n_electrodes[...].tolist(), strict=True)
    ):
        if n_people:
            maps = reliability.r_maps(coordinates_mm[cortex], grey[cortex], round(size))
            rows.append(
                {
                    "electrodes": GROUPS[group],
                    "people": int(n_people),
                    "mean_electrodes": round(size, 1),
                    "mean_r": round(float(maps.r.mean()), 4),
                    "share_interpretable": round(float((maps.lower > 0).mean()), 4),
                }
            )
    return rows
