"""The assumptions of the posterior, on people whose BOLD was made from known weights."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from fabricated_people import N_BANDS, N_PARCELS, by_weights, network_of_parcels, save_people
from flax import nnx

from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.examples import sample_voxels, save_examples
from bids_eeg2fmri.learning.inputs import inputs_of
from bids_eeg2fmri.learning.people import examples_of
from bids_eeg2fmri.learning.prior import fit_prior
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig

CONFIG = NeuralFieldConfig(
    peaks_s=(3.5, 5.5),
    widths_s=(1.5, 2.0),
    n_states=12,
    n_maps=4,
    n_fourier=4,
    field_width=8,
    noise_fourier=4,
    noise_width=8,
    n_novelty_axes=4,
)
# Not the signs that the fit starts from.
WEIGHTS = (0.6, 0.0, -1.0, 0.0, 0.9, 0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def fitted(folder):
    network = NeuralField(CONFIG, rngs=nnx.Rngs(0))
    fit_prior(network, save_people(folder / "training", range(12), by_weights(*WEIGHTS), n_lags=2))
    return network


@pytest.fixture(scope="module")
def tested(folder):
    return save_people(folder / "tested", range(900, 903), by_weights(*WEIGHTS), n_lags=2)


def test_patterns_span_what_bold_has_in_common(fitted):
    members = (network_of_parcels()[:, None] == np.arange(network_of_parcels().max() + 1)).astype(float)
    loadings = np.asarray(fitted.loadings[...], float)
    assert loadings.shape == (N_PARCELS, CONFIG.n_states)
    basis = np.linalg.qr(loadings[:, -members.shape[1] :])[0]
    unit = members / np.linalg.norm(members, axis=0)
    assert (np.linalg.norm(basis.T @ unit, axis=0) > 0.9).all()
    # What is left of their strength beyond the noise is that of the networks.
    strength = np.square(loadings).sum(axis=0)
    assert strength[-members.shape[1] :].sum() > 0.8 * strength.sum()


def test_finds_signs_and_order_of_the_bands_at_the_right_lag(fitted):
    weights = np.asarray(fitted.band_weights[...])
    found = weights[1] / np.abs(weights[1]).max()
    np.testing.assert_allclose(found, WEIGHTS, atol=0.2)
    assert list(np.argsort(found[[0, 2, 4, 5]])) == list(np.argsort(np.array(WEIGHTS)[[0, 2, 4, 5]]))
    assert np.abs(weights[0]).max() < 0.25 * np.abs(weights[1]).max()


def test_the_posterior_mean_beats_every_band_alone(fitted, tested):
    loadings = np.asarray(fitted.loadings[...])
    to_parcels = np.tile(loadings.T, (CONFIG.n_streams, 1))
    inputs = inputs_of(fitted)
    for example in examples_of(tested):
        r = temporal_correlation(inputs(example) @ to_parcels, example.truth).mean()
        by_lag = example.features.astype(np.float32).reshape(-1, 2, N_PARCELS, N_BANDS)
        alone = [
            abs(temporal_correlation(by_lag[:, lag, :, band], example.truth).mean())
            for lag in range(2)
            for band in range(N_BANDS)
        ]
        assert r > max(alone) + 0.2
        assert r > 0.85
        # It is also better than the right sum of the bands without the patterns.
        summed = temporal_correlation(by_lag[:, 1] @ np.array(WEIGHTS, np.float32), example.truth).mean()
        assert r > summed + 0.02


def test_its_amplitude_is_that_of_bold(fitted, tested):
    """The squared error is least: no factor makes it much smaller."""
    to_parcels = np.tile(np.asarray(fitted.loadings[...]).T, (CONFIG.n_streams, 1))
    inputs = inputs_of(fitted)
    predicted = np.concatenate([inputs(example) @ to_parcels for example in examples_of(tested)])
    target = np.concatenate([example.parcel_targets for example in examples_of(tested)])
    assert (predicted * target).sum() / np.square(predicted).sum() == pytest.approx(1, abs=0.15)


def test_bands_that_are_all_noise_are_not_listened_to(folder):
    """Where a band's score has little information, its precision and weight keep it from spoiling the rest."""
    rule = by_weights(0, 0, -1, 0, 0, 1)
    people = save_people(folder / "noisy", range(50, 60), rule, information=(0.01, 0.01, 4, 0.01, 0.01, 4), n_lags=2)
    network = NeuralField(CONFIG, rngs=nnx.Rngs(0))
    fit_prior(network, people[:8])
    to_parcels = np.tile(np.asarray(network.loadings[...]).T, (CONFIG.n_streams, 1))
    inputs = inputs_of(network)
    for example in examples_of(people[8:]):
        assert temporal_correlation(inputs(example) @ to_parcels, example.truth).mean() > 0.85


def test_parcels_of_which_nobody_has_bold_get_no_loadings(folder):
    paths = save_people(folder / "blind", range(70, 74), by_weights(*WEIGHTS), n_lags=2)
    labels = sample_voxels()[1]
    for number, example in enumerate(examples_of(paths)):
        targets = example.targets.copy()
        targets[:, (labels > 0) & (labels <= 20)] = np.nan
        save_examples(paths[number][0], [replace(example, targets=targets)])
    network = NeuralField(CONFIG, rngs=nnx.Rngs(0))
    fit_prior(network, paths)
    loadings = np.asarray(network.loadings[...])
    np.testing.assert_allclose(loadings[:20], 0, atol=1e-5)
    assert (np.abs(loadings[20:]).max(axis=1) > 1e-3).all()
    for variable in (network.band_weights, network.log_precision):
        assert jnp.isfinite(variable[...]).all()


def test_the_same_people_and_seed_give_the_same_prior(folder, fitted):
    people = save_people(folder / "training", range(12), by_weights(*WEIGHTS), n_lags=2)
    again = NeuralField(CONFIG, rngs=nnx.Rngs(5))
    fit_prior(again, people)
    for name in ("loadings", "band_weights", "log_precision"):
        np.testing.assert_array_equal(getattr(again, name)[...], getattr(fitted, name)[...])


def test_nobody_teaches_nothing():
    with pytest.raises(ValueError, match="nobody"):
        fit_prior(NeuralField(CONFIG, rngs=nnx.Rngs(0)), [])
