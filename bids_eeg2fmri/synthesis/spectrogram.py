"""The spectrogram of a recording over grey-matter parcels, computed once, in blocks of one compiled shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from ..bold.atlas import source_points
from ..eeg.recording import Recording
from ..eeg.sources import SourceProjection, make_projection, padded_width
from ..eeg.spectra import BANDS_HZ, HOPS_PER_WINDOW, frame_times_s, hop_samples, log_band_power
from ..errors import BadDataError

FRAMES_PER_BLOCK = 256
MIN_VALID_FRAMES = 60


@dataclass(frozen=True)
class Spectrogram:
    """Log band power of every parcel in every frame.

    Attributes
    ----------
    log_power
        Natural logarithm (frames x parcels x bands).
    times_s
        Centre of every frame, in EEG seconds.
    valid
        Frames that touch no bad segment.
    resolution
        How well the cap sees each parcel.
    """

    log_power: Float[np.ndarray, "frames parcels bands"]
    times_s: Float[np.ndarray, " frames"]
    valid: Bool[np.ndarray, " frames"]
    resolution: Float[np.ndarray, " parcels"]

    @cached_property
    def mean(self) -> Float[np.ndarray, "parcels bands"]:
        """Mean over the valid frames."""
        return self.log_power.mean(axis=0, where=self.valid[:, None, None], dtype=np.float64).astype(np.float32)

    @cached_property
    def sd(self) -> Float[np.ndarray, "parcels bands"]:
        """Standard deviation over the valid frames."""
        valid = self.valid[:, None, None]
        variance = self.log_power.var(axis=0, where=valid, dtype=np.float64)
        return np.sqrt(np.maximum(variance, 1e-6)).astype(np.float32)

    @property
    def profile(self) -> Float[np.ndarray, " profile"]:
        """Shape of the spectrum over parcels and bands, without the overall level."""
        return (self.mean - self.mean.mean()).ravel()

    def standardised(self, first: int, count: int) -> Float[np.ndarray, "count parcels bands"]:
        """Frames ``first`` to ``first + count``, z over the recording; zero where invalid or not recorded."""
        frames = np.zeros((count, *self.log_power.shape[1:]), np.float32)
        start, stop = max(first, 0), min(first + count, len(self.times_s))
        if stop > start:
            piece = (self.log_power[start:stop] - self.mean) / self.sd
            frames[start - first : stop - first] = np.where(self.valid[start:stop, None, None], piece, 0)
        return frames


def compute_spectrogram(recording: Recording, projection: SourceProjection | None = None) -> Spectrogram:
    """Project a recording to the parcels and take its band power.

    Raises
    ------
    BadDataError
        Fewer than 30 s of clean frames.
    """
    if projection is None:
        points, parcel = source_points()
        projection = make_projection(recording.positions_m, recording.channel_names, recording.good, points, parcel)
    log_power = signal_log_power(recording.signals_v, projection, recording.sfreq_hz)
    times_s = frame_times_s(len(log_power), recording.sfreq_hz)
    valid = _valid_frames(times_s, recording.cleaning.bad_segments_s)
    if valid.sum() < MIN_VALID_FRAMES:
        raise BadDataError(
            f"only {valid.sum()} of {len(valid)} half-second frames are free of artefacts.",
            path=recording.source,
            remedy="Clean the recording first and give it with --derivatives clean=PATH.",
        )
    return Spectrogram(log_power, times_s, valid, projection.resolution)


def signal_log_power(
    signals_v: Float[np.ndarray, "channels samples"], projection: SourceProjection, sfreq_hz: float
) -> Float[np.ndarray, "frames parcels bands"]:
    """Log band power of average-referenced signals, block by block."""
    n_channels, n_samples = signals_v.shape
    hop = hop_samples(sfreq_hz)
    n_frames = n_samples // hop - (HOPS_PER_WINDOW - 1)
    width = padded_width(n_channels)
    operator = np.zeros((len(projection.operator), width), np.float32)
    operator[:, :n_channels] = projection.operator
    device_operator = jnp.asarray(operator)
    log_power = np.empty((n_frames, len(operator) // 3, len(BANDS_HZ)), np.float32)
    block_samples = (FRAMES_PER_BLOCK + HOPS_PER_WINDOW - 1) * hop
    for first in range(0, n_frames, FRAMES_PER_BLOCK):
        block = np.zeros((width, block_samples), np.float32)
        piece = signals_v[:, first * hop : first * hop + block_samples]
        block[:n_channels, : piece.shape[1]] = piece
        power = log_band_power(block, device_operator, sfreq_hz=float(sfreq_hz), n_frames=FRAMES_PER_BLOCK)
        stop = min(first + FRAMES_PER_BLOCK, n_frames)
        log_power[first:stop] = np.asarray(power)[: stop - first]
    return log_power


def _valid_frames(
    times_s: Float[np.ndarray, " frames"], bad_segments_s: tuple[tuple[float, float], ...]
) -> Bool[np.ndarray, " frames"]:
    valid = np.ones(len(times_s), bool)
    half = (times_s[1] - times_s[0]) * HOPS_PER_WINDOW / 2 if len(times_s) > 1 else 1.0
    for start, stop in bad_segments_s:
        valid &= (times_s + half <= start) | (times_s - half >= stop)
    return valid
