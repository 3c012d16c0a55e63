from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.eeg import cleaning
from bids_eeg2fmri.eeg.bad_segments import gain
from bids_eeg2fmri.eeg.cleaning import Known, clean_in_place
from bids_eeg2fmri.eeg.flat import constant_windows, flat_windows
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.recording import Cleaning
from bids_eeg2fmri.eeg.samples import Samples
from bids_eeg2fmri.eeg.standard_montage import standard_positions
from bids_eeg2fmri.errors import BadDataError

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat" / "sub-01" / "eeg"
# Windows of 0.25 s are whole numbers of samples.
SFREQ_HZ = 200.0
WINDOW = 50
NOTHING_KNOWN = Known({}, (), None)


@pytest.fixture(scope="module")
def eeg(simulate, cap) -> np.ndarray:
    return simulate(cap, SFREQ_HZ, 70.0).astype(np.float32)


def cleaned(signals_v: np.ndarray, cap: list[str]) -> tuple[np.ndarray, Cleaning]:
    signals_v = signals_v.copy()
    positions_m = np.array([standard_positions("standard_1005")[name] for name in cap])
    missing = np.zeros((len(cap), -(-signals_v.shape[1] // WINDOW)), dtype=bool)
    _, account = clean_in_place(Samples(signals_v, SFREQ_HZ, missing), cap, positions_m, NOTHING_KNOWN, Path("x.edf"))
    return signals_v, account


def held(signals_v: np.ndarray, start_s: float, stop_s: float, n_channels: int) -> np.ndarray:
    """The first channels keep the value that they have at the start."""
    signals_v = signals_v.copy()
    start, stop = round(start_s * SFREQ_HZ), round(stop_s * SFREQ_HZ)
    signals_v[:n_channels, start:stop] = signals_v[:n_channels, start : start + 1]
    return signals_v


def test_windows_that_hold_one_value() -> None:
    signals_v = np.arange(2.0 * 5 * WINDOW).reshape(2, 5 * WINDOW)
    signals_v[0, WINDOW - 1 : 3 * WINDOW - 1] = 7.0
    expected = [[False, True, False, False, False], [False] * 5]
    np.testing.assert_array_equal(constant_windows(signals_v, SFREQ_HZ), expected)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ("00000", "00000"),
        ("00100", "00000"),  # by chance
        ("00001", "00000"),  # the last window of a recording may be one sample long
        ("00110", "00110"),
        ("01011", "01111"),  # a step between two values
        ("11111", "11111"),
    ],
)
def test_half_a_second_is_flat(windows: str, expected: str) -> None:
    constant = np.array([[digit == "1" for digit in windows]] * 4 + [[False] * len(windows)] * 7)
    np.testing.assert_array_equal(flat_windows(constant), [digit == "1" for digit in expected])
    np.testing.assert_array_equal(flat_windows(constant[1:]), np.zeros(len(windows), bool))


def test_a_held_stretch_is_silenced_with_margins_and_named(eeg, cap) -> None:
    signals_v, account = cleaned(held(eeg, 40.1, 42.0, len(cap)), cap)
    # Seven whole windows from 40.25 s on, and one on either side.
    assert account.bad_segments_s == ((40.0, 42.25),)
    assert np.abs(signals_v[:, 8000:8450]).max() == 0.0
    factor = gain(account.bad_segments_s, SFREQ_HZ, signals_v.shape[1])
    assert np.abs(signals_v[:, factor == 1]).max() > 0
    assert account.bad_channels == {}
    sentence = next(step for step in account.steps if "silenced" in step)
    assert "1 stretches (2.2 s of 70.0 s)" in sentence
    assert "during 1.8 s of them the file holds constant values instead of EEG" in sentence


@pytest.mark.parametrize(
    ("n_channels", "stretches"), [(6, ()), (7, ((9.75, 11.25),))], ids=["a third of 19", "more than a third"]
)
def test_share_of_the_cap(eeg, cap, n_channels: int, stretches: tuple[tuple[float, float], ...]) -> None:
    _, account = cleaned(held(eeg, 10.0, 11.0, n_channels), cap)
    assert account.bad_segments_s == stretches


def test_constant_channels_do_not_count_when_they_are_bad(eeg, cap) -> None:
    _, account = cleaned(held(eeg, 0.0, 70.0, 8), cap)
    assert list(account.bad_channels.values()) == ["flat"] * 8
    assert account.bad_segments_s == ()


@pytest.mark.parametrize("step_v", [0.0, 0.5e-6, 5e-6], ids=["as it is", "0.5 uV steps", "5 uV steps"])
def test_ordinary_recordings_stay_as_they_were(eeg, cap, step_v: float, monkeypatch) -> None:
    signals_v = (step_v * np.round(eeg / step_v)).astype(np.float32) if step_v else eeg
    # An odd sample at the end is a window of its own, in which everything is constant.
    signals_v = signals_v[:, :-49]
    now, account = cleaned(signals_v, cap)
    monkeypatch.setattr(cleaning, "constant_windows", lambda x, _: np.zeros((len(x), -(-x.shape[1] // WINDOW)), bool))
    before, account_before = cleaned(signals_v, cap)
    np.testing.assert_array_equal(now, before)
    assert account.bad_segments_s == account_before.bad_segments_s == ()
    assert account.steps == account_before.steps


def test_padded_end_of_a_recording(recording_file, settings) -> None:
    """The file's last 1.96 s hold the last sample and then, from 181.09 s on, zero."""
    path = EXAMPLE / "sub-01_task-rest_eeg.edf"
    file = recording_file(path, channels_tsv=EXAMPLE / "sub-01_task-rest_channels.tsv")
    recording = read_recording(file, settings())
    start_s, end_s = recording.cleaning.bad_segments_s[-1]
    assert start_s == 180.0
    assert end_s == recording.duration_s
    assert np.abs(recording.signals_v[:, 180 * 500 :]).max() == 0.0


def test_a_minute_may_end_in_padding(eeg, cap) -> None:
    minute = eeg[:, : 62 * 200]
    _, account = cleaned(held(minute, 60.0, 62.0, len(cap)), cap)
    assert account.bad_segments_s == ((59.75, 62.0),)
    with pytest.raises(BadDataError, match=r"Only 44\.\d s of clean signal remain, 45 s are needed"):
        cleaned(held(minute, 45.0, 62.0, len(cap)), cap)
