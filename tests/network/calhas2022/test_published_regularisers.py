"""Penalties against the published ones and against what each promises."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
from flax import nnx

from bids_eeg2fmri.network.calhas2022 import regularisers
from bids_eeg2fmri.network.calhas2022.nonnegative import NonNegative, project_nonnegative

_PARITY = Path(__file__).parents[2] / "data" / "parity"


def _recorded(name):
    recorded = np.load(_PARITY / f"reg_{name}.npz")
    return recorded["x"], recorded["loss"]


def test_max_norm_is_published():
    x, loss = _recorded("maxbatchnorm")
    np.testing.assert_allclose(regularisers.max_norm(x), loss, rtol=1e-6)


def test_organise_channels_is_published():
    x, loss = _recorded("OrganizeChannels")
    # Recorded before the division by the batch's size.
    np.testing.assert_allclose(len(x) * regularisers.organise_channels(x), loss, rtol=1e-6)


def test_organise_channels_prefers_attention_that_sees_every_channel():
    permutation = np.eye(4)[[2, 0, 3, 1]][None]
    assert abs(regularisers.organise_channels(permutation)) < 1e-6
    assert regularisers.organise_channels(np.eye(4)[[0, 0, 3, 1]][None]) > 10


def test_in_of_distribution_is_published():
    x, loss = _recorded("InOfDistribution")
    np.testing.assert_allclose(regularisers.in_of_distribution(x), loss, rtol=1e-6)


def test_phases_that_span_the_half_turn_cost_nothing():
    assert regularisers.in_of_distribution(np.linspace(0, np.pi, 9)) < 1e-5


def test_weight_decay_sums_squares():
    weights = [np.array([1.0, -2.0]), np.array([[3.0]])]
    np.testing.assert_allclose(regularisers.weight_decay(weights, 0.5), 7.0)
    assert regularisers.weight_decay([], 0.5) == 0


def test_projection_raises_negative_values_of_marked_parameters_alone():
    class Module(nnx.Module):
        def __init__(self):
            self.scale = NonNegative(jnp.array([-1.0, 2.0]))
            self.weight = nnx.Param(jnp.array([-1.0]))

    module = Module()
    project_nonnegative(module)
    np.testing.assert_array_equal(module.scale[...], [0.0, 2.0])
    np.testing.assert_array_equal(module.weight[...], [-1.0])
