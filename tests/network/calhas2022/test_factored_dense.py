"""The factors of a dense layer's gradient against the gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.network.calhas2022 import factored_dense
from bids_eeg2fmri.network.calhas2022.factored_dense import FactoredLinear, no_factors


@pytest.mark.parametrize("batch", [1, 3, 11])
@pytest.mark.parametrize("at_once", [2**20, 15])
def test_gradients_and_norm(monkeypatch, batch, at_once):
    monkeypatch.setattr(factored_dense, "_AT_ONCE", at_once)
    layer = nnx.Linear(5, 12, rngs=nnx.Rngs(0))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(batch, 5)), jnp.float32)

    def loss(layer, x):
        return jnp.sum(jnp.sin(layer(x)))

    of_layer, of_x = nnx.grad(loss, argnums=(0, 1))(layer, x)
    factors, of_x_too = jax.grad(lambda f, x: loss(FactoredLinear(layer, f), x), argnums=(0, 1))(
        no_factors(batch, layer.kernel[...]), x
    )
    np.testing.assert_allclose(factors.product(), of_layer["kernel"][...], atol=1e-5)
    np.testing.assert_allclose(of_x_too, of_x, atol=1e-5)
    assert float(factors.squared_norm()) == pytest.approx(float((of_layer["kernel"][...] ** 2).sum()), rel=1e-4)


def test_it_computes_in_the_type_of_the_layer():
    layer = nnx.Linear(5, 12, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
    x = jnp.ones((2, 5))
    factors = no_factors(2, layer.kernel[...])
    y = FactoredLinear(layer, factors)(x)
    assert y.dtype == jnp.bfloat16
    np.testing.assert_array_equal(y, layer(x))
    passed = jax.grad(lambda f: FactoredLinear(layer, f)(x).astype(jnp.float32).sum())(factors)
    assert {leaf.dtype for leaf in passed} == {jnp.dtype("float32")}
    np.testing.assert_allclose(passed.product(), np.full((5, 12), 2.0))


def test_the_norm_is_never_less_than_nothing():
    rng = np.random.default_rng(0)
    inputs = jnp.asarray(np.repeat(rng.normal(size=(1, 40)), 3, axis=0), jnp.float32)
    for _ in range(20):
        first, second = rng.normal(size=(2, 50))
        passed = jnp.asarray([1e3 * first, 1e3 * second, -1e3 * (first + second)], jnp.float32)
        assert float(factored_dense.Factors(inputs, passed).squared_norm()) >= 0
