"""The amplitude of predictions whose true gain is known."""

import numpy as np
import pytest

from bids_eeg2fmri.learning.gain import Agreement, agreement, fit_gain, fit_gains

N_KNOTS = 3


def test_finds_the_gain():
    rng = np.random.default_rng(0)
    predicted = [rng.standard_normal((100, 8)) for _ in range(50)]
    recordings = [(x, 0.7 * x + rng.standard_normal(x.shape)) for x in predicted]
    slope, *_ = np.polyfit(*(np.concatenate(part).ravel() for part in zip(*recordings, strict=True)), 1)
    assert abs(fit_gain(recordings) - slope) < 1e-3
    assert abs(fit_gain(recordings) - 0.7) < 0.02


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match="no recordings"):
        fit_gain([])
    with pytest.raises(ValueError, match="no recordings"):
        fit_gains(np.zeros(0), [], N_KNOTS)


def test_predictions_that_point_the_wrong_way_are_turned_off():
    x = np.random.default_rng(1).standard_normal((100, 8))
    assert fit_gain([(x, -x)]) == 0
    assert fit_gain([(0 * x, x)]) == 0


def test_agreement_is_inner_products():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 7, 5))
    assert agreement(x, y) == pytest.approx((np.vdot(x, y), np.vdot(x, x)))


def _true_gain(strength):
    return np.interp(strength, [-2, 0, 2], [0.2, 0.5, 1.1])


def _recordings(n, seed=3, gain=_true_gain):
    """Strengths, predictions of that strength, and targets that follow them with a gain that depends on it."""
    rng = np.random.default_rng(seed)
    strengths = rng.uniform(-2, 2, n)
    predicted = [np.exp(strength / 2) * rng.standard_normal((60, 8)) for strength in strengths]
    return strengths, [
        (x, gain(strength) * x + rng.standard_normal(x.shape)) for strength, x in zip(strengths, predicted, strict=True)
    ]


def test_gains_are_the_least_squares_over_all_volumes():
    """Stacked volumes, hats of the knots as regressors, and a pull on every gain towards the common one."""
    strengths, recordings = _recordings(40)
    knots, gains = fit_gains(strengths, [agreement(*pair) for pair in recordings], N_KNOTS)
    assert (np.diff(knots) > 0).all()
    energy = sum(np.square(x).sum() for x, _ in recordings)
    common = sum((x * y).sum() for x, y in recordings) / energy
    rows, right, parts = [], [], np.zeros(N_KNOTS)
    for strength, (x, y) in zip(strengths, recordings, strict=True):
        hats = [np.interp(strength, knots, one) for one in np.eye(N_KNOTS)]
        rows.append(x.reshape(-1, 1) * hats)
        parts += np.square(x).sum() * np.array(hats)
        right.append(y.ravel())
    pull = np.sqrt(0.25 * parts)
    design, wanted = np.concatenate([*rows, np.diag(pull)]), np.append(right, pull * common)
    expected = np.linalg.lstsq(design, wanted, rcond=None)[0]
    assert (expected > 0).all()
    np.testing.assert_allclose(gains, expected, rtol=1e-6)


def test_stronger_predictions_may_keep_more():
    strengths, recordings = _recordings(400)
    knots, gains = fit_gains(strengths, [agreement(*pair) for pair in recordings], N_KNOTS)
    assert gains[0] < gains[1] < gains[2]
    grid = np.linspace(-1.8, 1.8, 7)
    np.testing.assert_allclose(np.interp(grid, knots, gains), _true_gain(grid), atol=0.15)


def test_few_recordings_share_one_gain():
    strengths, recordings = _recordings(4 * N_KNOTS - 1)
    _, gains = fit_gains(strengths, [agreement(*pair) for pair in recordings], N_KNOTS)
    np.testing.assert_allclose(gains, fit_gain(recordings), rtol=1e-9)


def test_weak_predictions_that_disagree_are_turned_off_and_the_others_are_not():
    strengths, recordings = _recordings(60, gain=lambda strength: -3.0 if strength < 0 else 0.8)
    knots, gains = fit_gains(strengths, [agreement(*pair) for pair in recordings], N_KNOTS)
    assert gains[0] == 0
    assert (gains >= 0).all()
    assert gains[-1] > 0.4
    assert knots[0] < knots[-1]


@pytest.mark.parametrize("n", [3, 40])
def test_only_disagreement_gives_zero(n):
    strengths = np.linspace(-1, 1, n)
    _, gains = fit_gains(strengths, [Agreement(-1.0, 2.0)] * n, N_KNOTS)
    np.testing.assert_array_equal(gains, 0)


@pytest.mark.parametrize("n", [1, 40])
def test_equal_strengths_and_silence_give_increasing_knots_and_numbers(n):
    knots, gains = fit_gains(np.full(n, -9.2), [Agreement(0.0, 0.0)] * n, N_KNOTS)
    assert (np.diff(knots) > 0).all()
    np.testing.assert_array_equal(gains, 0)
