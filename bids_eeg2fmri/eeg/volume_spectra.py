"""Features of the published network: the amplitude spectrum of the EEG during every volume.

The spectrum of one repetition time without taper or overlap, its constant left out, standardised across channels; a
volume is predicted from the spectra of the volumes before it (Calhas and Henriques 2022, arXiv 2203.03481). Spectra
are computed once per recording; what belongs to a volume is a view of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ..errors import BadDataError

N_BINS = 134
N_WINDOWS = 10
SEGMENT_S = 26.0

_VOLUMES_PER_STEP = 64
# Products such as 2.16 s x 250 Hz may fall short of a whole number in floating point.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class VolumeSpectra:
    """Spectra of a recording, one row per volume.

    Attributes
    ----------
    z
        Amplitudes standardised across channels (volumes x channels x bins); bin ``k`` lies at ``(k + 1)`` divided by
        the window's length. Zero where the window leaves the recording, where all channels agree, and in bins above
        half the sampling rate.
    valid
        Volumes whose window lies inside the recording.
    n_measured_bins
        Bins up to half the sampling rate.
    """

    z: Float[np.ndarray, "volumes channels bins"]
    valid: Bool[np.ndarray, " volumes"]
    n_measured_bins: int

    def predictable(self, n_windows: int = N_WINDOWS) -> Bool[np.ndarray, " volumes"]:
        """Volumes before which ``n_windows`` windows lie inside the recording."""
        complete = np.zeros(len(self.valid), bool)
        if n_windows < len(complete):
            complete[n_windows:] = np.lib.stride_tricks.sliding_window_view(self.valid[:-1], n_windows).all(axis=1)
        return complete

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the log, the sidecar and the report."""
        n_bins = self.z.shape[2]
        if self.n_measured_bins >= n_bins:
            return ()
        return (
            f"Bins {self.n_measured_bins + 1} to {n_bins} of {n_bins} lie above half the sampling rate; they are zero.",
        )


def volume_spectra(
    signals_v: Float[np.ndarray, "channels samples"],
    sfreq_hz: float,
    onsets_s: Float[np.ndarray, " volumes"],
    tr_s: float,
    *,
    n_bins: int | None = N_BINS,
) -> VolumeSpectra:
    """Standardised amplitude spectrum of the repetition time that starts at every volume's onset.

    A window starts at the sample nearest to its onset. All windows have the same length, the whole samples that fit
    in ``tr_s``, so that none reaches into the next volume.

    Parameters
    ----------
    signals_v
        Volts; may be a memory map, of which one block after the other is read.
    sfreq_hz
        Sampling rate.
    onsets_s
        Onset of every volume in seconds from the first sample, one repetition time apart; windows that start before
        the recording or end after it are marked invalid.
    tr_s
        Repetition time, which is the window's length and the inverse of the bins' distance in hertz.
    n_bins
        Bins above the constant that are kept: 134 for every dataset of the published experiments. ``None`` gives the
        rule that the number follows from for the first of them, a quarter of the window's samples less one.

    Raises
    ------
    BadDataError
        The window is too short for a single bin.
    """
    length = window_samples(tr_s, sfreq_hz)
    kept = length // 4 - 1 if n_bins is None else n_bins
    if min(length // 2, kept) < 1:
        raise BadDataError(
            f"a repetition time of {tr_s:g} s holds {length} samples at {sfreq_hz:g} Hz: too few for a spectrum.",
            remedy="Check RepetitionTime and SamplingFrequency.",
        )
    starts = np.rint(np.asarray(onsets_s, float) * sfreq_hz).astype(int)
    valid = (starts >= 0) & (starts + length <= signals_v.shape[1])
    z = np.zeros((len(starts), len(signals_v), kept), np.float32)
    n_measured = min(length // 2, kept)
    inside = np.flatnonzero(valid)
    for first in range(0, len(inside), _VOLUMES_PER_STEP):
        step = inside[first : first + _VOLUMES_PER_STEP]
        # Steps of equal shape share one compiled function.
        windows = np.zeros((_VOLUMES_PER_STEP, len(signals_v), length), np.float32)
        for row, start in enumerate(starts[step]):
            windows[row] = signals_v[:, start : start + length]
        z[step, :, :n_measured] = np.asarray(_standardised_step(windows, n_measured))[: len(step)]
    return VolumeSpectra(z, valid, n_measured)


def amplitude_spectra(windows: Float[Array, "*windows samples"], n_bins: int) -> Float[Array, "*windows bins"]:
    """Magnitude of the discrete Fourier transform, without its constant.

    A sine of amplitude A in the centre of a bin gives A n / 2, where n is the window's length.
    """
    # Exact for these bins, and it keeps float32 accurate for signals that stand on a large offset.
    centred = windows - windows.mean(axis=-1, keepdims=True)
    return jnp.abs(jnp.fft.rfft(centred)[..., 1 : n_bins + 1])


def standardise_channels(amplitudes: Float[Array, "*volumes channels bins"]) -> Float[Array, "*volumes channels bins"]:
    """Zero mean and unit sd across channels, for every volume and bin; zero where all channels agree."""
    centred = amplitudes - amplitudes.mean(axis=-2, keepdims=True)
    sd = jnp.sqrt(jnp.mean(centred**2, axis=-2, keepdims=True))
    return jnp.where(sd > 0, centred / jnp.where(sd > 0, sd, 1), 0)


def window(
    z: Float[Array, "volumes channels bins"], volume_index: Int[Array, "*batch"], n_windows: int = N_WINDOWS
) -> Float[Array, "*batch channels bins windows"]:
    """Input of the network for some volumes: the spectra of the ``n_windows`` volumes before each, oldest first.

    Works alike on arrays of NumPy and JAX, and inside jitted functions.

    Parameters
    ----------
    z
        :attr:`VolumeSpectra.z`.
    volume_index
        Volumes to predict, none below ``n_windows``.
    n_windows
        Length of the history.
    """
    rows = volume_index[..., None] + np.arange(-n_windows, 0)
    return z[rows].swapaxes(-3, -2).swapaxes(-2, -1)


def windows(
    z: Float[np.ndarray, "volumes channels bins"], n_windows: int = N_WINDOWS
) -> Float[np.ndarray, "inputs channels bins windows"]:
    """Inputs of all volumes from ``n_windows`` on, as a view: row i belongs to volume ``i + n_windows``."""
    return np.lib.stride_tricks.sliding_window_view(z[:-1], n_windows, axis=0)


def window_samples(tr_s: float, sfreq_hz: float) -> int:
    """Whole samples in a repetition time."""
    return floor(tr_s * sfreq_hz + _ROUNDING)


def windows_that_cover(tr_s: float, segment_s: float = SEGMENT_S) -> int:
    """Fewest whole repetition times that are together at least as long as a segment.

    The published text predicts a volume from 26 s of EEG, the published code from 10 repetition times.
    """
    return ceil(segment_s / tr_s - _ROUNDING)


def _standardised(windows: Float[Array, "volumes channels samples"], n_bins: int) -> Float[Array, "..."]:
    return standardise_channels(amplitude_spectra(windows, n_bins))


_standardised_step = jax.jit(_standardised, static_argnums=1)
