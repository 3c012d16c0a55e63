"""Completeness of integrated gradients, and their closed form for log power."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bids_eeg2fmri.explanation.calhas2022_relevance import RegionDecoder, styled_features
from bids_eeg2fmri.explanation.integrated_gradients import N_STEPS, integrated_gradients
from bids_eeg2fmri.network.calhas2022 import VariationalCosine


def test_a_linear_function_needs_one_step():
    matrix = jax.random.normal(jax.random.key(0), (6, 2))
    x, baseline = jax.random.normal(jax.random.key(1), (3, 2, 3)), jax.random.normal(jax.random.key(2), (2, 3))
    found = integrated_gradients(lambda values: values.reshape(len(values), -1) @ matrix, x, baseline, 1)
    expected = jnp.einsum("brc,rco->obrc", x - baseline, matrix.reshape(2, 3, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "style": "prior",
            "fourier_normalization": "tanh",
            "decoder_shape": (4, 4, 3),
            "dct": True,
            "inverse_dct": True,
            "variational_idct": VariationalCosine((2, 2, 1), True, 4),
        },
    ],
    ids=["published", "drawn cosines"],
)
def test_contributions_sum_to_the_change_of_the_output(options, small_published, compiled):
    weights = jax.random.normal(jax.random.key(4), (3, 6 * 6 * 4)) / 100
    eeg, baseline = jax.random.normal(jax.random.key(5), (4, 8, 20, 6)), jnp.zeros((8, 20, 6))

    def explain(network, eeg, baseline):
        decode = RegionDecoder(network, weights)
        found = integrated_gradients(lambda values: decode(styled_features(network, values)), eeg, baseline, N_STEPS)
        means = (network(each).reshape(-1, 144) @ weights.T for each in (eeg, baseline[None]))
        return found.sum(axis=(2, 3, 4)).T, *means

    summed, outputs, start = compiled(explain, small_published(**options), eeg, baseline)
    change = np.asarray(outputs - start)
    # Of a typical change: one of nearly zero has no percentage.
    assert np.sqrt(np.mean(np.square(summed - change))) < 0.02 * np.sqrt(np.mean(np.square(change)))


def test_log_power_has_a_closed_form():
    """What the explanation of ``neuralfield`` uses: shares of power in proportion, over the logarithmic mean."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((2, 4, 6))
    usual, now = root @ root.transpose(0, 2, 1)
    filters = rng.standard_normal((3, 4))

    def log_power(spectra):
        return jnp.log(jnp.einsum("vc,bcd,vd->b", filters, spectra, filters))[:, None]

    found = integrated_gradients(log_power, jnp.asarray(now)[None], jnp.asarray(usual), 400)[0, 0]
    by_electrode = np.asarray(found).sum(axis=1) / 2 + np.asarray(found).sum(axis=0) / 2

    def shares(spectrum):
        return np.einsum("vc,cd,vd->c", filters, spectrum, filters)

    powers = shares(now).sum(), shares(usual).sum()
    slope = (np.log(powers[0]) - np.log(powers[1])) / (powers[0] - powers[1])
    np.testing.assert_allclose(by_electrode, (shares(now) - shares(usual)) * slope, rtol=1e-3, atol=1e-4)
