from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.eeg import cleaning
from bids_eeg2fmri.eeg.bad_segments import gain
from bids_eeg2fmri.eeg.cleaning import Known, clean_in_place
from bids_eeg2fmri.eeg.flat import flat_windows, saturated_share
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.recording import Cleaning
from bids_eeg2fmri.eeg.samples import Samples
from bids_eeg2fmri.eeg.standard_montage import standard_positions
from bids_eeg2fmri.eeg.window_ends import window_ends
from bids_eeg2fmri.errors import BadDataError

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat" / "sub-01" / "eeg"
# Windows of 0.25 s are whole numbers of samples.
SFREQ_HZ = 200.0
WINDOW = 50
NOTHING_KNOWN = Known({}, (), None)


@pytest.fixture(scope="module")
def eeg(simulate, cap) -> np.ndarray:
    return simulate(cap, SFREQ_HZ, 70.0).astype(np.float32)


def at_the_ends(signals_v: np.ndarray) -> np.ndarray:
    ends = window_ends(signals_v, WINDOW)
    return saturated_share(ends, np.zeros(ends.lowest.shape, bool))


def cleaned(signals_v: np.ndarray, cap: list[str], known: Known = NOTHING_KNOWN) -> tuple[np.ndarray, Cleaning]:
    ends, signals_v = window_ends(signals_v, WINDOW), signals_v.copy()
    positions_m = np.array([standard_positions("standard_1005")[name] for name in cap])
    missing = np.zeros((len(cap), -(-signals_v.shape[1] // WINDOW)), dtype=bool)
    samples = Samples(signals_v, SFREQ_HZ, missing, ends)
    _, account = clean_in_place(samples, cap, positions_m, known, Path("x.edf"))
    return signals_v, account


def held(signals_v: np.ndarray, start_s: float, stop_s: float, n_channels: int) -> np.ndarray:
    """The first channels keep the value that they have at the start."""
    signals_v = signals_v.copy()
    start, stop = round(start_s * SFREQ_HZ), round(stop_s * SFREQ_HZ)
    signals_v[:n_channels, start:stop] = signals_v[:n_channels, start : start + 1]
    return signals_v


def test_a_range_that_is_too_small_shows(eeg: np.ndarray, cap: list[str]) -> None:
    times_s = np.arange(eeg.shape[1]) / SFREQ_HZ
    jump = eeg[0].copy()
    jump[7000:7005] = 5.0
    fine = np.stack([eeg[1], jump, 1e-5 * np.sin(2 * np.pi * 9.97 * times_s)])
    assert at_the_ends(fine).max() < 0.03
    clipped = np.clip(eeg, -0.8 * eeg.std(axis=1, keepdims=True), 0.8 * eeg.std(axis=1, keepdims=True))
    assert at_the_ends(clipped).min() > 0.3
    some = eeg.copy()
    some[3:5] = clipped[3:5]
    bad = cleaned(some, cap)[1].bad_channels
    assert set(bad) == set(cap[3:5]) and all(reason.startswith("saturated") for reason in bad.values())


def padded_end(signals_v: np.ndarray) -> None:
    signals_v[:, -4000:] = 0.0


def padded_start(signals_v: np.ndarray) -> None:
    signals_v[:, :4000] = 0.0


def blocked_amplifier(signals_v: np.ndarray) -> None:
    signals_v[:, :5000] = 25e-3


@pytest.mark.parametrize("spoil", [padded_end, padded_start, blocked_amplifier])
def test_what_is_not_recorded_does_not_saturate(simulate, cap, spoil) -> None:
    """As with amplifiers that keep the offsets of the electrodes, of many millivolts."""
    offsets_v = np.random.default_rng(0).uniform(-20e-3, 20e-3, (len(cap), 1))
    signals_v = (simulate(cap, SFREQ_HZ, 180.0) + offsets_v).astype(np.float32)
    spoil(signals_v)
    _, account = cleaned(signals_v, cap)
    assert account.bad_channels == {}
    assert sum(end_s - start_s for start_s, end_s in account.bad_segments_s) < 30


def test_what_is_marked_as_bad_does_not_saturate(eeg, cap) -> None:
    signals_v = eeg.copy()
    signals_v[:5, 2000:4000] = 3e-3
    assert set(cleaned(signals_v, cap)[1].bad_channels) == set(cap[:5])
    assert cleaned(signals_v, cap, Known({}, [(10.0, 20.0)], None))[1].bad_channels == {}


@pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0, 2048.0])
def test_saturation_shows_at_any_rate(simulate, cap, brainvision, tmp_path, recording_file, settings, sfreq_hz) -> None:
    signals_v = simulate(cap, sfreq_hz, 62.0)
    signals_v[:6] = np.clip(1e3 * signals_v[:6], -3.28e-3, 3.28e-3)
    file = recording_file(brainvision(tmp_path, signals_v, sfreq_hz, cap))
    bad = read_recording(file, settings()).cleaning.bad_channels
    assert set(bad) == set(cap[:6]) and all(reason.startswith("saturated") for reason in bad.values())


def test_windows_that_hold_one_value() -> None:
    signals_v = np.arange(2.0 * 5 * WINDOW).reshape(2, 5 * WINDOW)
    signals_v[0, WINDOW - 1 : 3 * WINDOW - 1] = 7.0
    expected = [[False, True, False, False, False], [False] * 5]
    np.testing.assert_array_equal(window_ends(signals_v, WINDOW).constant, expected)


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
    monkeypatch.setattr(cleaning, "flat_windows", lambda constant: np.zeros(constant.shape[1], bool))
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
