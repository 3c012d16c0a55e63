"""The posterior of the slow state, and what follows from it, against dense formulas in NumPy."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.network.neuralfield import MAX_CONDITION, NeuralField, NeuralFieldConfig
from bids_eeg2fmri.network.recording_facts import RecordingFacts

N_PARCELS, N_BANDS, N_LAGS, N_STATES, N_VOLUMES = 7, 3, 2, 4, 9
CONFIG = NeuralFieldConfig(
    n_parcels=N_PARCELS,
    n_bands=N_BANDS,
    peaks_s=(3.5, 5.5),
    widths_s=(1.5, 2.0),
    n_maps=5,
    n_members=3,
    n_states=N_STATES,
    band_groups=((0, 2), (1,)),
    n_gains=3,
    n_fourier=4,
    field_width=8,
    noise_fourier=4,
    noise_width=8,
    n_novelty_axes=4,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def network(rng):
    model = NeuralField(CONFIG, rngs=nnx.Rngs(0))
    for variable, scale in (
        (model.loadings, 0.7),
        (model.band_weights, 1.0),
        (model.log_precision, 0.5),
        (model.linear, 0.3),
    ):
        variable[...] = jnp.asarray(scale * rng.standard_normal(variable.shape), jnp.float32)
    return model


@pytest.fixture
def facts(rng):
    return _facts(rng)


def _facts(rng, scale=1.0):
    root = rng.standard_normal((N_BANDS, N_PARCELS, N_PARCELS))
    return RecordingFacts(
        amplitude=rng.uniform(0.5, 2, (N_PARCELS, N_BANDS)).astype(np.float32),
        information=(scale * root @ root.transpose(0, 2, 1) / N_PARCELS).astype(np.float32),
        profile=np.zeros(N_PARCELS * N_BANDS, np.float32),
        condition=np.zeros(4 * N_BANDS, np.float32),
        missing=np.zeros((), np.float32),
    )


def _features(rng, n_volumes=N_VOLUMES):
    return rng.standard_normal((n_volumes, N_LAGS * N_PARCELS * N_BANDS)).astype(np.float32)


def _total_information(network, facts):
    return np.einsum("bpq,b->pq", facts.information, np.exp(np.asarray(network.log_precision[...], np.float64)))


def test_states_are_the_posterior_mean(network, facts, rng):
    features = _features(rng)
    states = np.asarray(network.states(features, facts)).reshape(N_VOLUMES, N_LAGS, 2, N_STATES)
    loadings = np.asarray(network.loadings[...], np.float64)
    weights = np.asarray(network.band_weights[...])
    precision = np.eye(N_STATES) + loadings.T @ _total_information(network, facts) @ loadings
    by_volume = features.reshape(N_VOLUMES, N_LAGS, N_PARCELS, N_BANDS)
    for volume in range(N_VOLUMES):
        for lag in range(N_LAGS):
            for number, bands in enumerate(CONFIG.band_groups):
                evidence = sum(weights[lag, b] * facts.amplitude[:, b] * by_volume[volume, lag, :, b] for b in bands)
                expected = np.linalg.inv(precision) @ loadings.T @ evidence
                np.testing.assert_allclose(states[volume, lag, number], expected, rtol=1e-3, atol=1e-4)


def test_the_posterior_mean_is_that_of_a_gaussian_process(network, facts, rng):
    """Noisy scores ``u = F s + e`` with ``e ~ N(0, F)``: Kriging over parcels, without states or precisions."""
    loadings = np.asarray(network.loadings[...], np.float64)
    prior, information = loadings @ loadings.T, _total_information(network, facts)
    slow = loadings @ rng.standard_normal(N_STATES)
    score = information @ slow + np.linalg.cholesky(information) @ rng.standard_normal(N_PARCELS)
    covariance = information @ prior @ information + information
    expected = prior @ information @ np.linalg.solve(covariance, score)
    estimated = _parcels_from(network, facts, score)
    np.testing.assert_allclose(estimated, expected, rtol=1e-3, atol=1e-4)


def _parcels_from(network, facts, score):
    """The slow state in parcels from evidence that one lag and band alone hold."""
    network.band_weights[...] = jnp.zeros((N_LAGS, N_BANDS)).at[0, 1].set(1.0)
    features = np.zeros((1, N_LAGS, N_PARCELS, N_BANDS), np.float32)
    features[0, 0, :, 1] = score / facts.amplitude[:, 1]
    states = np.asarray(network.states(features.reshape(1, -1), facts)).reshape(N_LAGS, 2, N_STATES)
    assert not states[1].any()
    assert not states[0, 0].any()
    return np.asarray(network.loadings[...]) @ states[0, 1]


def test_much_information_without_noise_finds_the_slow_state(network, rng):
    slow = np.asarray(network.loadings[...]) @ rng.standard_normal(N_STATES)
    found = []
    for scale in (1e-3, 1.0, 1e4):
        facts = _facts(np.random.default_rng(1), scale)
        found.append(_parcels_from(network, facts, _total_information(network, facts) @ slow))
    errors = [np.linalg.norm(each - slow) / np.linalg.norm(slow) for each in found]
    assert errors[0] > 0.9
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 1e-2


def test_what_electrodes_do_not_see_follows_the_patterns(network, rng):
    """Information on one parcel alone tells of the others what the prior covariance says (regression on it)."""
    loadings = np.asarray(network.loadings[...], np.float64)
    prior = loadings @ loadings.T
    information = np.zeros((N_BANDS, N_PARCELS, N_PARCELS), np.float32)
    information[:, 0, 0] = 1e5
    facts = _facts(rng)._replace(information=information)
    score = np.zeros(N_PARCELS)
    score[0] = _total_information(network, facts)[0, 0] * 0.8
    np.testing.assert_allclose(_parcels_from(network, facts, score), 0.8 * prior[0] / prior[0, 0], atol=5e-3)


def test_an_eeg_without_information_says_nothing(network, facts, rng):
    nothing = facts._replace(information=0 * facts.information, amplitude=0 * facts.amplitude)
    assert not np.asarray(network.states(_features(rng), nothing)).any()
    assert abs(float(network.informed(nothing))) < 1e-6


def test_more_information_informs_more(network):
    shares = [float(network.informed(_facts(np.random.default_rng(2), scale))) for scale in (0, 0.01, 0.1, 1, 10, 1e4)]
    assert shares == sorted(shares)
    assert len(set(shares)) == len(shares)
    assert shares[0] == pytest.approx(0, abs=1e-6)
    assert shares[-1] == pytest.approx(1, abs=1e-2)


def test_informed_is_the_share_of_the_prior_variance_that_goes(network, facts):
    loadings = np.asarray(network.loadings[...], np.float64)
    left = np.linalg.inv(np.eye(N_STATES) + loadings.T @ _total_information(network, facts) @ loadings)
    expected = 1 - np.trace(loadings @ left @ loadings.T) / np.trace(loadings @ loadings.T)
    assert float(network.informed(facts)) == pytest.approx(expected, rel=1e-4)


def test_coefficients_and_strength_are_what_they_say(network, facts, rng):
    states = np.asarray(network.states(_features(rng), facts))
    coefficients = np.asarray(network.coefficients(jnp.asarray(states)))
    assert coefficients.shape == (CONFIG.n_members, N_VOLUMES, CONFIG.n_maps)
    for member, linear in enumerate(np.asarray(network.linear[...])):
        np.testing.assert_allclose(coefficients[member], states @ linear, rtol=1e-3, atol=1e-4)
    counted = np.ones(N_VOLUMES, np.float32)
    counted[4:6] = 0
    spoilt = coefficients.copy()
    spoilt[:, 4:6] = 1e3
    energy = np.square(coefficients.mean(axis=0))[counted == 1].sum(axis=1).mean()
    assert float(network.strength(jnp.asarray(spoilt), jnp.asarray(counted))) == pytest.approx(np.log(energy), abs=1e-3)
    assert np.isfinite(network.strength(jnp.zeros_like(coefficients), jnp.asarray(counted)))


def test_the_amplitude_is_interpolated_and_stays_beyond_the_knots(network):
    network.gain_knots[...] = jnp.array([-2.0, -1.0, 1.0])
    network.gain[...] = jnp.array([0.0, 0.4, 1.0])
    for strength, expected in ((-9, 0), (-2, 0), (-1.5, 0.2), (-1, 0.4), (0, 0.7), (1, 1), (9, 1)):
        assert float(network.amplitude(jnp.asarray(float(strength)))) == pytest.approx(expected, abs=1e-6)


def test_conditions_are_what_is_missing_and_how_unusual_the_recording_is(network, facts):
    informed = float(network.informed(facts))
    network.usual[...] = jnp.array([[informed - 0.1, -2.0], [0.2, 0.5]])
    evidence = jnp.array([1.0, 0.25, 0.0])
    conditions = np.asarray(network.conditions(evidence, facts, jnp.asarray(-1.0)))
    assert conditions.shape == (3, CONFIG.n_conditions)
    np.testing.assert_allclose(conditions[:, 0], [0, 0.75, 1])
    np.testing.assert_allclose(conditions[:, 1], 0.5, atol=1e-4)
    np.testing.assert_allclose(conditions[:, 2], 2, atol=1e-4)
    for strength, expected in ((1e6, MAX_CONDITION), (-1e6, -MAX_CONDITION)):
        clipped = np.asarray(network.conditions(evidence, facts, jnp.asarray(strength)))
        np.testing.assert_allclose(clipped[:, 2], expected)


def test_states_are_differentiable_and_compile(network, facts, rng):
    features = jnp.asarray(_features(rng))

    def energy(model):
        return jnp.square(model.states(features, facts)).sum()

    gradient = nnx.jit(nnx.grad(energy))(network)
    for name in ("band_weights", "log_precision"):
        values = np.asarray(getattr(gradient, name)[...])
        assert np.isfinite(values).all()
        assert np.abs(values).max() > 0
    # More precision, less amplitude.
    assert (np.asarray(gradient.log_precision[...]) < 0).all()


def test_a_network_is_known_by_its_hyperparameters(network):
    again = NeuralField.from_hyperparameters(network.hyperparameters)
    as_json = {name: _lists(value) for name, value in network.hyperparameters.items()}
    assert again.config == NeuralField.from_hyperparameters(as_json).config == CONFIG
    shapes = [leaf.shape for leaf in jax.tree.leaves(nnx.state(network))]
    assert [leaf.shape for leaf in jax.tree.leaves(nnx.state(again))] == shapes
    with pytest.raises(TypeError):
        NeuralField.from_hyperparameters({"n_wishes": 3})
    wider = replace(CONFIG, band_groups=((0,), (1,), (2,)))
    assert (wider.n_streams, wider.n_inputs) == (6, 6 * N_STATES)


def _lists(value):
    return [_lists(item) for item in value] if isinstance(value, tuple) else value
