"""Single layers against what the published package computed with the same weights."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.fft import dctn, idctn

from bids_eeg2fmri.network.calhas2022.attention import TopographicalAttention
from bids_eeg2fmri.network.calhas2022.blocks import ResBlock
from bids_eeg2fmri.network.calhas2022.cosine import cosine_transform, inverse_cosine
from bids_eeg2fmri.network.calhas2022.fourier import FixedFourierFeatures, RandomFourierFeatures
from bids_eeg2fmri.network.calhas2022.style import StylePrior

_TOLERANCE = 1e-4


@pytest.fixture
def block_and_recording(parity):
    recorded = parity("layer_resblock")
    block = ResBlock(
        (9, 11, 7), 2, 3, kernel=(3, 4, 2), strides=(2, 1, 1), pool=(2, 2, 1), pool_stride=(1, 1, 1), rngs=nnx.Rngs(0)
    )
    convs = {"left.conv1": block.left_conv, "left.conv2": block.second_conv, "right.conv1": block.right_conv}
    for name, conv in convs.items():
        conv.kernel[...], conv.bias[...] = recorded[f"w.rb.{name}.kernel"], recorded[f"w.rb.{name}.bias"]
    for name, norm in _norms(block).items():
        norm.scale[...], norm.bias[...] = recorded[f"w.rb.{name}.gamma"], recorded[f"w.rb.{name}.beta"]
        norm.mean[...] = recorded[f"w.rb.{name}.moving_mean"]
        norm.var[...] = recorded[f"w.rb.{name}.moving_variance"]
    return block, recorded


def _norms(block):
    return {"left.bn1": block.left_norm, "left.bn2": block.second_norm, "right.bn1": block.right_norm}


def _output_and_statistics(block, x):
    return block(x), nnx.state(block, nnx.BatchStat)


def test_residual_block(block_and_recording, compiled, deviation):
    block, recorded = block_and_recording
    block.eval()
    assert deviation(compiled(_output_and_statistics, block, recorded["x"])[0], recorded["out_eval"]) < _TOLERANCE
    block.train()
    output, moved = compiled(_output_and_statistics, block, recorded["x"])
    assert deviation(output, recorded["out_train"]) < _TOLERANCE
    nnx.update(block, moved)
    for name, norm in _norms(block).items():
        assert deviation(norm.mean[...], recorded[f"bn_after.rb.{name}.moving_mean"]) < _TOLERANCE
        assert deviation(norm.var[...], recorded[f"bn_after.rb.{name}.moving_variance"]) < _TOLERANCE


def test_random_fourier_features(parity, deviation):
    recorded = parity("layer_rff_layer")
    layer = RandomFourierFeatures(343, normalization="layer", rngs=nnx.Rngs(0))
    layer.frequencies[...], layer.offsets[...] = recorded["unscaled_kernel"], recorded["bias"]
    layer.scale[...] = recorded["kernel_scale"]
    phases = layer(recorded["x"])
    assert deviation(phases, recorded["out"]) < _TOLERANCE
    assert deviation(jnp.cos(phases), recorded["sin"]) < _TOLERANCE


def test_initial_scale_of_random_fourier_features(parity):
    layer = RandomFourierFeatures(343, normalization="layer", rngs=nnx.Rngs(0))
    np.testing.assert_allclose(layer.scale[...], parity("layer_rff_layer")["kernel_scale"], rtol=1e-6)


def test_fixed_fourier_features(parity, deviation):
    recorded = parity("layer_fourier_fixed")
    layer = FixedFourierFeatures(27)
    assert deviation(layer.frequencies[...], recorded["kernel"]) < 1e-6
    assert deviation(layer(recorded["x"]), recorded["out"]) < _TOLERANCE


def test_topographical_attention(parity, deviation):
    recorded = parity("layer_topographical_attention")
    layer = TopographicalAttention(64, 1340, rngs=nnx.Rngs(0))
    layer.keys[...] = recorded["A"]
    attended, scores = layer(recorded["x"])
    assert deviation(scores, recorded["scores"]) < _TOLERANCE
    assert deviation(attended, recorded["out"]) < _TOLERANCE
    np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-5)


def test_style_prior(parity, deviation):
    recorded = parity("layer_style")
    layer = StylePrior(343, rngs=nnx.Rngs(0))
    layer.factors[...] = recorded["w"]
    assert deviation(layer(recorded["x"], None), recorded["out"]) < _TOLERANCE


def test_cosine_transforms(parity, deviation):
    recorded = parity("layer_dct3d")
    x = jnp.asarray(recorded["x"])
    assert deviation(cosine_transform(x), recorded["out"]) < _TOLERANCE
    assert deviation(inverse_cosine(jnp.asarray(recorded["out"])), recorded["idct"]) < _TOLERANCE
    assert deviation(cosine_transform(x), dctn(recorded["x"], axes=(1, 2, 3))) < 1e-6
    assert deviation(inverse_cosine(x), idctn(recorded["x"], axes=(1, 2, 3))) < 1e-6
    assert deviation(inverse_cosine(cosine_transform(x)), recorded["x"]) < 1e-6


def test_padded_inverse_cosine(parity, deviation):
    recorded = parity("layer_padded_idct3d")
    x = jnp.asarray(recorded["x"])
    assert deviation(inverse_cosine(x, (14, 13, 9)), recorded["out"]) < _TOLERANCE
    assert deviation(inverse_cosine(x, (14, 13, 9)), idctn(recorded["x"], s=(14, 13, 9), axes=(1, 2, 3))) < 1e-6


def test_low_pass_of_a_whole_volume(parity, deviation):
    recorded = parity("layer_dct_full")
    coefficients = cosine_transform(jnp.asarray(recorded["x"]))[:, :15, :15, :8]
    assert deviation(coefficients, recorded["dct_crop"]) < _TOLERANCE
    assert deviation(inverse_cosine(jnp.asarray(recorded["dct_crop"]), (64, 64, 30)), recorded["out"]) < _TOLERANCE
