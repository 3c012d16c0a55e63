"""Parcel scores: connectivity, spectra, intervals."""

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.connectivity import connectivity_similarity
from bids_eeg2fmri.evaluation.parcels import parcel_scores
from bids_eeg2fmri.evaluation.spectrum import spectral_overlap


@pytest.fixture
def mixed():
    """Series of ten parcels with distinct correlations."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((300, 10)) @ rng.standard_normal((10, 10))


def test_connectivity_does_not_see_time(mixed):
    assert connectivity_similarity(mixed, mixed) == pytest.approx(1)
    assert connectivity_similarity(np.roll(mixed, 17, axis=0), mixed) == pytest.approx(1)
    order = np.random.default_rng(1).permutation(300)
    assert connectivity_similarity(mixed[order], mixed) == pytest.approx(1)


def test_connectivity_of_unlike_series(mixed):
    other = np.random.default_rng(2).standard_normal((300, 10)) @ np.random.default_rng(3).standard_normal((10, 10))
    expected = np.corrcoef(np.corrcoef(mixed.T)[np.triu_indices(10, 1)], np.corrcoef(other.T)[np.triu_indices(10, 1)])[
        0, 1
    ]
    assert connectivity_similarity(mixed, other) == pytest.approx(expected)
    assert np.isnan(connectivity_similarity(np.zeros_like(mixed), mixed))


def test_spectra_of_two_sines_do_not_overlap():
    time_s = 2.0 * np.arange(300)[:, None]
    slow, fast = np.sin(2 * np.pi * 0.03 * time_s), np.sin(2 * np.pi * 0.2 * time_s)
    assert spectral_overlap(slow, slow, 2.0) == pytest.approx(1)
    assert spectral_overlap(5 * np.roll(slow, 9, axis=0), slow, 2.0) > 0.95
    assert spectral_overlap(fast, slow, 2.0) < 0.02
    assert np.isnan(spectral_overlap(np.zeros_like(slow), slow, 2.0))
    assert np.isnan(spectral_overlap(slow[:5], slow[:5], 2.0))


def test_scores_of_a_known_forecast():
    rng = np.random.default_rng(4)
    signal, noise = rng.standard_normal((2, 2000, 8))
    observed = 0.6 * signal + 0.8 * noise
    found = parcel_scores(0.6 * signal, observed, 2.0, sd=np.full_like(signal, 0.8), truth=signal)
    assert found["parcel_r"] == pytest.approx(0.6, abs=0.03)
    assert found["parcel_r_truth"] == pytest.approx(1)
    assert found["parcel_r2"] == pytest.approx(0.36, abs=0.03)
    assert found["parcel_coverage_90"] == pytest.approx(0.9, abs=0.02)
    assert found["parcel_crps_ratio"] == pytest.approx(0.8, abs=0.02)


def test_parcels_without_signal_do_not_count():
    rng = np.random.default_rng(5)
    predicted, observed = rng.standard_normal((2, 100, 5))
    valid = np.array([True, False, True, True, True])
    expected = parcel_scores(predicted[:, valid], observed[:, valid], 2.0)
    predicted[:, 1] = observed[:, 1] = np.nan
    assert parcel_scores(predicted, observed, 2.0, valid=valid) == expected
    assert np.isnan(list(parcel_scores(predicted, observed, 2.0, valid=~valid & False).values())).all()
