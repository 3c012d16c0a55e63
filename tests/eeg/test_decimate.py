from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mne
import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.eeg import samples
from bids_eeg2fmri.eeg.decimate import decimated_block, decimation_factor
from bids_eeg2fmri.eeg.samples import read_samples
from bids_eeg2fmri.eeg.window_ends import window_ends
from bids_eeg2fmri.errors import BadDataError, WriteError


@given(st.floats(100, 50_000))
def test_rate_after_decimation(sfreq_hz: float) -> None:
    factor = decimation_factor(sfreq_hz)
    assert 250 <= sfreq_hz / factor <= 500 if sfreq_hz > 500 else factor == 1


@pytest.mark.parametrize("factor", [2, 3, 20])
def test_blocks_are_scipys_decimation_of_the_whole(factor: int) -> None:
    n_samples = 7_003
    signal = np.random.default_rng(0).standard_normal((2, n_samples)).cumsum(axis=1)
    length = -(-n_samples // factor)
    edges = [0, 40, 41, 200, length]
    blocks = [
        decimated_block(lambda a, b: signal[:, a:b], start, stop, factor=factor, n_samples=n_samples)
        for start, stop in pairwise(edges)
    ]
    ours = np.concatenate(blocks, axis=1)
    pad = 40 * factor
    padded = np.pad(signal, ((0, 0), (pad, pad)), mode="edge")
    whole = scipy.signal.decimate(padded, factor, ftype="fir", zero_phase=True, axis=1)
    np.testing.assert_allclose(ours, whole[:, 40 : 40 + length], atol=1e-10)


def test_nothing_moves_and_nothing_folds() -> None:
    times_s = np.arange(20_000) / 1000
    signal = np.sin(2 * np.pi * 20 * times_s) + np.sin(2 * np.pi * 245 * times_s)
    ours = decimated_block(lambda a, b: signal[None, a:b], 0, 5000, factor=4, n_samples=20_000)[0]
    np.testing.assert_allclose(ours[50:-50], np.sin(2 * np.pi * 20 * times_s[::4])[50:-50], atol=5e-3)


def raw_of(signals: np.ndarray, sfreq_hz: float) -> mne.io.RawArray:
    info = mne.create_info([f"E{i}" for i in range(len(signals))], sfreq_hz, "eeg")
    return mne.io.RawArray(signals, info, verbose="ERROR")


@pytest.mark.parametrize("mapped", [False, True])
def test_read_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool) -> None:
    monkeypatch.setattr(samples, "_BLOCK_S", 3.0)
    signals = 1e-5 * np.random.default_rng(0).standard_normal((3, 10_500))
    work_dir = tmp_path / "work" if mapped else None
    read = read_samples(raw_of(signals, 1000.0), ["E2", "E0"], [1.0, 1e-3], Path("x"), work_dir)
    assert read.sfreq_hz == 250.0
    assert read.signals_v.dtype == np.float32
    whole = scipy.signal.decimate(signals, 4, ftype="fir", zero_phase=True)[[2, 0]] * [[1.0], [1e-3]]
    np.testing.assert_allclose(read.signals_v[:, 20:-20], whole[:, 20:-20], atol=1e-11)
    assert not read.missing.any()
    # Blocks and their margins change nothing in the windows, which are those of the whole file.
    ends = window_ends(signals[[2, 0]] * [[1.0], [1e-3]], 4 * round(0.25 * 250))
    for name in ("lowest", "highest", "n_lowest", "n_highest"):
        np.testing.assert_array_equal(getattr(read.ends, name), getattr(ends, name))
    if work_dir is not None:
        assert list(work_dir.iterdir()) == []


def test_missing_samples_are_found_and_filled() -> None:
    signals = 5.0 + np.random.default_rng(0).standard_normal((2, 5000))
    signals[0, 1000:1100] = np.nan
    signals[1, :] = np.inf
    read = read_samples(raw_of(signals, 250.0), ["E0", "E1"], [1.0, 1.0], Path("x"), None)
    assert np.isfinite(read.signals_v).all()
    window = round(0.25 * 250)
    assert np.flatnonzero(read.missing[0]).tolist() == list(range(1000 // window, 1099 // window + 1))
    assert read.missing[1].all()
    assert abs(read.signals_v[0, 1000] - 5) < 0.2


def test_a_block_that_cannot_be_read_names_the_samples() -> None:
    raw = raw_of(np.zeros((1, 1000)), 250.0)
    raw.get_data = lambda **_: (_ for _ in ()).throw(OSError("disk gone"))
    with pytest.raises(BadDataError, match=r"Samples 0 to .*disk gone"):
        read_samples(raw, ["E0"], [1.0], Path("x"), None)


def test_work_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="work directory"):
        read_samples(raw_of(np.zeros((1, 1000)), 250.0), ["E0"], [1.0], Path("x"), tmp_path / "file")
