"""The predictive distribution of a trained network, from people that it was not trained on.

Gain, residual sd and calibration are set for predictions as :mod:`bids_eeg2fmri.synthesis.published` makes them; every
volume used here has all the EEG before it that the network reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int
from nibabel.affines import apply_affine

from ...bold.atlas import load_atlas
from ...bold.grid import make_grid, sample_template
from ...network.calhas2022.trained import TrainedCalhas2022
from ...settings import OutputSpace
from ...synthesis.drawn import Drawn
from ...synthesis.published import VolumePredictor
from ...synthesis.volume_maps import make_volume_maps
from ..calibration import factors_by_parcel, level_multipliers
from ..gain import fit_gain
from .cache import CachedRecording
from .volumes import Volumes

_LEAST_SD = 1e-3
# Quantiles of errors are taken over a part of the voxels: neighbours tell the same.
_MAX_VOXELS = 4000
_MIN_PARCEL_SHARE = 0.5


class Compared(NamedTuple):
    """Some volumes of one recording, flattened.

    Attributes
    ----------
    drawn
        The prediction.
    target
        The measurement.
    valid
        Brain voxels that were measured.
    """

    drawn: Drawn
    target: Float[np.ndarray, "volumes voxels"]
    valid: Bool[np.ndarray, " voxels"]


def fit_predictive(trained: TrainedCalhas2022, volumes: Volumes, batch_size: int) -> dict[str, Any]:
    """Set gain, residual sd and calibration factors of a network.

    Parameters
    ----------
    trained
        The network; its constants are set.
    volumes
        Recordings of people that it was not trained on.
    batch_size
        Volumes predicted at once.

    Returns
    -------
    What the bundle's description says about calibration: half-widths of intervals in units of the sd.
    """
    trained.gain[...] = jnp.ones(())
    trained.gain[...] = jnp.asarray(_gain(trained, volumes, batch_size), jnp.float32)
    trained.residual_sd[...] = jnp.asarray(_residual_sd(trained, volumes, batch_size))
    n_parcels = len(load_atlas())
    voxels, labels = _chosen_voxels(trained)
    voxel_errors, parcel_errors = _standardised_errors(trained, volumes, batch_size, voxels)
    voxel_factor = factors_by_parcel(voxel_errors, labels, n_parcels + 1)
    parcel_factor = factors_by_parcel(parcel_errors, np.arange(n_parcels), n_parcels)
    trained.voxel_factor[...], trained.parcel_factor[...] = jnp.asarray(voxel_factor), jnp.asarray(parcel_factor)
    return {
        "voxels": level_multipliers([errors / voxel_factor[labels] for errors in voxel_errors]),
        "parcels": level_multipliers([errors / parcel_factor for errors in parcel_errors]),
    }


def _compared(trained: TrainedCalhas2022, recording: CachedRecording, batch_size: int) -> Iterator[Compared]:
    """Predictions and measurements of a recording's usable volumes, block by block."""
    predict = VolumePredictor(trained)
    volumes = Volumes((recording,), trained.n_windows)
    valid = _measured(trained, recording)
    for start in range(0, len(volumes), batch_size):
        numbers = np.arange(start, min(start + batch_size, len(volumes)))
        # The last block is filled up, so that one compiled shape serves all.
        filled = np.pad(numbers, (0, batch_size - len(numbers)), mode="edge")
        drawn = predict(np.moveaxis(volumes.spectra(filled), 1, -1))
        mean, stated, epistemic = (part if isinstance(part, float) else part[: len(numbers)] for part in drawn)
        target = volumes.targets(numbers).reshape(len(numbers), -1).astype(np.float32)
        yield Compared(Drawn(np.asarray(mean), stated, epistemic), target, valid)


def _measured(trained: TrainedCalhas2022, recording: CachedRecording) -> Bool[np.ndarray, " voxels"]:
    """Brain voxels with a series: the others' targets are zero throughout."""
    return (np.asarray(recording.targets[recording.usable]) != 0).any(axis=0).ravel()


def _gain(trained: TrainedCalhas2022, volumes: Volumes, batch_size: int) -> float:
    """The factor that makes the squared error smallest; not below zero."""
    compared = (block for recording in volumes.recordings for block in _compared(trained, recording, batch_size))
    return max(0.0, fit_gain((drawn.mean[:, valid], target[:, valid]) for drawn, target, valid in compared))


def _residual_sd(trained: TrainedCalhas2022, volumes: Volumes, batch_size: int) -> Float[np.ndarray, "x y z"]:
    """Sd of what the predictions miss, in units of the stated sd, where draws do not explain it; one elsewhere."""
    shape = trained.config.fmri_shape
    squares, counts = np.zeros(np.prod(shape)), np.zeros(np.prod(shape))
    for recording in volumes.recordings:
        for drawn, target, valid in _compared(trained, recording, batch_size):
            missed = (np.square(target - drawn.mean) - drawn.epistemic) / drawn.stated_variance
            squares[valid] += missed[:, valid].sum(axis=0, dtype=float)
            counts[valid] += len(target)
    variance = np.divide(squares, counts, out=np.ones_like(squares), where=counts > 0)
    return np.sqrt(np.maximum(variance, _LEAST_SD**2)).astype(np.float32).reshape(shape)


def _chosen_voxels(trained: TrainedCalhas2022) -> tuple[Int[np.ndarray, " voxels"], Int[np.ndarray, " voxels"]]:
    """Brain voxels for quantiles, and their parcels."""
    brain = np.argwhere(sample_template(trained.affine, trained.config.fmri_shape) > 0)
    chosen = brain[:: -(-len(brain) // _MAX_VOXELS)]
    labels = load_atlas().labels_at(apply_affine(trained.affine, chosen))
    return np.ravel_multi_index(tuple(chosen.T), trained.config.fmri_shape), labels


def _standardised_errors(
    trained: TrainedCalhas2022, volumes: Volumes, batch_size: int, voxels: Int[np.ndarray, " voxels"]
) -> tuple[list[Float[np.ndarray, "volumes voxels"]], list[Float[np.ndarray, "volumes parcels"]]]:
    """Errors of some voxels and of all parcels in units of the sd, one array per person; NaN where not measured."""
    maps = make_volume_maps(trained, make_grid(OutputSpace(resolution="4")))
    to_parcels = maps.averaging @ maps.interpolation
    residual_variance = np.square(np.asarray(trained.residual_sd[...])).ravel()
    of_voxels: dict[str, list[np.ndarray]] = {person: [] for person in volumes.people}
    of_parcels: dict[str, list[np.ndarray]] = {person: [] for person in volumes.people}
    for recording in volumes.recordings:
        for drawn, target, valid in _compared(trained, recording, batch_size):
            variance = residual_variance * drawn.stated_variance + drawn.epistemic
            error = np.where(valid, target - drawn.mean, np.nan)
            of_voxels[recording.person].append((error / np.sqrt(variance))[:, voxels])
            share = to_parcels @ valid.astype(np.float32)
            measured = np.where(share > _MIN_PARCEL_SHARE, share, np.nan)
            parcel_error = (to_parcels @ np.nan_to_num(error).T).T / measured
            parcel_sd = np.sqrt((to_parcels @ np.broadcast_to(variance, target.shape).T).T)
            of_parcels[recording.person].append(parcel_error / parcel_sd)
    return [np.concatenate(part) for part in of_voxels.values()], [np.concatenate(part) for part in of_parcels.values()]
