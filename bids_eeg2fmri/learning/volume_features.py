"""The features of a recording's volumes, in blocks of one compiled shape, as the synthesis computes them."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from ..eeg.sources import COMPONENTS_PER_PARCEL
from ..eeg.spectra import BANDS_HZ, HOP_S, frame_times_s
from ..network.lags import CANONICAL_LAG, MEMORY_S, lagged_features
from ..network.neuralfield import NeuralFieldConfig
from ..synthesis.spectrogram import Spectrogram, signal_log_power

# A block serves any repetition time up to 3 s with hardly more than 5 minutes of frames.
_FRAMES_PER_BLOCK = 1024
_VOLUMES_PER_BLOCK = 320


def volume_features(
    spectrogram: Spectrogram, config: NeuralFieldConfig, volume_times_s: Float[np.ndarray, " volumes"]
) -> tuple[Float[np.ndarray, "volumes features"], Float[np.ndarray, " volumes"]]:
    """Lagged band power of every volume, and the share of its haemodynamic memory that was recorded and clean.

    Parameters
    ----------
    spectrogram
        Of one recording.
    config
        The bank of responses.
    volume_times_s
        The instants that the volumes stand for, in EEG seconds, increasing.
    """
    longest_s = np.diff(volume_times_s).max(initial=HOP_S)
    per_block = int((_FRAMES_PER_BLOCK * HOP_S - MEMORY_S) / longest_s) - 2
    per_block = int(np.clip(per_block, 1, _VOLUMES_PER_BLOCK))
    blocks = [
        _block(spectrogram, config, volume_times_s[first : first + per_block])
        for first in range(0, len(volume_times_s), per_block)
    ]
    features, evidence = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return features, evidence


def sensor_features(
    signals_v: Float[np.ndarray, "channels samples"],
    sfreq_hz: float,
    config: NeuralFieldConfig,
    volume_times_s: Float[np.ndarray, " volumes"],
    *,
    good: Bool[np.ndarray, " channels"] | None = None,
    valid: Bool[np.ndarray, " frames"] | None = None,
) -> Float[np.ndarray, "volumes channels bands"]:
    """Log band power of the electrodes themselves through the canonical response, standardised over time.

    Each electrode is a parcel whose other virtual channels are silent; bad ones count as average.

    Parameters
    ----------
    signals_v, sfreq_hz
        Average-referenced signals.
    config, volume_times_s
        See :func:`volume_features`.
    good, valid
        Channels and frames that are used; ``None``: all.
    """
    n_channels = len(signals_v)
    operators = np.zeros((len(BANDS_HZ), COMPONENTS_PER_PARCEL * n_channels, n_channels), np.float32)
    operators[:, ::COMPONENTS_PER_PARCEL] = np.eye(n_channels)
    log_power = signal_log_power(signals_v, operators, sfreq_hz)
    times_s = frame_times_s(len(log_power), sfreq_hz)
    valid = np.ones(len(times_s), bool) if valid is None else valid
    spectrogram = Spectrogram(log_power, times_s, valid)
    features, _ = volume_features(spectrogram, config, volume_times_s)
    lagged = features.reshape(len(volume_times_s), len(config.peaks_s), n_channels, -1)[:, CANONICAL_LAG]
    return lagged if good is None else np.where(good[:, None], lagged, 0)


def _block(
    spectrogram: Spectrogram, config: NeuralFieldConfig, times_s: Float[np.ndarray, " volumes"]
) -> tuple[Float[np.ndarray, "volumes features"], Float[np.ndarray, " volumes"]]:
    frame_s = spectrogram.times_s
    hop_s = frame_s[1] - frame_s[0]
    first = int(np.floor((times_s[0] - MEMORY_S - frame_s[0]) / hop_s))
    index = np.arange(first, first + _FRAMES_PER_BLOCK)
    inside = (index >= 0) & (index < len(spectrogram.valid))
    recorded = inside & spectrogram.valid[np.clip(index, 0, len(spectrogram.valid) - 1)]
    # Times from the block's first frame: float32 keeps its precision however long the recording is.
    padded = np.pad(times_s, (0, _VOLUMES_PER_BLOCK - len(times_s)), mode="edge") - frame_s[0] - first * hop_s
    inputs = (spectrogram.standardised(first, _FRAMES_PER_BLOCK), recorded[:, None, None].astype(np.float32))
    features, evidence = (
        np.asarray(
            _lagged(
                values,
                ((index - first) * hop_s).astype(np.float32),
                padded.astype(np.float32),
                config.peaks_s,
                config.widths_s,
            )
        )[: len(times_s)]
        for values in inputs
    )
    return features, np.clip(evidence[:, CANONICAL_LAG], 0, 1)


@partial(jax.jit, static_argnames=("peaks_s", "widths_s"))
def _lagged(
    frames: Float[Array, "frames parcels bands"],
    frame_times_s: Float[Array, " frames"],
    volume_times_s: Float[Array, " volumes"],
    peaks_s: tuple[float, ...],
    widths_s: tuple[float, ...],
) -> Float[Array, "volumes features"]:
    return lagged_features(frames, frame_times_s, volume_times_s, peaks_s=peaks_s, widths_s=widths_s, hop_s=HOP_S)
