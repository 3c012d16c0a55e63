"""Windows of random shapes, and the comparison of two forms of a convolution."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

# Each example compiles for its own shapes.
FEW = settings(max_examples=4, deadline=None, derandomize=True)
LAYOUT = ("NDHWC", "DHWIO", "NDHWC")


@st.composite
def windows(draw):
    """Shape, window and strides of which the window fits."""
    shape = draw(st.tuples(*[st.integers(2, 8)] * 3))
    window = tuple(draw(st.integers(1, size)) for size in shape)
    strides = draw(st.tuples(*[st.integers(1, 3)] * 3))
    return shape, window, strides


def random_array(seed, shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def assert_same_with_gradients(ours, reference, *inputs):
    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def both(inputs):
        expected, pull_reference = jax.vjp(reference, *inputs)
        value, pull = jax.vjp(ours, *inputs)
        cotangent = jnp.sin(jnp.arange(expected.size, dtype=jnp.float32)).reshape(expected.shape)
        return (value, *pull(cotangent)), (expected, *pull_reference(cotangent))

    for value, expected in zip(*both(inputs), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-4)
