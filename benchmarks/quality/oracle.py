"""The ceiling: a predictor that knows what every source does, and has to learn no more than 48 numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view
from scipy.spatial.distance import cdist

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.eeg.spectra import BANDS_HZ, HOP_S, HOPS_PER_WINDOW, frame_times_s, hop_samples
from bids_eeg2fmri.learning.ridge import accumulate, solve
from bids_eeg2fmri.network.lags import lagged_features
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig
from bids_eeg2fmri.phantom.person import PersonSpec
from bids_eeg2fmri.phantom.sources import SourceActivity

# A few dozen weights, a million rows: the penalty only keeps the matrix regular.
_PENALTY = 1e-4
# BOLD spreads to the neighbours, and their sources say what a parcel's few leave open; 20 to 45 mm do as well.
_SURROUNDINGS_FWHM_MM = 30.0

Pairs = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]


def source_features(
    activity: SourceActivity,
    spec: PersonSpec,
    config: NeuralFieldConfig,
    volume_times_s: Float[np.ndarray, " volumes"],
) -> Float[np.ndarray, "volumes parcels features"]:
    """Log band power of the true dipole moments, averaged over each parcel's sources, through the bank of lags."""
    log_power = log_band_power(activity.moments_am, activity.sfreq_hz)
    members = (spec.parcels == np.arange(config.n_parcels)[:, None]).astype(np.float32)
    members /= np.maximum(members.sum(axis=1, keepdims=True), 1)
    parcels = np.einsum("ps,fsb->fpb", members, log_power, optimize=True)
    z = (parcels - parcels.mean(axis=0)) / np.maximum(parcels.std(axis=0), 1e-6)
    lagged = lagged_features(
        z.astype(np.float32),
        frame_times_s(len(z), activity.sfreq_hz),
        volume_times_s,
        peaks_s=config.peaks_s,
        widths_s=config.widths_s,
        hop_s=HOP_S,
    )
    by_lag = np.asarray(lagged).reshape(len(volume_times_s), len(config.peaks_s), config.n_parcels, -1)
    return by_lag.transpose(0, 2, 1, 3).reshape(len(volume_times_s), config.n_parcels, -1)


def log_band_power(
    moments_am: Float[np.ndarray, "sources samples"], sfreq_hz: float
) -> Float[np.ndarray, "frames sources bands"]:
    """Log band power of every source in the frames of the recordings' spectra, up to a constant."""
    hop = hop_samples(sfreq_hz)
    length = HOPS_PER_WINDOW * hop
    window = np.hanning(length).astype(np.float32)
    freqs_hz = np.fft.rfftfreq(length, 1 / sfreq_hz)
    bands = np.stack([(freqs_hz >= low) & (freqs_hz < high) for low, high in BANDS_HZ], axis=1).astype(np.float32)
    bands /= bands.sum(axis=0)
    # Single sources: the frames of all at once would fill the memory.
    power = [
        np.square(np.abs(np.fft.rfft(sliding_window_view(moment, length)[::hop] * window, axis=1))) @ bands
        for moment in moments_am / np.float32(1e-9)
    ]
    return np.log(np.stack(power, axis=1) + np.finfo(np.float32).tiny).astype(np.float32)


@dataclass(frozen=True)
class Oracle:
    """A ridge from the true sources of a parcel and its surroundings to its BOLD; all parcels share the weights.

    Attributes
    ----------
    weights
        One per lag and band, of the parcel and of its surroundings.
    sd
        Root mean square of what it leaves of every parcel's noisy BOLD among the people it was fitted on.
    """

    weights: Float[np.ndarray, " features"]
    sd: Float[np.ndarray, " parcels"]

    @classmethod
    def fit(cls, people: Pairs) -> Oracle:
        """Fit to pairs of source features and noisy parcel series; they are read twice."""
        flat = ((_flat(with_surroundings(x)), y.reshape(-1, 1)) for x, y in people())
        moments = accumulate(flat)
        weights = solve(moments.gram, moments.cross, _PENALTY)[:, 0]
        squares = [np.square(with_surroundings(x) @ weights - y).mean(axis=0) for x, y in people()]
        return cls(weights, np.sqrt(np.mean(squares, axis=0)))

    def __call__(self, features: Float[np.ndarray, "volumes parcels features"]) -> Float[np.ndarray, "volumes parcels"]:
        """Predicted BOLD of every parcel."""
        return with_surroundings(features) @ self.weights


def with_surroundings(
    features: Float[np.ndarray, "volumes parcels features"],
) -> Float[np.ndarray, "volumes parcels twice"]:
    """Every parcel's features, and their mean around it, weighted by a Gaussian of the distance between centres."""
    own = features.astype(np.float32)
    return np.concatenate([own, np.einsum("pq,vqf->vpf", _nearness(), own, optimize=True)], axis=2)


@lru_cache(maxsize=1)
def _nearness() -> Float[np.ndarray, "parcels parcels"]:
    centres_mm = load_atlas().centres_mm
    weights = np.exp(-4 * np.log(2) * np.square(cdist(centres_mm, centres_mm) / _SURROUNDINGS_FWHM_MM))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _flat(features: Float[np.ndarray, "volumes parcels features"]) -> Float[np.ndarray, "rows features"]:
    return features.reshape(-1, features.shape[-1])
