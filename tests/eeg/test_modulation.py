"""Whitened matched filters against closed forms: the likelihood of Gaussian electrodes is known."""

import numpy as np
import pytest

from bids_eeg2fmri.eeg.modulation import make_modulation_filter

N_CHANNELS, N_PARCELS = 12, 5
BAD = 3


def _gain(n_sources=1, n_channels=N_CHANNELS, seed=0):
    """Leadfield of random sources, average-referenced, the parcels' columns not in order; scaled to unit mean power."""
    rng = np.random.default_rng(seed)
    parcel = rng.permutation(np.repeat(np.arange(N_PARCELS), 3 * n_sources))
    gain = rng.standard_normal((n_channels, len(parcel))) @ np.diag(rng.uniform(0.3, 2, len(parcel)))
    gain -= gain.mean(axis=0)
    return gain / np.sqrt(np.square(gain).sum() / (n_channels - 1)), parcel


def _centring(n_channels=N_CHANNELS):
    return np.eye(n_channels) - 1 / n_channels


def _modelled(gain, brain, noise):
    return brain * gain @ gain.T + noise * _centring(len(gain))


def _filter(gain, parcel, *covariances, good=None):
    good = np.ones(len(covariances[0]), bool) if good is None else good
    return make_modulation_filter(gain, parcel, np.array(covariances), good)


def _scores(operators, samples):
    """Power of every parcel's virtual channels in every sample (samples x channels)."""
    virtual = np.square(np.abs(samples @ operators.T))
    return virtual.reshape(len(samples), N_PARCELS, -1).sum(axis=2)


def _draw(covariance, n, rng):
    """Circular complex Gaussian samples, as spectra of one frequency are."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    white = (rng.standard_normal((n, len(values))) + 1j * rng.standard_normal((n, len(values)))) / np.sqrt(2)
    return white @ root.T


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_covariance_that_the_parcels_explain_fits(share):
    gain, parcel = _gain(n_sources=2)
    fitted = _filter(gain, parcel, 37 * _modelled(gain, share, 1 - share))
    np.testing.assert_allclose(fitted.misfit, 0, atol=1e-5)
    np.testing.assert_allclose(fitted.brain_share, share, atol=1e-6)


def test_a_covariance_that_they_do_not_explain_does_not_fit():
    gain, parcel = _gain()
    rng = np.random.default_rng(1)
    elsewhere = _centring() @ np.diag(rng.uniform(0.01, 3, N_CHANNELS)) @ _centring()
    fitted = _filter(gain, parcel, _modelled(gain, 0.5, 0.5), elsewhere)
    assert fitted.misfit[1] > 0.1
    assert fitted.misfit[1] > 100 * abs(fitted.misfit[0])


def test_white_noise_holds_no_information():
    gain, parcel = _gain()
    fitted = _filter(gain, parcel, _modelled(gain, 0.7, 0.3), _centring())
    brain, noise = np.trace(fitted.information, axis1=1, axis2=2)
    assert fitted.brain_share[1] < 1e-3
    assert noise < 1e-5 * brain
    # The less brain, the less information.
    fading = _filter(gain, parcel, *(_modelled(gain, share, 1 - share) for share in (0.5, 0.2, 0.05, 0.01)))
    traces = np.trace(fading.information, axis1=1, axis2=2)
    assert (traces[1:] < 0.7 * traces[:-1]).all()


def test_information_is_the_covariance_of_the_scores():
    """Of one frame's spectrum at one frequency; of a real sample it is half of it."""
    gain, parcel = _gain()
    covariance = 25 * _modelled(gain, 0.6, 0.4)
    fitted = _filter(gain, parcel, covariance)
    samples = _draw(covariance, 400_000, np.random.default_rng(2))
    operators, information = fitted.operators[0].astype(float), fitted.information[0]
    sampled = np.cov(_scores(operators, samples).T)
    np.testing.assert_allclose(sampled, information, rtol=0.05, atol=0.02 * information.max())
    real = np.cov(_scores(operators, np.sqrt(2) * samples.real).T)
    np.testing.assert_allclose(real, 2 * information, rtol=0.05, atol=0.04 * information.max())


def test_information_is_how_the_expected_score_follows_a_parcels_log_power():
    """Parcel q's power grows by 1 %: the mean score of p grows by 1 % of F_pq."""
    gain, parcel = _gain(n_sources=1)
    brain, noise = 0.6, 0.4
    covariance = 25 * _modelled(gain, brain, noise)
    fitted = _filter(gain, parcel, covariance)
    operators = fitted.operators[0].astype(float)

    def expected_score(measured):
        return np.diag(operators @ measured @ operators.T).reshape(N_PARCELS, -1).sum(axis=1)

    for q in range(N_PARCELS):
        own = gain[:, parcel == q]
        change = expected_score(covariance + 0.01 * 25 * brain * own @ own.T) - expected_score(covariance)
        np.testing.assert_allclose(change, 0.01 * fitted.information[0][:, q], rtol=1e-3)


def test_information_is_the_textbooks():
    """Kay 1993: tr(C^-1 dC_p C^-1 dC_q), for a complex sample; with few leading axes a parcel can only lose."""
    for n_sources in (1, 3):
        gain, parcel = _gain(n_sources)
        fitted = _filter(gain, parcel, _modelled(gain, 0.5, 0.5))
        # With the white noise that is added for safety.
        covariance = _modelled(gain, 0.5, 0.5 + 1.6e-4 * N_CHANNELS)
        parts = [0.5 * gain[:, parcel == p] @ gain[:, parcel == p].T for p in range(N_PARCELS)]
        solved = [np.linalg.pinv(covariance) @ part for part in parts]
        expected = np.array([[np.trace(p @ q) for q in solved] for p in solved])
        if n_sources == 1:
            np.testing.assert_allclose(fitted.information[0], expected, rtol=1e-4)
        else:
            assert (fitted.information[0] <= expected * (1 + 1e-4)).all()
            # The leading axes hold nearly all of it.
            diagonal = np.diag(fitted.information[0]) / np.diag(expected)
            assert diagonal.min() > 0.6


def test_the_scale_of_the_eeg_and_of_the_gain_do_not_matter():
    gain, parcel = _gain()
    rng = np.random.default_rng(4)
    samples = _draw(_modelled(gain, 0.6, 0.4), 300, rng)
    measured = (samples.conj().T @ samples).real / len(samples)
    once = _filter(gain, parcel, measured)
    louder = _filter(gain, parcel, 100 * measured)
    other_units = _filter(1e6 * gain, parcel, measured)
    expected = _scores(once.operators[0], samples)
    for fitted, scale in ((louder, 10), (other_units, 1)):
        np.testing.assert_allclose(fitted.information, once.information, rtol=1e-3)
        np.testing.assert_allclose(fitted.brain_share, once.brain_share, rtol=1e-5)
        np.testing.assert_allclose(fitted.misfit, once.misfit, rtol=1e-5)
        np.testing.assert_allclose(_scores(fitted.operators[0], scale * samples), expected, rtol=1e-3)


def test_bad_channels_have_no_part_and_the_reference_does_not_matter():
    good = np.ones(N_CHANNELS, bool)
    good[BAD] = False
    gain, parcel = _gain(n_channels=N_CHANNELS - 1)
    covariance = np.full((N_CHANNELS, N_CHANNELS), 1e6)
    covariance[np.ix_(good, good)] = _modelled(gain, 0.5, 0.5)
    fitted = _filter(gain, parcel, covariance, good=good)
    assert fitted.operators.shape == (1, 3 * N_PARCELS, N_CHANNELS)
    assert not fitted.operators[..., ~good].any()
    assert fitted.operators[..., good].any(axis=(0, 1)).all()
    np.testing.assert_allclose(fitted.operators.sum(axis=2), 0, atol=1e-5)
    alone = _filter(gain, parcel, covariance[np.ix_(good, good)])
    np.testing.assert_allclose(fitted.information, alone.information, rtol=1e-5)
    # What all electrodes share, as another reference does, is not looked at.
    shifted = covariance.copy()
    offset = np.random.default_rng(5).standard_normal(N_CHANNELS)
    shifted[np.ix_(good, good)] += (offset[:, None] + offset)[np.ix_(good, good)]
    rereferenced = _filter(gain, parcel, shifted, good=good)
    np.testing.assert_allclose(rereferenced.brain_share, fitted.brain_share, rtol=1e-5)
    np.testing.assert_allclose(rereferenced.information, fitted.information, rtol=1e-3)


def test_every_band_has_its_own_filters():
    gain, parcel = _gain()
    covariances = _modelled(gain, 0.3, 0.7), _modelled(gain, 0.8, 0.2)
    both = _filter(gain, parcel, *covariances)
    for band, covariance in enumerate(covariances):
        alone = _filter(gain, parcel, covariance)
        np.testing.assert_allclose(both.information[band], alone.information[0], rtol=1e-5)
        power = np.square(both.operators[band] @ gain).sum()
        np.testing.assert_allclose(power, np.square(alone.operators[0] @ gain).sum(), rtol=1e-4)


def test_two_parcels_that_electrodes_cannot_tell_apart_share_their_information():
    gain, parcel = _gain()
    gain[:, parcel == 1] = gain[:, parcel == 0] @ np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0]
    information = _filter(gain, parcel, _modelled(gain, 0.5, 0.5)).information[0]
    np.testing.assert_allclose(information[0], information[1], rtol=1e-3)
    np.testing.assert_allclose(information[0, 1], information[0, 0], rtol=1e-3)


def test_a_band_that_holds_nothing_gives_numbers():
    gain, parcel = _gain()
    fitted = _filter(gain, parcel, np.zeros((N_CHANNELS, N_CHANNELS)), _modelled(gain, 0.5, 0.5))
    for value in (fitted.operators, fitted.information, fitted.brain_share, fitted.misfit):
        assert np.isfinite(value).all()
