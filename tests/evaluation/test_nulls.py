"""Nulls against surrogates that are really made, and what they say of noise and of a shifted copy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import binom, kstest

from bids_eeg2fmri.evaluation.nulls import (
    CrossSpectrum,
    admitted_shifts,
    discoveries,
    random_phases,
    swapped_people,
    timing_nulls,
)
from bids_eeg2fmri.evaluation.scores import temporal_correlation


def noise(seed, n_volumes, n_points, memory=0.0):
    white = np.random.default_rng(seed).standard_normal((n_volumes + 100, n_points))
    return lfilter([1], [1, -memory], white, axis=0)[100:]


@pytest.mark.parametrize("n_volumes", [40, 41])
def test_shifts_equal_rolled_series(n_volumes):
    predicted, observed = noise(0, n_volumes, 3), noise(1, n_volumes, 3)
    predicted[:, 2] = 0.1
    shifts = np.arange(n_volumes)
    expected = [temporal_correlation(np.roll(predicted, shift, axis=0), observed) for shift in shifts]
    np.testing.assert_allclose(CrossSpectrum.of(predicted, observed).shifted(shifts), expected, atol=1e-12)


@pytest.mark.parametrize("n_volumes", [40, 41])
def test_new_phases_equal_surrogates_that_are_made(n_volumes):
    predicted, observed = noise(0, n_volumes, 3), noise(1, n_volumes, 3)
    (phases,) = random_phases(n_volumes, 5, seed=0)
    spectrum = np.fft.rfft(predicted, axis=0)
    expected = []
    for turn in phases:
        # The conjugate of the prediction enters the cross-spectrum.
        turned = np.concatenate([spectrum[:1], spectrum[1:] * turn.conj()[:, None]])
        surrogate = np.fft.irfft(turned, n_volumes, axis=0)
        np.testing.assert_allclose(surrogate.std(axis=0), predicted.std(axis=0))
        expected.append(temporal_correlation(surrogate, observed))
    np.testing.assert_allclose(CrossSpectrum.of(predicted, observed).rephased(phases), expected, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(n_volumes=st.integers(8, 400), tr_s=st.floats(0.5, 4))
def test_no_shift_is_near_zero(n_volumes, tr_s):
    shifts = admitted_shifts(n_volumes, tr_s)
    least = min(np.ceil(30 / tr_s), n_volumes // 4)
    assert len(shifts)
    assert shifts.min() >= least
    assert (n_volumes - shifts).min() >= least


def test_a_shifted_copy_is_found_by_the_shift_that_undoes_it():
    series = noise(2, 150, 6, memory=0.5)
    moved = np.roll(series, -20, axis=0)
    null = timing_nulls(moved, series, 2.0, count=200)
    shifts = admitted_shifts(150, 2.0)
    assert abs(temporal_correlation(moved, series)).max() < 0.5
    np.testing.assert_allclose(null.shifted_parcel_r[np.flatnonzero(shifts == 20)[0]], 1)
    assert null.shifted_parcel_r.mean(axis=1).argmax() == np.flatnonzero(shifts == 20)[0]


def test_a_copy_is_beyond_every_null():
    series = noise(3, 150, 20, memory=0.5)
    null = timing_nulls(series, series, 2.0, count=500)
    assert null.significant.all()
    assert null.scores()["fdr_parcels"] == 1
    assert null.scores()["null_r_shift_95"] < 0.3
    assert null.scores()["null_r_phase_95"] < 0.5
    assert null.p_values.max() == pytest.approx(1 / 501)


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_false_discoveries_in_noise_stay_within_their_rate(memory):
    people, parcels = 200, 20
    first = []
    hits = 0
    for person in range(people):
        predicted, observed = noise([1, person], 100, parcels, memory), noise([2, person], 100, parcels, memory)
        null = timing_nulls(predicted, observed, 2.0, seed=person, count=499)
        hits += null.significant.any()
        first.append(null.p_values[0])
    # With no true effect, the rate is the probability of any discovery in a person.
    assert hits <= binom.ppf(0.999, people, 0.05)
    if memory == 0:
        assert kstest(first, "uniform").pvalue > 0.001


def test_false_discoveries_beside_true_ones_stay_within_their_rate():
    shares, found = [], []
    for person in range(40):
        observed = noise([3, person], 100, 40)
        predicted = noise([4, person], 100, 40)
        predicted[:, :10] += 0.8 * observed[:, :10]
        null = timing_nulls(predicted, observed, 2.0, seed=person, count=1000)
        shares.append(null.significant[10:].sum() / max(null.significant.sum(), 1))
        found.append(null.significant[:10].mean())
    assert np.mean(shares) < 0.05 + 3 * np.std(shares) / np.sqrt(len(shares))
    assert np.mean(found) > 0.9


def test_mean_r_of_noise_exceeds_its_95th_percentile_in_one_of_twenty():
    people, above = 400, {"null_r_shift_95": 0, "null_r_phase_95": 0}
    for person in range(people):
        predicted, observed = noise([5, person], 101, 3, 0.5), noise([6, person], 101, 3, 0.5)
        scores = timing_nulls(predicted, observed, 2.0, seed=person, count=200).scores()
        mean = temporal_correlation(predicted, observed).mean()
        for name in above:
            above[name] += mean > scores[name]
    for count in above.values():
        assert binom.ppf(0.001, people, 0.05) <= count <= binom.ppf(0.999, people, 0.06)


def test_the_procedure_of_benjamini_and_hochberg():
    p_values = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205])
    # Thresholds are rank / 8 * .05: the largest rank whose p-value is below is the second.
    np.testing.assert_array_equal(discoveries(p_values), [True, True] + [False] * 6)
    assert discoveries(np.zeros(0)).size == 0


def test_parcels_without_signal_are_not_tested():
    predicted, observed = noise(7, 100, 5), noise(8, 100, 5)
    predicted[:, 1] = observed[:, 1] = np.nan
    valid = np.array([True, False, True, True, True])
    null = timing_nulls(predicted, observed, 2.0, valid=valid, count=100)
    assert null.n_valid == 4
    assert null.p_values[1] == 1
    assert np.isfinite(null.phase["parcel_r"]).all()
    constant = timing_nulls(np.zeros((100, 5)), noise(9, 100, 5), 2.0, count=100)
    assert not constant.significant.any()
    assert constant.scores()["null_r_phase_95"] == 0


def test_too_little_to_say_anything():
    for null in (
        timing_nulls(noise(0, 5, 3), noise(1, 5, 3), 2.0, count=10),
        timing_nulls(noise(0, 50, 3), noise(1, 50, 3), 2.0, valid=np.zeros(3, bool), count=10),
    ):
        assert np.isnan(list(null.scores().values())).all()
        assert not null.significant.any()


def test_seeds_make_nulls_reproducible():
    predicted, observed = noise(10, 80, 4), noise(11, 80, 4)
    one, same, other = (timing_nulls(predicted, observed, 2.0, seed=seed, count=50) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.phase["parcel_r"], same.phase["parcel_r"])
    np.testing.assert_array_equal(one.circular_shift["parcel_r"], same.circular_shift["parcel_r"])
    assert not np.array_equal(one.phase["parcel_r"], other.phase["parcel_r"])


def test_swapped_people_keep_what_people_share():
    task = noise(12, 120, 4)
    own = [noise([13, person], 120 + person, 4) for person in range(6)]
    observed = [np.concatenate([task, task])[: len(series)] + series for series in own]
    shared = swapped_people([np.concatenate([task, task])[: len(series)] for series in own], observed)
    private = swapped_people(own, observed)
    assert np.quantile(shared, 0.5) > 0.6
    assert abs(np.quantile(private, 0.5)) < 0.1
    assert swapped_people(own[:1], observed[:1]).size == 0
    assert np.ptp(swapped_people(own[:2], observed[:2])) == 0
