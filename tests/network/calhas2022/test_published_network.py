"""Size, shapes and behaviour of the network, and loading of published weights."""

import json
from dataclasses import asdict, replace
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.network.calhas2022 import (
    ArchitectureError,
    Blocks,
    Calhas2022,
    Calhas2022Config,
    VariationalCosine,
    from_upstream,
)
from bids_eeg2fmri.network.calhas2022.encoder import Encoder


@pytest.fixture(scope="module")
def recorded(parity):
    return parity("small_style_prior")


@pytest.fixture(scope="module")
def prior(small):
    return replace(small, style="prior")


@pytest.fixture(scope="module")
def network(recorded, prior):
    return from_upstream(recorded, prior)


@pytest.fixture(scope="module")
def eeg(recorded):
    return recorded["in.eeg"][..., 0]


@pytest.mark.parametrize(
    ("config", "total"),
    [
        (Calhas2022Config(), 44_859_159),
        (Calhas2022Config(style="prior"), 43_454_574),
        (Calhas2022Config(decoder_shape=(15, 15, 7), dct=True, inverse_dct=True), 3_130_239),
    ],
)
def test_number_of_parameters_is_published(config, total):
    network = nnx.eval_shape(lambda: Calhas2022(config, rngs=nnx.Rngs(0)))
    weights = nnx.state(network, nnx.Not(nnx.RngState))
    assert sum(prod(leaf.shape) for leaf in jax.tree.leaves(weights)) == total


def test_number_of_trained_parameters_is_published():
    network = nnx.eval_shape(lambda: Calhas2022(Calhas2022Config(), rngs=nnx.Rngs(0)))
    trained = jax.tree.leaves(nnx.state(network, nnx.Param))
    assert sum(prod(leaf.shape) for leaf in trained) == 44_741_047
    assert len(trained) == 73


def test_volume_does_not_depend_on_the_measured_one(network, compiled, eeg, recorded):
    fmri = recorded["in.fmri"][..., 0]

    def means(network, eeg, fmri):
        volumes = (fmri, 10 * fmri, None)
        return [network.outputs(eeg, volume).mean for volume in volumes], network(eeg)

    outputs, synthesis = compiled(means, network, eeg, fmri)
    for output in outputs:
        np.testing.assert_array_equal(output, synthesis)


def test_evaluation_is_deterministic_and_training_draws(small, eeg):
    drawing = replace(
        small,
        attention=False,
        style="none",
        eeg_blocks=Blocks(((3, 5, 2),), ((2, 5, 2),), pool=None),
        fmri_blocks=None,
        batch_norm=False,
        skip_connections=False,
        decoder_shape=(6, 6, 3),
        decoder_dropout=0.5,
        variational_idct=VariationalCosine((2, 2, 1)),
    )
    network = Calhas2022(drawing, rngs=nnx.Rngs(0))
    network.eval()
    np.testing.assert_array_equal(network(eeg), network(eeg))
    network.train()
    assert not np.array_equal(network(eeg), network(eeg))


def test_configuration_survives_json(small):
    config = replace(small, decoder_shape=(6, 6, 3), variational_idct=VariationalCosine((2, 2, 1), True, 4))
    for original in (config, Calhas2022Config(), replace(small, fmri_blocks=None)):
        assert Calhas2022Config.from_json(json.loads(json.dumps(asdict(original)))) == original


def test_attention_scores_are_weights(network, eeg):
    scores = np.asarray(network.attention_scores(eeg))
    assert scores.shape == (2, 8, 8)
    np.testing.assert_allclose(scores.sum(axis=-1), 1, rtol=1e-5)


def test_missing_parts_are_named(small):
    config = replace(small, attention=False, style="none", fmri_blocks=None)
    network = nnx.eval_shape(lambda: Calhas2022(config, rngs=nnx.Rngs(0)))
    with pytest.raises(ArchitectureError, match="no attention"):
        network.attention_scores(jnp.zeros((1, 8, 20, 6)))
    with pytest.raises(ArchitectureError, match="no fMRI encoder"):
        network.encode_fmri(jnp.zeros((1, 12, 12, 6)))


@pytest.mark.parametrize(
    "options",
    [
        {"style": "graph", "attention": False},
        {"style": "none", "attention": False, "organize_channels": True},
        {"max_norm_regularizer": True, "fourier": "fixed"},
        {"dense_variational": True, "inverse_dct": True},
        {"fourier": "fast"},
    ],
)
def test_contradicting_options_are_refused(options):
    with pytest.raises(ArchitectureError):
        Calhas2022Config(**options)


def test_input_of_another_shape_is_refused(network):
    with pytest.raises(ArchitectureError, match=r"EEG encoder takes arrays of shape \(8, 20, 6\), given \(8, 20, 5\)"):
        network.eeg_encoder.encoder(jnp.zeros((1, 8, 20, 5)))


_LENGTHS = st.tuples(*[st.integers(1, 6)] * 3)
_STRIDES = st.tuples(*[st.integers(1, 3)] * 3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    shape=st.tuples(*[st.integers(1, 16)] * 3),
    layers=st.lists(st.tuples(_LENGTHS, _STRIDES), min_size=1, max_size=3),
    pool=st.none() | st.tuples(*[st.integers(1, 2)] * 3),
)
def test_shapes_follow_the_arithmetic_of_valid_convolution(shape, layers, pool):
    kernels, strides = zip(*layers, strict=True)
    config = Calhas2022Config(latent_shape=(2, 3, 2), n_filters=2)

    def run():
        encoder = Encoder(shape, Blocks(kernels, strides, pool), config, name="test encoder", rngs=nnx.Rngs(0))
        return encoder, encoder(jnp.zeros((1, *shape)))

    problem, expected = None, list(shape)
    windows = [("convolution", number, *layer) for number, layer in enumerate(layers, start=1)]
    if pool is not None:
        windows = [step for window in windows for step in (window, ("pooling", window[1], pool, (1, 1, 1)))]
    for kind, number, window, stride in windows:
        fits = [size <= length for size, length in zip(window, expected, strict=True)]
        if not all(fits):
            axis = ("first", "second", "third")[fits.index(False)]
            problem = f"{kind} of block {number} of the test encoder does not fit: its {axis} axis"
            break
        expected = [(n - k) // s + 1 for n, k, s in zip(expected, window, stride, strict=True)]
    if problem is not None:
        with pytest.raises(ArchitectureError, match=problem):
            nnx.eval_shape(run)
    else:
        encoder, latent = nnx.eval_shape(run)
        assert encoder.blocks[-1].out_shape == tuple(expected)
        assert encoder.dense.kernel.shape == (2 * prod(expected), 12)
        assert latent.shape == (1, 2, 3, 2)


def _assert_same_weights(network, other):
    leaves, others = (jax.tree.leaves(nnx.state(each, nnx.Not(nnx.RngState))) for each in (network, other))
    for leaf, expected in zip(leaves, others, strict=True):
        np.testing.assert_array_equal(leaf, expected)


def test_published_weights_need_no_prefix(network, recorded, prior):
    bare = {name[2:]: array for name, array in recorded.items() if name.startswith("w.")}
    _assert_same_weights(from_upstream(bare, prior), network)


def test_published_weights_without_fmri_encoder(network, recorded, prior):
    arrays = {name: array for name, array in recorded.items() if not name.startswith("w.fmri_encoder")}
    without = from_upstream(arrays, prior)
    assert without.fmri_encoder is None
    _assert_same_weights(without.eeg_encoder, network.eeg_encoder)
    _assert_same_weights(without.decoder, network.decoder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (
            "w.decoder.Style_0.style_prior",
            np.zeros(26),
            r"decoder\.Style_0\.style_prior has shape \(26,\), needed \(27,\)",
        ),
        ("w.eeg_encoder.ResBlock_1.left.conv1.bias", None, r"eeg_encoder\.ResBlock_1\.left\.conv1\.bias is missing"),
        ("w.decoder.Dense_7.kernel", np.zeros((2, 2)), r"decoder\.Dense_7\.kernel belongs to no layer"),
        ("w.decoder.Conv3D_0.extra", np.zeros(1), r"decoder\.Conv3D_0\.extra is left over"),
        ("w.nonsense", np.zeros(1), "nonsense is not the name of a weight"),
    ],
)
def test_array_that_does_not_fit_is_named(name, array, message, recorded, prior):
    arrays = {key: value for key, value in recorded.items() if key != name}
    if array is not None:
        arrays[name] = array
    with pytest.raises(BadDataError, match=message):
        from_upstream(arrays, prior)


def test_unused_biases_of_an_independent_variational_layer_are_ignored(parity, small):
    arrays = parity("options_var_ind")
    low = replace(small, decoder_shape=(6, 6, 3), dct=True, variational_idct=VariationalCosine((2, 2, 1)))
    with_biases = from_upstream(arrays, low)
    arrays.pop("w.decoder.variational_iDCT3D_0.biases")
    _assert_same_weights(with_biases, from_upstream(arrays, low))


def test_a_loss_that_the_aleatoric_head_cannot_learn_by_is_refused():
    assert (Calhas2022Config().error_loss, Calhas2022Config(aleatoric=True).error_loss) == ("absolute", "laplace")
    assert Calhas2022Config(aleatoric=True, loss="gaussian").error_loss == "gaussian"
    for options in ({"loss": "gaussian"}, {"loss": "squared", "aleatoric": True}):
        with pytest.raises(ArchitectureError, match="does not fit aleatoric"):
            Calhas2022Config(**options)
    with pytest.raises(ArchitectureError, match="loss='median' does not exist"):
        Calhas2022Config(loss="median")
