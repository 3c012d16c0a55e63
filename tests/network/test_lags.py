"""The haemodynamic bank against its definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma

from bids_eeg2fmri.network.lags import MEMORY_S, lag_bank

PEAKS, WIDTHS = (3.5, 5.5, 8.0, 12.0), (1.5, 2.0, 3.0, 4.5)


def _bank(volume_times_s, frame_times_s):
    volumes, frames = np.asarray(volume_times_s, np.float32), np.asarray(frame_times_s, np.float32)
    return np.asarray(lag_bank(volumes, frames, peaks_s=PEAKS, widths_s=WIDTHS, hop_s=0.5))


def test_responses_are_gamma_densities_that_peak_where_they_should():
    frames = np.arange(0, 100, 0.5)
    bank = _bank([90.0], frames)[:, 0]
    lag = 90 - frames
    inside = (lag > 0) & (lag <= MEMORY_S)
    for response, peak, width in zip(bank, PEAKS, WIDTHS, strict=True):
        assert abs(lag[response.argmax()] - peak) <= 0.25
        shape = (peak / width) ** 2
        density = gamma.pdf(lag[inside], shape + 1, scale=peak / shape)
        np.testing.assert_allclose(response[inside], density / density.sum(), rtol=2e-2, atol=1e-4)


def test_the_future_and_the_distant_past_do_not_count():
    frames = np.arange(0, 100, 0.5)
    bank = _bank([50.0], frames)[:, 0]
    assert not bank[:, frames >= 50].any()
    assert not bank[:, frames < 50 - MEMORY_S].any()


@settings(max_examples=25, deadline=None)
@given(st.floats(30, 70))
def test_any_volume_clock_gets_the_full_weight(volume_s):
    np.testing.assert_allclose(_bank([volume_s], np.arange(0, 100, 0.5)).sum(axis=2), 1, atol=0.02)


def test_missing_history_shrinks_the_feature():
    weight = _bank([0.0, 4.0, 8.0, 40.0], np.arange(0, 100, 0.5)).sum(axis=2)
    assert (np.diff(weight, axis=1) >= -1e-3).all()
    assert (weight[:, 0] == 0).all()
