"""Which electrode, band and lag the predicted fluctuation of a region comes from, for ``neuralfield``.

A region's prediction is linear in what the network receives: with z the standardised log band power of parcel p in
band b and frame f, h_k the haemodynamic responses and G the network's map from features to the region,

    y_t = sum_k,p,b,f G_kpb h_k(t - f) z_pb(f).

Log power is not linear in the electrodes, but power is, in their cross-spectra S: ``P = tr(W S W')`` with the parcel's
virtual channels W. The electrode c has the share ``P_c = sum_v W_vc (S W_v)_c`` in it, cross terms going to both of
their electrodes in equal parts. On the straight path from the recording's mean cross-spectrum B, scaled such that its
power is the geometric mean (where z is zero), to that of the frame, the integral of the gradient of log P has a closed
form,

    log P(S) - log P(B) = sum_c (P_c(S) - P_c(B)) (log P(S) - log P(B)) / (P(S) - P(B)),

which makes integrated gradients exact: contributions of electrodes sum to z in every frame, and to y in every volume.
Each band has one filter, so that bands are the finest frequencies with a relevance of their own. The recording's mean
and sd, and the filters, which are made from the recording as well, count as constants.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from ..eeg.leadfield import sphere_directions
from ..eeg.recording import Recording
from ..eeg.sources import COMPONENTS_PER_PARCEL, padded_width
from ..eeg.spectra import BANDS_HZ, HOP_S, HOPS_PER_WINDOW, band_bins, hop_samples, over_steps
from ..network.lags import MAX_FEATURE_Z, MEMORY_S, lag_bank
from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts
from ..synthesis.spectrogram import FRAMES_PER_BLOCK, SourceSpectrogram
from .relevance import Relevance, variance_weights

LAG_STEP_S = 1.0


class VolumeMemory(NamedTuple):
    """Which frames each volume looks at, with what weights; where there is no frame, the weight is zero."""

    frames: Int[np.ndarray, "volumes memory"]
    lags_s: Float[np.ndarray, "volumes memory"]
    responses: Float[np.ndarray, "lags volumes memory"]


class RegionSeries(NamedTuple):
    """Predictions of regions, and what they are linear in; both lack the recording's amplitude, a factor of all.

    Attributes
    ----------
    gains
        How much of each feature goes into each region.
    volumes
        The frames that each volume looks at.
    predicted
        The regions' predictions.
    """

    gains: Float[np.ndarray, "regions responses parcels bands"]
    volumes: VolumeMemory
    predicted: Float[np.ndarray, "regions volumes"]


class _Shares(NamedTuple):
    """What turns the power of an electrode's share into standardised log power."""

    baseline: Float[np.ndarray, "bands channels parcels"]
    scale: Float[np.ndarray, "frames parcels bands"]


def explain_neuralfield(
    network: NeuralField,
    recording: Recording,
    spectrogram: SourceSpectrogram,
    region_maps: Float[np.ndarray, "regions maps"],
    regions: tuple[str, ...],
    volume_times_s: Float[np.ndarray, " volumes"],
) -> Relevance:
    """Explain the prediction of some regions.

    Parameters
    ----------
    network, recording, spectrogram
        The network, and the recording with what was made of it.
    region_maps, regions
        The network's maps of the mean, averaged over each region (any set of voxels), and the regions' names.
    volume_times_s
        Instants that the volumes stand for, in EEG seconds.
    """
    series = predict_regions(network, spectrogram, region_maps, volume_times_s)
    weights = _frame_weights(series.volumes, variance_weights(series.predicted), len(spectrogram.times_s))
    shares = _accumulate(recording, spectrogram, series.gains, weights)
    good = np.flatnonzero(recording.good)
    names = tuple(recording.channel_names[channel] for channel in good)
    return Relevance(
        method="integrated gradients",
        shares=np.moveaxis(shares, 1, 3)[:, good],
        unassigned=np.zeros(len(regions), np.float32),
        regions=regions,
        electrodes=names,
        directions=sphere_directions(recording.positions_m[good], names),
        bands_hz=BANDS_HZ,
        lag_edges_s=np.arange(0.0, MEMORY_S + LAG_STEP_S / 2, LAG_STEP_S),
        n_volumes=len(volume_times_s),
    )


def predict_regions(
    network: NeuralField,
    spectrogram: SourceSpectrogram,
    region_maps: Float[np.ndarray, "regions maps"],
    volume_times_s: Float[np.ndarray, " volumes"],
) -> RegionSeries:
    """Predict some regions' means; parameters are those of :func:`explain_neuralfield`."""
    facts = RecordingFacts(*map(jnp.asarray, spectrogram.facts))
    gains = np.asarray(_region_gains(network, facts, jnp.asarray(region_maps)))
    clipped_z = np.clip(spectrogram.standardised(0, len(spectrogram.times_s)), -MAX_FEATURE_Z, MAX_FEATURE_Z)
    volumes = _look_back(network, spectrogram.times_s, volume_times_s)
    per_frame = np.einsum("rkpb,fpb->rkf", gains, clipped_z, optimize=True)
    predicted = np.einsum("kvm,rkvm->rv", volumes.responses, per_frame[:, :, volumes.frames], optimize=True)
    return RegionSeries(gains, volumes, predicted)


@nnx.jit
def _region_gains(
    network: NeuralField, facts: RecordingFacts, region_maps: Float[Array, "regions maps"]
) -> Float[Array, "regions lags parcels bands"]:
    """How much of each feature goes into each region, before the recording's amplitude, a factor of everything."""
    config = network.config

    def predict(features: Float[Array, " features"]) -> Float[Array, " regions"]:
        return region_maps @ network.coefficients(network.states(features[None], facts)).mean(axis=0)[0]

    gains = jax.jacrev(predict)(jnp.zeros(config.n_features))
    return gains.reshape(len(region_maps), len(config.peaks_s), config.n_parcels, config.n_bands)


def _look_back(
    network: NeuralField, frame_times_s: Float[np.ndarray, " frames"], volume_times_s: Float[np.ndarray, " volumes"]
) -> VolumeMemory:
    hop_s = frame_times_s[1] - frame_times_s[0]
    latest = np.floor((volume_times_s - frame_times_s[0]) / hop_s).astype(int)
    frames = latest[:, None] - np.arange(int(MEMORY_S / hop_s) + 2)
    lags_s = volume_times_s[:, None] - (frame_times_s[0] + hop_s * frames)
    config = network.config
    bank = lag_bank(
        jnp.asarray(lags_s.ravel(), jnp.float32),
        jnp.zeros(1),
        peaks_s=config.peaks_s,
        widths_s=config.widths_s,
        hop_s=HOP_S,
    )
    there = (frames >= 0) & (frames < len(frame_times_s))
    responses = np.asarray(bank).reshape(-1, *frames.shape) * there
    return VolumeMemory(np.where(there, frames, 0), lags_s, responses)


def _frame_weights(
    volumes: VolumeMemory, volume_weights: Float[np.ndarray, "regions volumes"], n_frames: int
) -> Float[np.ndarray, "frames regions lags responses"]:
    """How much a frame's contributions count for each region, at each lag, through each response."""
    n_lags = round(MEMORY_S / LAG_STEP_S)
    lag = np.clip((volumes.lags_s / LAG_STEP_S).astype(int), 0, n_lags - 1)
    shape = (n_frames, n_lags, len(volume_weights), len(volumes.responses))
    weights = np.zeros(shape, np.float32)
    each = np.einsum("rv,kvm->vmrk", volume_weights, volumes.responses)
    np.add.at(weights, (volumes.frames, lag), each)
    return weights.transpose(0, 2, 1, 3)


def _electrode_shares(spectrogram: SourceSpectrogram, n_channels: int) -> _Shares:
    operators, covariances = spectrogram.operators, spectrogram.covariances_uv2
    share = operators * (operators @ covariances)
    by_parcel = share.reshape(len(BANDS_HZ), -1, COMPONENTS_PER_PARCEL, operators.shape[2]).sum(axis=2)
    usual = np.exp(spectrogram.mean).T
    baseline = by_parcel * (usual / by_parcel.sum(axis=2))[:, :, None]
    z = spectrogram.standardised(0, len(spectrogram.times_s))
    log_change = z * spectrogram.sd
    small = np.abs(log_change) < 1e-4
    slope = np.where(small, 1.0, np.expm1(log_change) / np.where(small, 1.0, log_change))
    kept = np.where(z == 0, 1.0, np.clip(z, -MAX_FEATURE_Z, MAX_FEATURE_Z) / np.where(z == 0, 1.0, z))
    scale = spectrogram.valid[:, None, None] * kept / (np.exp(spectrogram.mean) * slope * spectrogram.sd)
    padding = ((0, 0), (0, 0), (0, padded_width(n_channels) - n_channels))
    return _Shares(np.pad(baseline, padding).transpose(0, 2, 1).astype(np.float32), scale.astype(np.float32))


def _accumulate(
    recording: Recording,
    spectrogram: SourceSpectrogram,
    gains: Float[np.ndarray, "regions responses parcels bands"],
    weights: Float[np.ndarray, "frames regions lags responses"],
) -> Float[np.ndarray, "regions lags channels bands"]:
    """Sum the electrodes' contributions over the frames, block by block of one compiled shape."""
    n_channels, n_frames = len(recording.channel_names), len(weights)
    width, hop = padded_width(n_channels), hop_samples(recording.sfreq_hz)
    shares = _electrode_shares(spectrogram, n_channels)
    operators = np.pad(spectrogram.operators, ((0, 0), (0, 0), (0, width - n_channels)))
    constants = tuple(map(jnp.asarray, (operators, shares.baseline, gains)))
    total = np.zeros((*weights.shape[1:3], width, len(BANDS_HZ)))
    for first in range(0, n_frames, FRAMES_PER_BLOCK):
        frames = slice(first, first + FRAMES_PER_BLOCK)
        missing = FRAMES_PER_BLOCK - len(weights[frames])
        signals_v = np.zeros((width, (FRAMES_PER_BLOCK + HOPS_PER_WINDOW - 1) * hop), np.float32)
        piece = recording.signals_v[:, first * hop : first * hop + signals_v.shape[1]]
        signals_v[:n_channels, : piece.shape[1]] = piece
        total += np.asarray(
            _block(
                signals_v,
                np.pad(shares.scale[frames], ((0, missing), (0, 0), (0, 0))),
                np.pad(weights[frames], ((0, missing), (0, 0), (0, 0), (0, 0))),
                *constants,
                sfreq_hz=float(recording.sfreq_hz),
            )
        )
    return total[:, :, :n_channels].astype(np.float32)


@partial(jax.jit, static_argnames="sfreq_hz")
def _block(
    signals_v: Float[Array, "channels samples"],
    scale: Float[Array, "frames parcels bands"],
    weights: Float[Array, "frames regions lags responses"],
    operators: Float[Array, "bands virtual channels"],
    baseline: Float[Array, "bands channels parcels"],
    gains: Float[Array, "regions responses parcels bands"],
    *,
    sfreq_hz: float,
) -> Float[Array, "regions lags channels bands"]:
    """Contributions of one block of frames."""

    def of_band(band: int, spectrum: Array, index: Array, weight: Array) -> Float[Array, "regions lags channels"]:
        first, last = band_bins(sfreq_hz)[band]
        part = spectrum[..., first:last]
        cross = jnp.zeros(())
        for piece in (part.real, part.imag):
            virtual = jnp.einsum("vc,cfk->fvk", operators[band], piece)
            cross = cross + jnp.einsum("cfk,fvk->fcv", piece, virtual)
        by_virtual = cross * operators[band].T / (last - first)
        power = by_virtual.reshape(*by_virtual.shape[:2], -1, COMPONENTS_PER_PARCEL).sum(axis=-1)
        change = (power - baseline[band]) * scale[index, None, :, band]
        contributions = jnp.einsum("fcp,rkp->frkc", change, gains[..., band])
        return jnp.einsum("frlk,frkc->rlc", weight, contributions)

    def one_step(spectrum: Array, frames: Array) -> Float[Array, "regions lags channels bands"]:
        index = jnp.maximum(frames, 0)
        weight = weights[index] * (frames >= 0)[:, None, None, None]
        return jnp.stack([of_band(band, spectrum, index, weight) for band in range(len(BANDS_HZ))], axis=-1)

    return over_steps(one_step, signals_v, sfreq_hz, FRAMES_PER_BLOCK)[0].sum(axis=0)
