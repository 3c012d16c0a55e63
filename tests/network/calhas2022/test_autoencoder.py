"""The autoencoder of volumes: size, shapes, and that it learns."""

from dataclasses import replace
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from bids_eeg2fmri.network.calhas2022 import ArchitectureError, Blocks, Calhas2022Config
from bids_eeg2fmri.network.calhas2022.autoencoder import FmriAutoencoder
from bids_eeg2fmri.network.calhas2022.losses import absolute_error


@pytest.fixture(scope="module")
def volumes():
    return jnp.asarray(np.random.default_rng(0).normal(size=(2, 12, 12, 6)), jnp.float32)


def _n_weights(network, *kinds):
    return sum(prod(leaf.shape) for leaf in jax.tree.leaves(nnx.state(network, *kinds)))


def test_number_of_parameters_is_published():
    network = nnx.eval_shape(lambda: FmriAutoencoder(Calhas2022Config(), rngs=nnx.Rngs(0)))
    assert _n_weights(network, nnx.Not(nnx.RngState)) == 42_846_049


def test_shapes(small, volumes):
    network = nnx.eval_shape(lambda: FmriAutoencoder(small, attention=True, rngs=nnx.Rngs(0)))
    assert nnx.eval_shape(lambda n: n(volumes), network).shape == volumes.shape
    assert nnx.eval_shape(lambda n: n.encode(volumes), network).shape == (2, 3, 3, 3)
    # Queries, keys, values and outputs of two heads with 27 features of a single number each.
    assert _n_weights(network.attention, nnx.Param) == 3 * 2 * 54 + 54 + 1


def test_needs_an_encoder(small):
    with pytest.raises(ArchitectureError, match="needs an fMRI encoder"):
        FmriAutoencoder(replace(small, fmri_blocks=None), rngs=nnx.Rngs(0))


def test_a_step_of_training_lowers_the_error(small, volumes):
    config = replace(
        small, fmri_blocks=Blocks(((3, 3, 2),), ((3, 3, 2),), pool=None), batch_norm=False, skip_connections=False
    )
    network = FmriAutoencoder(config, attention=True, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(network, optax.adam(1e-3), wrt=nnx.Param)

    @nnx.jit
    def step(network, optimizer):
        loss, gradients = nnx.value_and_grad(lambda n: absolute_error(volumes, n(volumes)).mean())(network)
        optimizer.update(network, gradients)
        return loss, gradients

    before, gradients = step(network, optimizer)
    after, _ = step(network, optimizer)
    assert after < before
    assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(gradients.filter(lambda path, _: "kernel" in path)))
