"""The limit on the gradient's norm, against the one of optax."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published.optimiser import global_norm, make_optimiser


@pytest.fixture
def gradient():
    rng = np.random.default_rng(0)
    return {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in (("a", (3, 40)), ("b", (7,)))}


def test_norm_is_that_of_all_entries(gradient):
    entries = np.concatenate([np.ravel(leaf) for leaf in gradient.values()])
    assert float(global_norm(gradient)) == pytest.approx(np.linalg.norm(entries), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0])
def test_updates_are_those_of_clipping_before_adam(gradient, scale):
    options = TrainingOptions(learning_rate=0.01, clip_norm=1.0, warmup_share=0.0)
    ours = make_optimiser(options, 1)
    reference = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.01, eps=1e-7))
    scaled = {name: scale * leaf for name, leaf in gradient.items()}
    (updates, state), (_, expected) = (each.update(scaled, each.init(gradient)) for each in (ours, reference))
    # Adam's updates hide a factor common to all gradients; its moments show it.
    for moment in ("mu", "nu"):
        for name in gradient:
            np.testing.assert_allclose(
                optax.tree.get(state, moment)[name], optax.tree.get(expected, moment)[name], rtol=1e-5
            )
    assert set(updates) == set(gradient)
