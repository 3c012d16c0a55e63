"""Constants of the novelty score: what the spectra of the training people look like."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...network.calhas2022.trained import Bands, TrainedCalhas2022
from ...network.novelty import Description, as_description
from ..novelty import fit_novelty_axes, fit_novelty_scale
from .cache import CachedRecording
from .volumes import Volumes


class Described(NamedTuple):
    """A recording as the novelty score sees it.

    Attributes
    ----------
    features
        Band means of the windows before each usable volume, less the recording's.
    evidence
        Share of these windows that were recorded: all of them.
    description
        Mean of each band over the recording.
    """

    features: Float[np.ndarray, "volumes features"]
    evidence: Float[np.ndarray, " volumes"]
    description: Description


def set_novelty(trained: TrainedCalhas2022, training: Volumes, held_out: Volumes) -> None:
    """Principal axes from the training people, scale and quantiles from people not trained on."""
    described = (_describe(recording, trained) for recording in training.recordings)
    n_features = len(trained.facts.channel_names) * len(trained.bands.edges_hz)
    gram, count, descriptions = np.zeros((n_features, n_features)), 0, []
    for features, evidence, description in described:
        gram += features.T.astype(float) @ features
        count += len(evidence)
        descriptions.append(description)
    fit_novelty_axes(trained.novelty, gram, count, descriptions)
    fit_novelty_scale(trained.novelty, (_describe(recording, trained) for recording in held_out.recordings))


def _describe(recording: CachedRecording, trained: TrainedCalhas2022) -> Described:
    """Describe the usable volumes as :func:`bids_eeg2fmri.synthesis.published.describe` does."""
    usable, profile = np.asarray(recording.usable), np.asarray(recording.profile)
    bands = _band_means(recording, trained.bands) - profile
    sums = np.concatenate([np.zeros((1, bands.shape[1])), np.cumsum(bands, axis=0, dtype=float)])
    features = (sums[usable] - sums[usable - trained.n_windows]) / trained.n_windows
    return Described(features.astype(np.float32), np.ones(len(usable), np.float32), as_description(profile))


def _band_means(recording: CachedRecording, bands: Bands) -> Float[np.ndarray, "volumes features"]:
    means = bands.means(recording.spectra)
    return means.reshape(len(means), -1)
