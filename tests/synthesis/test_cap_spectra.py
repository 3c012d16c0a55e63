"""Windows of the published network: where they lie, what is zero, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.network.calhas2022.trained import Calhas2022Facts
from bids_eeg2fmri.synthesis.cap_spectra import compute_cap_spectra

NAMES = ("F3", "Fz", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4", "Oz")
SFREQ_HZ, TR_S, N_BINS = 100.0, 2.0, 30
POSITIONS = template_positions_m(NAMES)
FACTS = Calhas2022Facts(NAMES, tuple(map(tuple, POSITIONS.tolist())), TR_S, tuple(map(tuple, np.eye(4).tolist())))


@pytest.fixture(scope="module")
def recording() -> Recording:
    signals = np.random.default_rng(0).standard_normal((len(NAMES), round(80 * SFREQ_HZ))).astype(np.float32)
    nothing = np.zeros((len(NAMES), 1))
    return Recording(
        signals_v=1e-5 * (signals - signals.mean(axis=0)),
        sfreq_hz=SFREQ_HZ,
        source_sfreq_hz=SFREQ_HZ,
        channel_names=NAMES,
        positions_m=POSITIONS,
        positions_source="file",
        good=np.ones(len(NAMES), bool),
        left_out={},
        events=(),
        clock=VolumeClock(5.0, TR_S, 30, "markers: R128"),
        cleaning=Cleaning((), {}, (), None, np.zeros(1), nothing, nothing),
        reference="average",
        source=Path("sub-01_task-rest_eeg.edf"),
    )


def by_hand(recording: Recording, start_s: float) -> np.ndarray:
    """Z over channels of the amplitude spectrum of one window."""
    first = round(start_s * SFREQ_HZ)
    spectrum = np.abs(np.fft.rfft(recording.signals_v[:, first : first + round(TR_S * SFREQ_HZ)]))[:, 1 : N_BINS + 1]
    return (spectrum - spectrum.mean(axis=0)) / spectrum.std(axis=0)


def test_the_windows_end_at_the_volume(recording: Recording) -> None:
    spectra = compute_cap_spectra(recording, FACTS, N_BINS)
    windows, recorded = spectra.before(recording.clock.onsets_s, 4)
    assert windows.shape == (30, len(NAMES), N_BINS, 4)
    # Five seconds of EEG precede the first volume: two windows of two seconds.
    assert recorded.sum(axis=1).tolist() == [2, 3, *[4] * 28]
    assert not windows[0, :, :, :2].any()
    for volume, window in ((0, 3), (10, 0), (29, 3)):
        start_s = recording.clock.onsets_s[volume] - (4 - window) * TR_S
        np.testing.assert_allclose(windows[volume, :, :, window], by_hand(recording, start_s), atol=1e-3)


def test_another_repetition_time_keeps_the_length_of_the_windows(recording: Recording) -> None:
    spectra = compute_cap_spectra(recording, FACTS, N_BINS)
    windows, recorded = spectra.before(5.0 + 1.3 * np.arange(50), 3)
    assert recorded[2:].all()
    np.testing.assert_allclose(windows[20, :, :, 1], by_hand(recording, 5.0 + 26.0 - 2 * TR_S), atol=1e-3)


def test_bad_segments_are_not_read(recording: Recording) -> None:
    spoilt = replace(recording, cleaning=replace(recording.cleaning, bad_segments_s=((20.5, 21.0),)))
    onsets_s = recording.clock.onsets_s
    windows, recorded = compute_cap_spectra(spoilt, FACTS, N_BINS).before(onsets_s, 1)
    missing = np.flatnonzero(~recorded[:, 0])
    assert onsets_s[missing].tolist() == [21.0]
    assert not windows[missing].any()
    whole, _ = compute_cap_spectra(recording, FACTS, N_BINS).before(onsets_s, 1)
    np.testing.assert_allclose(np.delete(windows, missing, 0), np.delete(whole, missing, 0), atol=1e-5)


def test_what_the_recording_does_not_hold_is_refused(recording: Recording) -> None:
    with pytest.raises(BadDataError, match=r"up to 52\.5 Hz; EEG at 100 Hz ends at 50 Hz"):
        compute_cap_spectra(recording, FACTS, 105)
    # The training data did not hold these frequencies either.
    assert compute_cap_spectra(recording, replace(FACTS, highest_hz=50.0), 105).n_bins == 105
    bad = replace(recording, cleaning=replace(recording.cleaning, bad_segments_s=((20.0, 80.0),)))
    with pytest.raises(BadDataError, match="only 9 windows of 2 s"):
        compute_cap_spectra(bad, FACTS, N_BINS)
