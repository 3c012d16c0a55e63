"""The limit on the gradient's norm, against the one of optax."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published.optimiser import global_norm, make_optimiser, within_norm


@pytest.fixture
def gradient():
    rng = np.random.default_rng(0)
    return {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in (("a", (3, 40)), ("b", (7,)))}


def test_norm_is_that_of_all_entries(gradient):
    entries = np.concatenate([np.ravel(leaf) for leaf in gradient.values()])
    assert float(global_norm(gradient)) == pytest.approx(np.linalg.norm(entries), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0])
def test_scaled_gradients_are_within_the_limit(gradient, scale):
    scaled = {name: scale * leaf for name, leaf in gradient.items()}
    factor = within_norm(global_norm(scaled), 1.0)
    expected, _ = optax.clip_by_global_norm(1.0).update(scaled, optax.EmptyState())
    for name, leaf in scaled.items():
        np.testing.assert_allclose(factor * leaf, expected[name], rtol=1e-5)


def test_updates_are_those_of_adam(gradient):
    ours, reference = (
        make_optimiser(TrainingOptions(learning_rate=0.01, warmup_share=0.0), 1),
        optax.adam(0.01, eps=1e-7),
    )
    (updates, _), (expected, _) = (each.update(gradient, each.init(gradient)) for each in (ours, reference))
    for name in gradient:
        np.testing.assert_allclose(updates[name], expected[name], rtol=1e-5)
