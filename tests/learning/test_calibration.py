"""Conformal factors on errors whose distribution is known."""

import numpy as np
from scipy.stats import norm

from bids_eeg2fmri.learning.calibration import conformal_factor, coverage, factors_by_parcel, level_multipliers


def test_gaussian_errors_need_no_correction_and_wide_ones_do():
    errors = np.random.default_rng(0).standard_normal(40_000)
    assert abs(conformal_factor(errors) - 1) < 0.02
    assert abs(conformal_factor(2.5 * errors) - 2.5) < 0.05


def test_few_errors_are_treated_with_caution():
    """Nine errors cannot tell their 95th percentile: the largest stands for it."""
    errors = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(conformal_factor(errors, 0.95) * norm.ppf(0.975), 1.0)


def test_parcels_get_their_own_factor_and_absent_ones_the_common():
    rng = np.random.default_rng(1)
    parcel = np.repeat([0, 1], 10)
    people = [rng.standard_normal((300, 20)) * np.where(parcel == 1, 2.0, 1.0) for _ in range(40)]
    factors = factors_by_parcel(people, parcel, 3)
    assert abs(factors[0] - 1) < 0.1
    assert abs(factors[1] - 2) < 0.15
    assert abs(factors[2] - 1.5) < 0.1


def test_intervals_cover_what_they_say_on_new_errors():
    rng = np.random.default_rng(2)
    calibration, new = ([rng.standard_t(4, (500, 20)) for _ in range(20)] for _ in range(2))
    covered = coverage(np.concatenate(new), level_multipliers(calibration))
    for level, share in covered.items():
        assert abs(share - float(level)) < 0.01
