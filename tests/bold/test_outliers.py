"""Outliers by the interquartile range, against the published preprocessing and its own promises."""

from pathlib import Path

import numpy as np

from bids_eeg2fmri.bold.outliers import find_outliers

_RECORDED = Path(__file__).parents[1] / "data" / "parity" / "preproc.npz"
_DROPPED_VOLUMES = 3


def test_outliers_are_the_published_ones():
    recorded = np.load(_RECORDED)
    series = recorded["iqr_in"][..., _DROPPED_VOLUMES:]
    outliers = find_outliers(series)
    np.testing.assert_allclose([outliers.low, outliers.high], [recorded["iqr_low"], recorded["iqr_up"]], rtol=1e-12)
    np.testing.assert_array_equal(outliers.removed(series, fill=0.0), recorded["iqr_out"])


def test_removed_outliers_lie_on_the_fences_and_are_restored_where_they_were():
    rng = np.random.default_rng(0)
    series = 1000 + rng.standard_t(2, size=(20, 50))
    before = series.copy()
    outliers = find_outliers(series)
    assert 0 < len(outliers.places) < series.size / 4
    cleaned = outliers.removed(series)
    np.testing.assert_array_equal(cleaned, np.clip(series, outliers.low, outliers.high))
    np.testing.assert_array_equal(outliers.restored(cleaned), series)
    np.testing.assert_array_equal(series, before)


def test_only_the_outlying_sample_is_restored():
    series = np.tile(np.array([1.0, 2.0, 3.0, 4.0]), (10, 1))
    series[3, 2] = 100.0
    outliers = find_outliers(series)
    scaled = outliers.removed(series) * 2
    restored = outliers.restored(scaled)
    assert restored[3, 2] == 100.0
    elsewhere = np.ones_like(series, bool)
    elsewhere[3, 2] = False
    np.testing.assert_array_equal(restored[elsewhere], scaled[elsewhere])


def test_a_constant_series_has_no_outliers():
    assert len(find_outliers(np.full((4, 5), 7.0)).places) == 0
