"""Forecasts that any model must beat, made without training; what each may see is part of its definition.

Trained baselines (ridges) are made where training happens and enter the same table as any other :class:`Forecast`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float, Int

from .forecast import Forecast, Observed
from .pictures import Picture

MEAN_VOLUME = "mean volume"
PERSON_MEAN = "person's mean"
PREVIOUS_VOLUME = "previous volume"
NEIGHBOURS = "interpolated neighbours"
TIME_ONLY = "time only"
SOURCE_POWER = "source power x HRF, fixed signs"
EEG_SHUFFLED = "EEG shuffled"
EEG_ZEROED = "EEG zeroed"

# Alpha and beta down, gamma up: what simultaneous recordings report most often.
FIXED_SIGNS = (0.0, 0.0, -1.0, -1.0, -1.0, 1.0)

Predict = Callable[[np.ndarray], Forecast]


def mean_volume(observed: Observed, picture: Picture | None = None) -> Forecast:
    """The mean of the training people: z = 0 everywhere and always.

    Its picture is that of the training people where it is given (the honest one), else the person's own. Its
    sd is the climatology: 1 per voxel, and per parcel the sd of the observed series, so that both CRPS ratios are 1
    by definition. Sees no EEG.
    """
    parcel_sd = np.broadcast_to(observed.parcel_z.std(axis=0), observed.parcel_z.shape)
    zero, zero_parcels = np.zeros_like(observed.z), np.zeros_like(observed.parcel_z)
    return Forecast(zero, np.ones_like(observed.z), zero_parcels, parcel_sd, picture)


def person_mean(observed: Observed) -> Forecast:
    """The person's own mean volume, known only to someone who has scanned the person: an oracle for the picture."""
    return mean_volume(observed, observed.picture)


def previous_volume(observed: Observed) -> Forecast:
    """The real volume before, z = 0 for the first: an oracle that shows how much BOLD resembles itself."""
    return Forecast(_later(observed.z), None, _later(observed.parcel_z))


def interpolated_neighbours(observed: Observed) -> Forecast:
    """The mean of the real volumes before and after (at the ends: the only one).

    What a model can do that was trained on neighbouring windows of the same recording: it has to know the time, and no
    EEG. The reason why people, never windows, must be split.
    """
    return Forecast(_between(observed.z), None, _between(observed.parcel_z))


def time_only(training: Iterable[Observed], n_volumes: int) -> Forecast:
    """The mean course of the training people at the same time since the start of the run; sees the clock alone.

    It finds what all runs share: a task with the same timing, drifts, habituation. Volumes beyond the longest
    training run are zero; parcels and voxels that are valid in no training person as well.

    Raises
    ------
    ValueError
        No training recording, or repetition times that differ.
    """
    voxels = parcels = None
    tr_s: float | None = None
    for observed in training:
        tr_s = observed.tr_s if tr_s is None else tr_s
        if abs(observed.tr_s - tr_s) > 1e-3:
            raise ValueError(f"time-only needs one repetition time, got {tr_s:g} and {observed.tr_s:g} s")
        if voxels is None or parcels is None:
            voxels = _MeanCourse(n_volumes, observed.z.shape[1])
            parcels = _MeanCourse(n_volumes, observed.parcel_z.shape[1])
        voxels.add(observed.z, observed.valid)
        parcels.add(observed.parcel_z, observed.parcel_valid)
    if voxels is None or parcels is None:
        raise ValueError("time-only needs at least one training recording")
    return Forecast(voxels.mean, None, parcels.mean)


def source_power(
    power_z: Float[np.ndarray, "volumes parcels bands"],
    labels: Int[np.ndarray, " voxels"],
    signs: tuple[float, ...] = FIXED_SIGNS,
) -> Forecast:
    """Minimum-norm source power through one canonical haemodynamic response, added up with fixed signs.

    Not trained: it knows a parcel's shape in time but no amplitude, and is scaled to unit variance. Read its
    correlations; its R2 and skill suffer from the scale.

    Parameters
    ----------
    power_z
        Band power of every parcel after the response (``features()`` of the synthesis).
    labels
        Parcel of each voxel, counted from 1; 0 outside.
    signs
        Weight of each band.
    """
    series = power_z @ np.asarray(signs, power_z.dtype)
    series = series - series.mean(axis=0)
    sd = series.std(axis=0)
    return Forecast.of_parcels(series / np.where(sd > 0, sd, 1), labels)


def eeg_shuffled(predict: Predict, eeg: np.ndarray, seed: int = 0, time_axis: int = 0) -> Forecast:
    """The model on EEG whose instants were shuffled: same marginal distribution, nothing in order.

    What remains of a score was not read from the course of the EEG.

    Parameters
    ----------
    predict
        The model, as a function of what it receives.
    eeg
        That input: frames, volumes or samples along ``time_axis``.
    seed
        Of the permutation.
    time_axis
        Axis of time.
    """
    order = np.random.default_rng([0x5F0F, seed]).permutation(eeg.shape[time_axis])
    return predict(np.take(eeg, order, axis=time_axis))


def eeg_zeroed(predict: Predict, eeg: np.ndarray) -> Forecast:
    """The model on an input of zeros, which in standardised features is the person's average EEG all the time."""
    return predict(np.zeros_like(eeg))


class _MeanCourse:
    """Mean over recordings at each volume, padded or cut to one length."""

    def __init__(self, n_volumes: int, n_points: int) -> None:
        self._sum = np.zeros((n_volumes, n_points))
        self._count = np.zeros((n_volumes, n_points), np.int32)

    def add(self, series: Float[np.ndarray, "volumes points"], valid: np.ndarray) -> None:
        series = series[: len(self._sum)]
        known = valid & np.isfinite(series)
        self._sum[: len(series)] += np.where(known, series, 0)
        self._count[: len(series)] += known

    @property
    def mean(self) -> Float[np.ndarray, "volumes points"]:
        return (self._sum / np.maximum(self._count, 1)).astype(np.float32)


def _later(series: Float[np.ndarray, "volumes points"]) -> Float[np.ndarray, "volumes points"]:
    moved = np.zeros_like(series)
    moved[1:] = series[:-1]
    return moved


def _between(series: Float[np.ndarray, "volumes points"]) -> Float[np.ndarray, "volumes points"]:
    padded = np.concatenate([series[1:2], series, series[-2:-1]])
    return (padded[:-2] + padded[2:]) / 2 if len(series) > 1 else np.zeros_like(series)
