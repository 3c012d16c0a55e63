"""Convolution by Fourier coefficients against XLA's own, on random shapes; values and gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from bids_eeg2fmri.network.calhas2022 import convolution
from bids_eeg2fmri.network.calhas2022.banded_convolution import banded_convolution, banded_operations
from bids_eeg2fmri.network.calhas2022.spectral_convolution import spectral_convolution, spectral_operations

_FEW = settings(max_examples=4, deadline=None, derandomize=True)
_LAYOUT = ("NDHWC", "DHWIO", "NDHWC")


@st.composite
def _windows(draw):
    shape = draw(st.tuples(*[st.integers(2, 8)] * 3))
    window = tuple(draw(st.integers(1, size)) for size in shape)
    strides = draw(st.tuples(*[st.integers(1, 3)] * 3))
    return shape, window, strides


def _random(seed, shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def _direct(x, kernel, strides):
    return lax.conv_general_dilated(x, kernel, strides, "VALID", dimension_numbers=_LAYOUT)


@_FEW
@given(_windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_values_and_gradients(windows, n_samples, n_inputs, n_outputs):
    shape, window, strides = windows
    x, kernel = _random(0, (n_samples, *shape, n_inputs)), _random(1, (*window, n_inputs, n_outputs))

    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def both(x, kernel):
        results = []
        for convolve in (_direct, spectral_convolution):
            y, pull = jax.vjp(lambda x, k, convolve=convolve: convolve(x, k, strides), x, kernel)
            results.append((y, *pull(jnp.sin(jnp.arange(y.size, dtype=jnp.float32)).reshape(y.shape))))
        return results

    for expected, value in zip(*both(x, kernel), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-4)


@pytest.mark.parametrize("strides", [(13, 1, 1), (1, 17, 2)])
def test_strides_that_are_no_lengths_of_fast_transforms(strides):
    x, kernel = _random(0, (2, 20, 19, 4, 1)), _random(1, (3, 2, 2, 1, 2))
    for convolve in (spectral_convolution, convolution.valid_convolution):
        np.testing.assert_allclose(convolve(x, kernel, strides), _direct(x, kernel, strides), atol=1e-4)


def test_operations_are_those_of_the_products_and_transforms():
    x, kernel = jnp.zeros((3, 8, 6, 4, 2)), jnp.zeros((3, 3, 4, 2, 5))
    # The kernel covers the third axis: 6 x 4 windows, whose 3 x 3 x 4 x 2 values meet 5 filters; nothing is banded.
    assert banded_operations(x, kernel, (1, 1, 1)) == 2 * 3 * (6 * 4) * (3 * 3 * 4 * 2) * 5
    # Pairs of samples: 2 inputs and, at half the length, 5 outputs; and 10 kernels.
    n_values = 8 * 6 * 4
    expected = 5 * ((2 + 5 / 2) * 3 / 2 + 10) * n_values * np.log2(n_values)
    assert spectral_operations(x, kernel, (2, 1, 1)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("shape", "window", "strides", "batch", "expected"),
    [
        # The blocks of the published network, and where each form was the faster one.
        ((64, 64, 30, 1), (14, 6, 12), (2, 1, 1), 4, spectral_convolution),
        ((25, 58, 18, 4), (6, 4, 6), (1, 1, 1), 4, spectral_convolution),
        ((64, 134, 10, 1), (7, 37, 2), (3, 5, 1), 4, banded_convolution),
        ((19, 19, 9, 4), (7, 7, 2), (2, 2, 1), 32, banded_convolution),
    ],
)
def test_the_faster_form_is_taken(monkeypatch, shape, window, strides, batch, expected):
    taken = []
    for name in ("banded_convolution", "spectral_convolution"):
        form = getattr(convolution, name)
        monkeypatch.setattr(convolution, name, lambda *a, form=form: taken.append(form) or form(*a))
    x, kernel = (jax.ShapeDtypeStruct(s, jnp.float32) for s in ((batch, *shape), (*window, shape[3], 8)))
    jax.eval_shape(lambda x, k: convolution.valid_convolution(x, k, strides), x, kernel)
    assert taken == [expected]


def test_bfloat16_comes_back_as_bfloat16(monkeypatch):
    monkeypatch.setattr(convolution, "_SMALL", 0)
    monkeypatch.setattr(convolution, "_FASTER_IN_PRODUCTS", 0)
    x, kernel = _random(0, (2, 6, 5, 4, 2)), _random(1, (3, 3, 3, 2, 2))
    expected = _direct(x, kernel, (1, 1, 1))
    y = convolution.valid_convolution(x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16), (1, 1, 1))
    assert y.dtype == jnp.bfloat16
    np.testing.assert_allclose(y.astype(jnp.float32), expected, atol=0.02 * float(jnp.abs(expected).max()))
