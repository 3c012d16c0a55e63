"""What is recorded of the test people: caps, controls, and EEG that is not what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.eeg.amplitude import robust_sd
from bids_eeg2fmri.eeg.bad_segments import Stretch
from bids_eeg2fmri.eeg.leadfield import sources_in_sphere
from bids_eeg2fmri.eeg.recording import Recording
from bids_eeg2fmri.phantom.person import PersonSpec

CAPS = (19, 32, 64, 128)
CAP = 64
TR_S = 2.0
DURATION_S = 300.0
# One rate, which archives use: others cost time in proportion and change no band.
SFREQ_HZ = 128.0

HALF_NOISE = "half the electrodes are noise"
CAP_SHUFFLED = "cap shuffled"
WHITE_NOISE = "EEG replaced by white noise"
WHITE_NOISE_RAW = "EEG replaced by white noise before cleaning"
MISSING = "40 % of the recording missing"
CORRUPTIONS = (HALF_NOISE, CAP_SHUFFLED, WHITE_NOISE, MISSING)
FLAGGED = (CAP_SHUFFLED, WHITE_NOISE, MISSING)
UNMODULATED = "coupling 0"
DECOUPLED = "decoupled"
TRANSFER = "transfer generator"
DEEP = "deep-only sources"
SHUFFLED, ZEROED = "EEG shuffled", "EEG zeroed"

_MISSING_SHARE, _STRETCH_S = 0.4, 15.0
# Distance from the middle of the 90 mm ball: subcortex, cingulate, medial temporal lobe, insula.
_DEEP_WITHIN_M = 0.040


def on_cap(cap: int) -> str:
    """Label of the usual recording on a cap."""
    return f"{cap} channels"


def altered(label: str, how: str) -> str:
    """Label of a recording whose EEG was shuffled or zeroed after cleaning: a baseline."""
    return f"{label}, {how}"


def half_noise(
    signals_v: Float[np.ndarray, "channels samples"], rng: np.random.Generator
) -> Float[np.ndarray, "channels samples"]:
    """Potentials of which half the electrodes, at random, hold white noise with the amplitude of a usual one."""
    noisy = rng.permutation(len(signals_v))[: len(signals_v) // 2]
    centred = signals_v - np.median(signals_v, axis=1, keepdims=True)
    changed = signals_v.copy()
    changed[noisy] = np.median(robust_sd(centred)) * _noise((len(noisy), signals_v.shape[1]), rng)
    return changed


def white(
    signals_v: Float[np.ndarray, "channels samples"], rng: np.random.Generator
) -> Float[np.ndarray, "channels samples"]:
    """White noise with each channel's amplitude, independent in all channels."""
    centred = signals_v - np.median(signals_v, axis=1, keepdims=True)
    return robust_sd(centred)[:, None].astype(np.float32) * _noise(signals_v.shape, rng)


def white_recording(recording: Recording, rng: np.random.Generator) -> Recording:
    """A cleaned recording whose good channels hold white noise of their amplitude, average reference again."""
    noise = white(np.asarray(recording.signals_v), rng)
    noise -= noise[recording.good].mean(axis=0)
    return replace(recording, signals_v=np.where(recording.good[:, None], noise, 0).astype(np.float32))


def shuffled_cap(
    signals_v: Float[np.ndarray, "channels samples"], rng: np.random.Generator
) -> Float[np.ndarray, "channels samples"]:
    """Potentials under the wrong electrodes' names: the same signals in a random order of channels."""
    return signals_v[rng.permutation(len(signals_v))]


def missing_stretches(duration_s: float, rng: np.random.Generator) -> tuple[Stretch, ...]:
    """Stretches of 15 s at random places that together are 40 % of a recording."""
    count = round(_MISSING_SHARE * duration_s / _STRETCH_S)
    gaps = rng.dirichlet(np.ones(count + 1)) * (duration_s - count * _STRETCH_S)
    starts = np.cumsum(gaps[:-1]) + _STRETCH_S * np.arange(count)
    return tuple((float(start), float(start + _STRETCH_S)) for start in starts)


@lru_cache(maxsize=1)
def deep_parcels() -> Bool[np.ndarray, " parcels"]:
    """Parcels whose centre lies within 40 mm of the middle of the head."""
    return np.linalg.norm(sources_in_sphere(load_atlas().centres_mm), axis=1) < _DEEP_WITHIN_M


def deep_only(spec: PersonSpec) -> PersonSpec:
    """The person with BOLD, and EEG that is coupled to it, in deep parcels alone.

    Superficial sources keep their rhythms, and the fluctuations that BOLD knows nothing of.
    """
    deep = deep_parcels()[spec.parcels]
    return replace(
        spec,
        regional_coupling=np.where(deep, spec.regional_coupling, 0),
        bold_percent=np.where(deep, spec.bold_percent, 0),
    )


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Float[np.ndarray, "channels samples"]:
    return rng.standard_normal(shape, np.float32)


def tested_labels() -> Iterator[str]:
    """Labels of every recording that the model is scored on, baselines left out."""
    yield from (on_cap(cap) for cap in CAPS)
    yield from (TRANSFER, UNMODULATED, DECOUPLED, *CORRUPTIONS, DEEP)
