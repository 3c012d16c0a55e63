"""The spectrogram of a recording over grey-matter parcels, computed once, in blocks of one compiled shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float

from ..bold.atlas import source_points
from ..eeg.modulation import ModulationFilter, make_modulation_filter
from ..eeg.recording import Recording
from ..eeg.scratch import release, release_large, scratch_array
from ..eeg.sources import COMPONENTS_PER_PARCEL, SourceProjection, padded_width, project_gain, referenced_gain
from ..eeg.spectra import (
    BANDS_HZ,
    HOPS_PER_WINDOW,
    band_covariances,
    frame_times_s,
    hop_samples,
    log_band_power,
)
from ..errors import BadDataError
from ..network.recording_facts import RecordingFacts
from .ahead import one_ahead

FRAMES_PER_BLOCK = 256
MIN_VALID_FRAMES = 60


class _Moments(NamedTuple):
    """Over the valid frames, in double precision."""

    mean: Float[np.ndarray, "rows bands"]
    variance: Float[np.ndarray, "rows bands"]
    mean_power: Float[np.ndarray, "rows bands"]


@dataclass(frozen=True)
class Spectrogram:
    """Log band power of every row (parcel or electrode) in every frame.

    Attributes
    ----------
    log_power
        Natural logarithm (frames x rows x bands); may be a memory map in the work directory.
    times_s
        Centre of every frame, in EEG seconds.
    valid
        Frames that touch no bad segment.
    """

    log_power: Float[np.ndarray, "frames rows bands"]
    times_s: Float[np.ndarray, " frames"]
    valid: Bool[np.ndarray, " frames"]

    @property
    def mean(self) -> Float[np.ndarray, "rows bands"]:
        """Mean over the valid frames."""
        return self._moments.mean.astype(np.float32)

    @property
    def sd(self) -> Float[np.ndarray, "rows bands"]:
        """Standard deviation over the valid frames."""
        return np.sqrt(np.maximum(self._moments.variance, 1e-6)).astype(np.float32)

    @property
    def mean_power(self) -> Float[np.ndarray, "rows bands"]:
        """Mean power, not its logarithm, over the valid frames."""
        return self._moments.mean_power.astype(np.float32)

    def standardised(self, first: int, count: int) -> Float[np.ndarray, "count rows bands"]:
        """Frames ``first`` to ``first + count``, z over the recording; zero where invalid or not recorded."""
        frames = np.zeros((count, *self.log_power.shape[1:]), np.float32)
        start, stop = max(first, 0), min(first + count, len(self.times_s))
        if stop > start:
            piece = (self.log_power[start:stop] - self.mean) / self.sd
            frames[start - first : stop - first] = np.where(self.valid[start:stop, None, None], piece, 0)
            release(self.log_power)
        return frames

    @cached_property
    def _moments(self) -> _Moments:
        sums = np.zeros((3, *self.log_power.shape[1:]))
        for first in range(0, len(self.times_s), FRAMES_PER_BLOCK):
            frames = slice(first, first + FRAMES_PER_BLOCK)
            block = self.log_power[frames][self.valid[frames]]
            release_large(self.log_power)
            sums += [
                part.sum(axis=0, dtype=np.float64)
                for part in (block, np.square(block, dtype=np.float64), np.exp(block))
            ]
        mean, mean_square, mean_power = sums / self.valid.sum()
        return _Moments(mean, mean_square - mean**2, mean_power)


@dataclass(frozen=True)
class SourceSpectrogram(Spectrogram):
    """Evidence of every parcel in every frame (:mod:`bids_eeg2fmri.eeg.modulation`), and what it is worth.

    Attributes
    ----------
    facts
        What the network must know of the recording besides the frames.
    resolution
        How well the cap sees each parcel, whatever it recorded.
    operators, covariances_uv2
        Virtual channels of the parcels in every band, and the electrodes' covariance that they were made from.
    """

    facts: RecordingFacts
    resolution: Float[np.ndarray, " parcels"]
    operators: Float[np.ndarray, "bands virtual channels"]
    covariances_uv2: Float[np.ndarray, "bands channels channels"]


def compute_spectrogram(recording: Recording, work_dir: Path | None = None) -> SourceSpectrogram:
    """The evidence of a recording for modulations of band power in every parcel.

    Parameters
    ----------
    recording
        The cleaned EEG.
    work_dir
        Where the spectrogram may be kept in a file that vanishes with it; ``None`` keeps it in memory.

    Raises
    ------
    BadDataError
        Fewer than 30 s of clean frames.
    WriteError
        When the work directory has no room.
    """
    points, parcel = source_points()
    gain = referenced_gain(recording.positions_m, recording.channel_names, recording.good, points)
    times_s, valid = usable_frames(recording)
    covariances = signal_covariances(recording.signals_v, valid, recording.sfreq_hz)
    orientation_parcel = np.repeat(parcel, gain.shape[1] // len(parcel))
    filters = make_modulation_filter(gain, orientation_parcel, covariances, recording.good)
    log_power = signal_log_power(recording.signals_v, filters.operators, recording.sfreq_hz, work_dir)
    spectrogram = Spectrogram(log_power, times_s, valid)
    projection = project_gain(gain, recording.good, parcel)
    facts = _facts(spectrogram, filters, projection, covariances)
    release(recording.signals_v)
    release(log_power)
    return SourceSpectrogram(
        log_power, times_s, valid, facts, projection.resolution, filters.operators, covariances.astype(np.float32)
    )


def minimum_norm_spectrogram(recording: Recording) -> Spectrogram:
    """Minimum-norm source power of a recording: what baselines see of it."""
    points, parcel = source_points()
    gain = referenced_gain(recording.positions_m, recording.channel_names, recording.good, points)
    operator = project_gain(gain, recording.good, parcel).operator
    operators = np.broadcast_to(operator, (len(BANDS_HZ), *operator.shape))
    times_s, valid = usable_frames(recording)
    return Spectrogram(signal_log_power(recording.signals_v, operators, recording.sfreq_hz), times_s, valid)


def usable_frames(recording: Recording) -> tuple[Float[np.ndarray, " frames"], Bool[np.ndarray, " frames"]]:
    """Centre of every frame, and whether it touches no bad segment.

    Raises
    ------
    BadDataError
        Fewer than 30 s of clean frames.
    """
    times_s = frame_times_s(_n_frames(recording.signals_v, recording.sfreq_hz), recording.sfreq_hz)
    half_s = HOPS_PER_WINDOW * (times_s[1] - times_s[0]) / 2
    valid = np.ones(len(times_s), bool)
    for start_s, stop_s in recording.cleaning.bad_segments_s:
        valid &= (times_s + half_s <= start_s) | (times_s - half_s >= stop_s)
    if valid.sum() < MIN_VALID_FRAMES:
        raise BadDataError(
            f"only {valid.sum()} of {len(valid)} half-second frames are free of artefacts.",
            path=recording.source,
            remedy="Clean the recording first and give it with --derivatives clean=PATH.",
        )
    return times_s, valid


def signal_log_power(
    signals_v: Float[np.ndarray, "channels samples"],
    operators: Float[np.ndarray, "bands virtual channels"],
    sfreq_hz: float,
    work_dir: Path | None = None,
) -> Float[np.ndarray, "frames parcels bands"]:
    """Log band power of average-referenced signals, block by block; in a file of ``work_dir`` if one is given."""
    n_frames = _n_frames(signals_v, sfreq_hz)
    padding = ((0, 0), (0, 0), (0, padded_width(len(signals_v)) - len(signals_v)))
    device_operators = jax.device_put(np.pad(operators, padding))
    log_power = scratch_array((n_frames, operators.shape[1] // COMPONENTS_PER_PARCEL, len(BANDS_HZ)), work_dir)
    powers = (
        (first, log_band_power(block, device_operators, sfreq_hz=float(sfreq_hz), n_frames=FRAMES_PER_BLOCK))
        for first, block in _blocks(signals_v, sfreq_hz)
    )
    for first, power in one_ahead(powers):
        stop = min(first + FRAMES_PER_BLOCK, n_frames)
        log_power[first:stop] = np.asarray(power)[: stop - first]
        release_large(log_power)
    return log_power


def signal_covariances(
    signals_v: Float[np.ndarray, "channels samples"], valid: Bool[np.ndarray, " frames"], sfreq_hz: float
) -> Float[np.ndarray, "bands channels channels"]:
    """Covariance of average-referenced signals in every band, over the valid frames, in microvolts squared."""
    total = np.zeros((len(BANDS_HZ), padded_width(len(signals_v)), padded_width(len(signals_v))))
    counted = np.zeros(-(-len(valid) // FRAMES_PER_BLOCK) * FRAMES_PER_BLOCK, np.float32)
    counted[: len(valid)] = valid
    sums = (
        band_covariances(
            block, counted[first : first + FRAMES_PER_BLOCK], sfreq_hz=float(sfreq_hz), n_frames=FRAMES_PER_BLOCK
        )
        for first, block in _blocks(signals_v, sfreq_hz)
    )
    for part in one_ahead(sums):
        total += np.asarray(part)
    return total[:, : len(signals_v), : len(signals_v)] / valid.sum()


def _n_frames(signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float) -> int:
    return signals_v.shape[1] // hop_samples(sfreq_hz) - (HOPS_PER_WINDOW - 1)


def _blocks(
    signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float
) -> Iterator[tuple[int, Float[np.ndarray, "width samples"]]]:
    """First frame and samples of every block, padded to one shape."""
    hop = hop_samples(sfreq_hz)
    n_samples = (FRAMES_PER_BLOCK + HOPS_PER_WINDOW - 1) * hop
    for first in range(0, _n_frames(signals_v, sfreq_hz), FRAMES_PER_BLOCK):
        block = np.zeros((padded_width(len(signals_v)), n_samples), np.float32)
        piece = signals_v[:, first * hop : first * hop + n_samples]
        block[: len(signals_v), : piece.shape[1]] = piece
        release_large(signals_v)
        yield first, block


def _facts(
    spectrogram: Spectrogram,
    filters: ModulationFilter,
    projection: SourceProjection,
    covariances: Float[np.ndarray, "bands channels channels"],
) -> RecordingFacts:
    traces = np.trace(filters.information, axis1=1, axis2=2)
    share = np.clip(filters.brain_share, 1e-3, 1 - 1e-3)
    condition = [
        np.log(share / (1 - share)),
        np.log(np.maximum(filters.misfit, 1e-3)),
        np.log(traces),
        np.log(spectrogram.sd.mean(axis=0)),
    ]
    return RecordingFacts(
        amplitude=spectrogram.sd * spectrogram.mean_power,
        information=filters.information,
        profile=_profile(projection, covariances),
        condition=np.concatenate(condition).astype(np.float32),
        missing=np.asarray(1 - spectrogram.valid.mean(), np.float32),
    )


def _profile(
    projection: SourceProjection, covariances: Float[np.ndarray, "bands channels channels"]
) -> Float[np.ndarray, " profile"]:
    """Shape of the mean spectrum over parcels and bands, without the overall level."""
    variance = np.einsum("vc,bcd,vd->vb", projection.operator, covariances, projection.operator, optimize=True)
    power = variance.reshape(-1, COMPONENTS_PER_PARCEL, len(BANDS_HZ)).sum(axis=1)
    profile = np.log(np.maximum(power, np.finfo(np.float32).tiny))
    return (profile - profile.mean()).ravel().astype(np.float32)
