"""EEG that cannot know the BOLD: what a model scores on it was not read from the EEG's course."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..eeg.recording import Recording

# Longer than a spectral window, far shorter than the haemodynamic memory.
BLOCK_S = 4.0


def shuffled(recording: Recording, seed: int = 0) -> Recording:
    """The same EEG with its blocks of 4 s in another order: every spectrum, nothing at its time."""
    length = round(BLOCK_S * recording.sfreq_hz)
    n_blocks = recording.signals_v.shape[1] // length
    order = np.random.default_rng([0x5F0F, seed]).permutation(n_blocks)
    whole = np.asarray(recording.signals_v[:, : n_blocks * length])
    mixed = whole.reshape(len(whole), n_blocks, length)[:, order].reshape(len(whole), -1)
    return _with_signals(recording, np.concatenate([mixed, recording.signals_v[:, n_blocks * length :]], axis=1))


def zeroed(recording: Recording) -> Recording:
    """Electrodes that say nothing: what is predicted from them is what the model says anyhow."""
    return _with_signals(recording, np.zeros_like(recording.signals_v))


def _with_signals(recording: Recording, signals_v: np.ndarray) -> Recording:
    changed = np.where(recording.good[:, None], signals_v, 0).astype(np.float32)
    return replace(recording, signals_v=changed)
