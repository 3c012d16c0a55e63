"""Filters that see a parcel's power rise and fall against everything else that the recording holds.

In every band, the covariance C of the electrodes is thought of as the sum of parcels and white noise,
``sum_p s_p G_p G_p' + noise``, with the leadfields G_p of the cap. How the likelihood of a stretch of EEG changes with
``log s_p`` is, up to constants, the power of the whitened matched filter ``G_p' C^-1 x`` (the score), and its variance
is the Fisher information ``F_pq = |G_p' C^-1 G_q|^2``. The score is the evidence for a modulation; the information says
how much it is worth, and how much of it belongs to other parcels. An EEG that no parcels explain (noise, electrodes in
the wrong places) is worth little.

References
----------
Van Veen et al. 1997, IEEE Trans Biomed Eng 44:867 (whitened spatial filters); Kay 1993, Fundamentals of statistical
signal processing I, section 3.9 (Fisher information of a Gaussian's covariance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import nnls

from .sources import COMPONENTS_PER_PARCEL

# Share of the fitted model in the covariance that is inverted: short recordings of many electrodes need it.
_MODEL_SHARE = 0.4
# White noise added to it, per electrode, in shares of their mean variance: the more electrodes, the worse the smallest
# eigenvalues are estimated, and without it they would weigh most.
_FLOOR_PER_ELECTRODE = 1.6e-4
_LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class ModulationFilter:
    """Whitened matched filters of a recording.

    Attributes
    ----------
    operators
        Virtual channels of every band (``COMPONENTS_PER_PARCEL`` per parcel), one column per channel in microvolts,
        zero for channels that are not used.
    information
        Fisher information of the log power of the parcels that one frame's spectrum at one frequency holds, per band.
    brain_share
        Share of the variance in each band that the parcels explain rather than white noise (0-1).
    misfit
        Kullback-Leibler divergence of the electrodes' covariance from the fitted model, per channel and band.
    """

    operators: Float[np.ndarray, "bands virtual channels"]
    information: Float[np.ndarray, "bands parcels parcels"]
    brain_share: Float[np.ndarray, " bands"]
    misfit: Float[np.ndarray, " bands"]


def make_modulation_filter(
    gain: Float[np.ndarray, "good orientations"],
    orientation_parcel: Int[np.ndarray, " orientations"],
    covariances_uv2: Float[np.ndarray, "bands channels channels"],
    good: Bool[np.ndarray, " channels"],
) -> ModulationFilter:
    """Build the filters of one recording.

    Parameters
    ----------
    gain
        Average-referenced leadfield of the good channels.
    orientation_parcel
        Parcel (0, 1, ...) of every column; all parcels have equally many.
    covariances_uv2
        Covariance of all channels in every band (:func:`bids_eeg2fmri.eeg.spectra.band_covariances`).
    good
        Channels to use.
    """
    order = np.argsort(orientation_parcel, kind="stable")
    n_parcels = int(orientation_parcel.max()) + 1
    scale = np.sqrt(np.square(gain).sum() / (len(gain) - 1))
    by_parcel = gain[:, order] / scale
    model = by_parcel @ by_parcel.T
    operators = np.zeros((len(covariances_uv2), n_parcels * COMPONENTS_PER_PARCEL, len(good)), np.float32)
    information = np.zeros((len(covariances_uv2), n_parcels, n_parcels), np.float32)
    brain_share, misfit = np.zeros((2, len(covariances_uv2)))
    for band, covariance in enumerate(covariances_uv2):
        fitted = _fit(covariance[np.ix_(good, good)], model)
        rows = _matched(fitted, by_parcel, n_parcels)
        cross = np.square(rows @ fitted.covariance @ rows.T)
        shape = (n_parcels, COMPONENTS_PER_PARCEL)
        information[band] = cross.reshape(*shape, *shape).sum(axis=(1, 3))
        operators[band][:, good] = rows
        brain_share[band], misfit[band] = fitted.brain_share, fitted.misfit
    return ModulationFilter(operators, information, brain_share, misfit)


@dataclass(frozen=True)
class _Fitted:
    """A band's covariance, drawn towards its model, with its inverse, and how well the model fits."""

    covariance: Float[np.ndarray, "good good"]
    inverse: Float[np.ndarray, "good good"]
    brain_power: float
    brain_share: float
    misfit: float


def _fit(measured: Float[np.ndarray, "good good"], model: Float[np.ndarray, "good good"]) -> _Fitted:
    """Weights of parcels and white noise by non-negative least squares; the average reference is projected out."""
    n_good = len(measured)
    centring = np.eye(n_good) - 1 / n_good
    measured = centring @ measured @ centring
    level = max(np.trace(measured) / (n_good - 1), np.finfo(np.float32).tiny)
    measured = measured / level
    (brain, noise), _ = nnls(np.stack([model.ravel(), centring.ravel()], axis=1), measured.ravel())
    # Traces of both parts are equal; neither may vanish, or nothing could be inverted.
    brain, noise = max(brain, _LEAST_SHARE), max(noise, _LEAST_SHARE)
    fitted = brain * model + noise * centring
    drawn = (1 - _MODEL_SHARE) * measured + _MODEL_SHARE * fitted + _FLOOR_PER_ELECTRODE * n_good * centring
    basis = np.linalg.eigh(centring)[1][:, 1:]
    inverse = basis @ np.linalg.inv(basis.T @ drawn @ basis) @ basis.T
    ratio = np.linalg.solve(basis.T @ fitted @ basis, basis.T @ measured @ basis)
    log_determinant = np.linalg.slogdet(ratio + 1e-6 * np.eye(n_good - 1))[1]
    misfit = 0.5 * (np.trace(ratio) - log_determinant) / (n_good - 1) - 0.5
    return _Fitted(level * drawn, inverse / level, level * brain, brain / (brain + noise), misfit)


def _matched(
    fitted: _Fitted, by_parcel: Float[np.ndarray, "good orientations"], n_parcels: int
) -> Float[np.ndarray, "virtual good"]:
    """The leading axes of every parcel's quadratic form ``C^-1 G G' C^-1``."""
    filters = np.sqrt(fitted.brain_power) * (fitted.inverse @ by_parcel)
    filters = filters.reshape(len(filters), n_parcels, -1).transpose(1, 0, 2)
    _, vectors = np.linalg.eigh(filters.transpose(0, 2, 1) @ filters)
    leading = vectors[:, :, ::-1][:, :, :COMPONENTS_PER_PARCEL]
    return (filters @ leading).transpose(0, 2, 1).reshape(-1, len(fitted.covariance))
