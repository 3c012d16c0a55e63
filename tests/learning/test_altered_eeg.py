"""Altered EEG keeps what it should keep and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.learning.altered_eeg import BLOCK_S, shuffled, zeroed


def recording(n_samples: int = 4100, sfreq_hz: float = 100.0) -> Recording:
    signals = np.random.default_rng(0).standard_normal((3, n_samples)).astype(np.float32)
    signals[2] = 0
    psd = np.zeros((3, 2))
    return Recording(
        signals_v=signals,
        sfreq_hz=sfreq_hz,
        source_sfreq_hz=sfreq_hz,
        channel_names=("C3", "C4", "Cz"),
        positions_m=np.zeros((3, 3)),
        positions_source="file",
        good=np.array([True, True, False]),
        left_out={},
        events=(),
        clock=VolumeClock(0.0, 2.0, 20, "assumed"),
        cleaning=Cleaning((), {}, (), None, np.zeros(2), psd, psd),
        reference="n/a",
        source=Path("x.edf"),
    )


def test_shuffling_moves_whole_blocks_and_keeps_channels_together() -> None:
    before = recording()
    after = shuffled(before, seed=3)
    length = round(BLOCK_S * before.sfreq_hz)
    blocks = before.signals_v[:, : 10 * length].reshape(3, 10, length)
    moved = after.signals_v[:, : 10 * length].reshape(3, 10, length)
    order = [int(np.flatnonzero((blocks[0] == block).all(axis=1))[0]) for block in moved[0]]
    assert sorted(order) == list(range(10)) and order != sorted(order)
    np.testing.assert_array_equal(moved, blocks[:, order])
    np.testing.assert_array_equal(after.signals_v[:, 10 * length :], before.signals_v[:, 10 * length :])
    assert after.clock == before.clock


def test_the_seed_decides_the_order() -> None:
    before = recording()
    np.testing.assert_array_equal(shuffled(before, 1).signals_v, shuffled(before, 1).signals_v)
    assert (shuffled(before, 1).signals_v != shuffled(before, 2).signals_v).any()


def test_zeroed_electrodes_say_nothing() -> None:
    after = zeroed(recording())
    assert after.signals_v.shape == (3, 4100) and not after.signals_v.any()
