"""Attention on latent representations, and the circle mask, against the published ones."""

from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.network.calhas2022.circle_mask import circle_mask
from bids_eeg2fmri.network.calhas2022.latent_attention import LatentSpatialAttention

_PARITY = Path(__file__).parents[2] / "data" / "parity"


@pytest.mark.parametrize(("name", "spatial_shape"), [("eeg", (3, 3)), ("fmri", (3, 3, 2))])
def test_latent_attention_is_published(name, spatial_shape):
    recorded = np.load(_PARITY / f"layer_latent_{name}_attention.npz")
    layer = LatentSpatialAttention(spatial_shape, 4, rngs=nnx.Rngs(0))
    layer.kernel[...] = recorded["A"]
    np.testing.assert_allclose(layer(recorded["x"]), recorded["out"], rtol=1e-5, atol=1e-6)


def test_a_batch_of_one_and_a_single_head_keep_their_axes():
    layer = LatentSpatialAttention((2, 3), 1, rngs=nnx.Rngs(0))
    assert layer(np.ones((1, 2, 3, 4), np.float32)).shape == (1, 1, 4)


def test_circle_mask_is_published():
    recorded = np.load(_PARITY / "layer_mri_circle_mask.npz")["mask"]
    np.testing.assert_array_equal(circle_mask((64, 64, 30)), recorded[..., 0].astype(bool))


def test_circle_mask_is_centred_on_every_axis():
    mask = circle_mask((21, 11, 9), 4.0)
    for axis, length in enumerate(mask.shape):
        inside = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        assert inside[0] + inside[-1] == 2 * (length // 2)
