"""Layer-wise relevance propagation: conservation, and closed forms written out in NumPy."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.explanation.lrp_calhas2022 import explain_dense, explain_encoding, explain_volumes, make_rule
from bids_eeg2fmri.explanation.lrp_rules import EPSILON, Convolution, stabilised
from bids_eeg2fmri.network.calhas2022 import Blocks, VariationalCosine
from bids_eeg2fmri.network.calhas2022.encoder import Encoder
from bids_eeg2fmri.network.calhas2022.fourier import RandomFourierFeatures

_COSINE = {"decoder_shape": (4, 4, 3), "dct": True, "inverse_dct": True}
_NETWORKS = {
    "published": {"eeg_blocks": Blocks(((3, 5, 2), (2, 3, 2)), ((1, 2, 1), (1, 1, 1)), (2, 2, 1), (1, 1, 1))},
    "drawn cosines": {
        "style": "prior",
        "fourier_normalization": "tanh",
        "variational_idct": VariationalCosine((2, 2, 1), True, 4),
        **_COSINE,
    },
    "the least": {
        "attention": False,
        "style": "none",
        "fourier": "fixed",
        "batch_norm": False,
        "skip_connections": False,
        "inverse_dct": True,
    },
}
ONE_BLOCK = Blocks(((3, 3, 2),), ((1, 1, 1),), (2, 2, 2), (1, 1, 1))
EEG = jax.random.normal(jax.random.key(2), (3, 8, 20, 6))
# Sums agree within 1 %.
_TOLERANCE = 0.01


def _explain(network, eeg, rule="epsilon"):
    # Squares: nothing cancels, so that a percentage means something.
    volumes = network(eeg)
    relevance = jnp.square(volumes) / jnp.square(volumes).sum(axis=(1, 2, 3), keepdims=True)
    return explain_volumes(network, eeg, relevance, rule)


@pytest.mark.parametrize("options", _NETWORKS.values(), ids=_NETWORKS)
def test_relevance_is_conserved_through_every_layer_and_the_network(options, small_published, compiled):
    found = compiled(_explain, small_published(**options), EEG)
    for layer, account in found.accounts.items():
        received, passed, biases = map(np.asarray, account)
        scale = np.abs(received) + np.abs(passed) + np.abs(biases)
        assert np.all(np.abs(received - passed - biases) <= _TOLERANCE * scale), layer
    on_the_way = [
        account.biases for layer, account in found.accounts.items() if layer not in ("style", "attention scores")
    ]
    whole = np.asarray(found.eeg.sum(axis=(1, 2, 3)) + sum(on_the_way))
    np.testing.assert_allclose(whole, 1.0, atol=_TOLERANCE)
    assert ("attention" in found.accounts) == (found.scores is not None)
    assert ("style" in found.accounts) == (found.style_scores is not None)
    for scores, layer in ((found.scores, "attention"), (found.style_scores, "style")):
        if scores is not None:
            # All of the channels', or of the features', relevance goes to the scores instead.
            received = found.accounts[layer].received
            np.testing.assert_allclose(scores.sum(axis=(1, 2)), received, rtol=_TOLERANCE, atol=1e-4)


def test_the_stabiliser_never_brings_an_output_nearer_to_zero():
    z = jnp.array([[-2.0, -1e-7, 0.0, 1e-7, 3.0]])
    moved = np.asarray(stabilised(z))
    assert np.all(np.abs(moved) > np.abs(np.asarray(z)))
    assert np.array_equal(np.sign(moved), [[-1, -1, 1, 1, 1]])
    assert np.abs(moved - z).max() == pytest.approx(EPSILON * np.sqrt(np.mean(np.square(z))), rel=0.01)


def test_a_dense_layer_shares_by_contributions():
    rng = np.random.default_rng(0)
    kernel, bias, x, relevance = (rng.standard_normal(shape) for shape in ((4, 3), (3,), (2, 4), (2, 3)))
    layer = nnx.Linear(4, 3, rngs=nnx.Rngs(0))
    layer.kernel[...], layer.bias[...] = jnp.asarray(kernel), jnp.asarray(bias)
    z = x @ kernel + bias
    shares = {"epsilon": relevance / z, "upstream": relevance / (z + 1e-9)}
    for name, share in shares.items():
        passed, account = explain_dense(layer, jnp.asarray(x, jnp.float32), jnp.asarray(relevance), make_rule(name))
        np.testing.assert_allclose(passed, x * (share @ kernel.T), rtol=2e-3, atol=1e-4)
        np.testing.assert_allclose(account.biases, share @ bias, rtol=2e-3, atol=1e-4)


def test_convolution_pooling_and_normalisation_are_one_layer():
    """The winner of every window takes its relevance, and hands it on by its own contributions."""
    rng = np.random.default_rng(1)
    kernel, x = rng.standard_normal((2, 1, 1, 1, 1)), rng.standard_normal((1, 4, 1, 1, 1))
    layer = _convolution(kernel, bias=0.3, gain=-1.7, offset=0.2, mean=0.1, var=0.8)
    relevance = rng.standard_normal((1, 2, 1, 1, 1))
    passed, account = make_rule("epsilon").convolution(layer, *map(_single, (x, relevance)))
    signal, weights = x.ravel(), kernel.ravel()
    convolved = np.array([signal[k : k + 2] @ weights for k in range(3)])
    factor = -1.7 / np.sqrt(0.8 + 1e-3)
    expected, biases = np.zeros(4), 0.0
    for window, received in zip(range(2), relevance.ravel(), strict=True):
        winner = window + int(convolved[window : window + 2].argmax())
        output = factor * (convolved[winner] + 0.3 - 0.1) + 0.2
        expected[winner : winner + 2] += factor * signal[winner : winner + 2] * weights * received / output
        biases += (factor * (0.3 - 0.1) + 0.2) * received / output
    np.testing.assert_allclose(passed.ravel(), expected, rtol=1e-3)
    np.testing.assert_allclose(account.biases, biases, rtol=1e-3)


def test_the_published_rule_passes_normalisation_by():
    rng = np.random.default_rng(1)
    kernel, x = rng.standard_normal((2, 1, 1, 1, 1)), rng.standard_normal((1, 4, 1, 1, 1))
    layer = _convolution(kernel, bias=0.3, gain=-1.7, offset=0.2, mean=0.1, var=0.8)
    relevance = rng.standard_normal((1, 2, 1, 1, 1))
    passed, _ = make_rule("upstream").convolution(layer, *map(_single, (x, relevance)))
    signal, weights = x.ravel(), kernel.ravel()
    convolved = np.array([signal[k : k + 2] @ weights for k in range(3)]) + 0.3
    at_convolution, expected = np.zeros(3), np.zeros(4)
    for window, received in zip(range(2), relevance.ravel(), strict=True):
        at_convolution[window + int(convolved[window : window + 2].argmax())] += received
    for k in range(3):
        expected[k : k + 2] += signal[k : k + 2] * weights * at_convolution[k] / (convolved[k] + 1e-9)
    np.testing.assert_allclose(passed.ravel(), expected, rtol=1e-4)


def test_the_published_rule_doubles_at_sums_and_linearises_the_cosine():
    rule = make_rule("upstream")
    left, right, relevance = (jnp.asarray(row) for row in np.random.default_rng(2).standard_normal((3, 1, 5)))
    both = rule.addition(left, right, relevance)
    np.testing.assert_allclose(both[0] + both[1], 2 * relevance, rtol=1e-5)
    features = RandomFourierFeatures(5, normalization="layer", rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (2, 5))
    passed, _ = rule.fourier(features, x, jnp.ones((2, 5)))
    phases = np.asarray(features(x), np.float64)
    at_phases = -phases * np.sin(phases) / (np.cos(phases) + 1e-9)
    matrix = np.asarray(features.frequencies[...] / features.scale[...], np.float64)
    u = (np.asarray(x, np.float64) @ matrix + np.asarray(features.offsets[...])) / np.pi
    expected = -np.asarray(x) * ((at_phases / (np.minimum(1 - u, 3 - u) + 1e-9)) @ matrix.T) / np.pi
    np.testing.assert_allclose(passed, expected, rtol=2e-3, atol=1e-3)


def test_the_published_rule_goes_through_the_network(small_published, compiled):
    found = compiled(lambda network, eeg: _explain(network, eeg, "upstream"), small_published(), EEG)
    account = found.accounts["block 1, sum"]
    np.testing.assert_allclose(account.passed, 2 * account.received, rtol=1e-3)
    assert np.isfinite(found.eeg).all()
    assert found.scores.shape == found.style_scores.shape == (3, 8, 8)


def test_an_encoder_of_volumes_and_a_classifier_conserve_too(small_published, compiled):
    config = small_published().config
    volumes = jax.random.normal(jax.random.key(5), (2, 6, 6, 4))

    class Both(nnx.Module):
        def __init__(self):
            self.encoder = Encoder((6, 6, 4), ONE_BLOCK, config, name="fMRI encoder", rngs=nnx.Rngs(0))
            self.head = nnx.Linear(27, 2, rngs=nnx.Rngs(1))

    def explain(module, volumes):
        logits = jnp.ones((len(volumes), 2))
        of_latent, of_head = explain_dense(module.head, module.encoder(volumes), logits, make_rule("epsilon"))
        passed, accounts = explain_encoding(module.encoder, volumes, of_latent, make_rule("epsilon"))
        return passed, accounts | {"head": of_head}

    both = Both()
    both.eval()
    passed, accounts = compiled(explain, both, volumes)
    assert passed.shape == volumes.shape
    total = passed.sum(axis=(1, 2, 3)) + sum(account.biases for account in accounts.values())
    np.testing.assert_allclose(total, 2.0, rtol=_TOLERANCE)


def _single(values):
    return jnp.asarray(values, jnp.float32)


def _convolution(kernel, *, bias, gain, offset, mean, var):
    conv = nnx.Conv(1, 1, kernel.shape[:3], rngs=nnx.Rngs(0))
    conv.kernel[...], conv.bias[...] = _single(kernel), _single([bias])
    norm = SimpleNamespace(
        scale=_single([gain]), bias=_single([offset]), mean=_single([mean]), var=_single([var]), epsilon=1e-3
    )
    return Convolution(conv, norm, (1, 1, 1), (2, 1, 1), (1, 1, 1))
