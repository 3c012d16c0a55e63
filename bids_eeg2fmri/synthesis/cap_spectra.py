"""What the published network receives of a recording: spectra of windows of one repetition time, on its own cap.

Training and synthesis both take their spectra from here, so that a channel, a window or a bad segment means the same
in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..eeg.cap_match import CapMatch, match_cap
from ..eeg.recording import Recording
from ..eeg.volume_spectra import volume_spectra, window_samples
from ..errors import BadDataError
from ..network.calhas2022.trained import Bands, Calhas2022Facts

MIN_CLEAN_WINDOWS = 15
_WINDOWS_PER_BLOCK = 64
_MIN_SD = 1e-3


@dataclass(frozen=True)
class CapSpectra:
    """Spectra of a recording's windows on a network's cap, taken when they are asked for.

    A window is as long as the repetition time that the network was trained at, whatever the recording's own: those of
    a volume follow each other, and the last of them ends at the volume's onset.

    Attributes
    ----------
    recording, cap
        The EEG, and how the network's channels are made of it.
    tr_s, n_bins
        Length of a window in seconds, and bins of its spectrum.
    """

    recording: Recording
    cap: CapMatch
    tr_s: float
    n_bins: int

    def at(
        self, first_samples: Int[np.ndarray, " windows"]
    ) -> tuple[Float[np.ndarray, "windows channels bins"], Bool[np.ndarray, " windows"]]:
        """Spectra of the windows that start at these samples, z over channels, and which of them were recorded.

        A window that reaches beyond the recording or touches a bad segment was not recorded: its spectrum is zero,
        which is the mean over channels.
        """
        recorded = self._recorded(first_samples)
        spectra = np.zeros((len(first_samples), len(self.cap.channel_names), self.n_bins), np.float32)
        wanted = np.flatnonzero(recorded)
        for start in range(0, len(wanted), _WINDOWS_PER_BLOCK):
            block = wanted[start : start + _WINDOWS_PER_BLOCK]
            spectra[block] = self._block(first_samples[block])
        return spectra, recorded

    def before(
        self, volume_onsets_s: Float[np.ndarray, " volumes"], n_windows: int
    ) -> tuple[Float[np.ndarray, "volumes channels bins windows"], Bool[np.ndarray, "volumes windows"]]:
        """The windows before each volume, oldest first, and which of them were recorded."""
        back_s = self.tr_s * np.arange(n_windows, 0, -1)
        first_samples = np.rint((volume_onsets_s[:, None] - back_s) * self.recording.sfreq_hz).astype(int)
        # Volumes that follow each other by a window's length share windows: each of these is transformed once.
        shared, index = np.unique(first_samples, return_inverse=True)
        spectra, recorded = self.at(shared)
        index = index.reshape(first_samples.shape)
        return np.moveaxis(spectra[index], 1, -1), recorded[index]

    @property
    def bands(self) -> Bands:
        """Bands of the spectra."""
        return Bands(self.tr_s, self.n_bins)

    @property
    def band_mean(self) -> Float[np.ndarray, "channels bands"]:
        """Mean of every band over the recorded windows that tile the EEG."""
        return self._band_windows.mean(axis=0)

    @property
    def band_sd(self) -> Float[np.ndarray, "channels bands"]:
        """Standard deviation of every band over the same windows."""
        return np.maximum(self._band_windows.std(axis=0), _MIN_SD)

    @property
    def profile(self) -> Float[np.ndarray, " profile"]:
        """How band amplitudes spread over the cap on average: what the novelty score compares between recordings."""
        return self.band_mean.ravel()

    @property
    def n_clean_windows(self) -> int:
        """Recorded windows among those that tile the EEG."""
        return len(self._band_windows)

    @cached_property
    def _band_windows(self) -> Float[np.ndarray, "windows channels bands"]:
        blocks = [self.bands.means(spectra[recorded]) for spectra, recorded in self._tiles()]
        return np.concatenate(blocks)

    def _tiles(self) -> Iterator[tuple[Float[np.ndarray, "windows channels bins"], Bool[np.ndarray, " windows"]]]:
        """The windows that tile the EEG in step with its volumes, block by block."""
        recording = self.recording
        n_windows = int(recording.duration_s / self.tr_s)
        onsets_s = recording.clock.first_volume_onset_s % self.tr_s + self.tr_s * np.arange(n_windows)
        first_samples = np.rint(onsets_s * recording.sfreq_hz).astype(int)
        for start in range(0, max(n_windows, 1), _WINDOWS_PER_BLOCK):
            yield self.at(first_samples[start : start + _WINDOWS_PER_BLOCK])

    @property
    def _length(self) -> int:
        return window_samples(self.tr_s, self.recording.sfreq_hz)

    def _recorded(self, first_samples: Int[np.ndarray, " windows"]) -> Bool[np.ndarray, " windows"]:
        ends = first_samples + self._length
        inside = (first_samples >= 0) & (ends <= self.recording.signals_v.shape[1])
        for start_s, stop_s in self.recording.cleaning.bad_segments_s:
            start, stop = start_s * self.recording.sfreq_hz, stop_s * self.recording.sfreq_hz
            inside &= (ends <= start) | (first_samples >= stop)
        return inside

    def _block(self, first_samples: Int[np.ndarray, " windows"]) -> Float[np.ndarray, "windows channels bins"]:
        """Spectra of recorded windows: cut out, joined and brought to the cap."""
        signals_v, length = self.recording.signals_v, self._length
        joined = np.concatenate([signals_v[:, first : first + length] for first in first_samples], axis=1)
        sfreq_hz = self.recording.sfreq_hz
        onsets_s = np.arange(len(first_samples)) * (length / sfreq_hz)
        return volume_spectra(self.cap.operator @ joined, sfreq_hz, onsets_s, self.tr_s, n_bins=self.n_bins).z


def compute_cap_spectra(recording: Recording, facts: Calhas2022Facts, n_bins: int) -> CapSpectra:
    """Match a recording to a network's cap.

    Raises
    ------
    BadDataError
        Another cap, a sampling rate too low for the highest frequency that the network was trained on, or fewer than
        15 windows free of artefacts.
    """
    highest_hz = n_bins / facts.tr_s if facts.highest_hz is None else facts.highest_hz
    if highest_hz > recording.sfreq_hz / 2:
        raise BadDataError(
            f"the model was trained on frequencies up to {highest_hz:.1f} Hz; EEG at {recording.sfreq_hz:g} Hz ends at "
            f"{recording.sfreq_hz / 2:g} Hz.",
            path=recording.source,
            remedy="Give EEG with a higher sampling rate; the default model, neuralfield-sim, takes this one.",
        )
    cap = match_cap(recording, facts.channel_names, np.array(facts.positions_m))
    spectra = CapSpectra(recording, cap, facts.tr_s, n_bins)
    if spectra.n_clean_windows < MIN_CLEAN_WINDOWS:
        raise BadDataError(
            f"only {spectra.n_clean_windows} windows of {facts.tr_s:g} s are free of artefacts.",
            path=recording.source,
            remedy="Clean the recording first and give it with --derivatives clean=PATH.",
        )
    return spectra
