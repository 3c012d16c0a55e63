"""Convolution by Fourier coefficients against XLA's own, on random shapes; values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_windows import FEW, LAYOUT, assert_same_with_gradients, random_array, windows
from hypothesis import given
from hypothesis import strategies as st
from jax import lax

from bids_eeg2fmri.network.calhas2022 import convolution
from bids_eeg2fmri.network.calhas2022.banded_convolution import banded_convolution
from bids_eeg2fmri.network.calhas2022.spectral_convolution import spectral_convolution, spectral_operations


def _direct(x, kernel, strides):
    return lax.conv_general_dilated(x, kernel, strides, "VALID", dimension_numbers=LAYOUT)


@FEW
@given(windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_values_and_gradients(windows, n_samples, n_inputs, n_outputs):
    shape, window, strides = windows
    assert_same_with_gradients(
        lambda x, k: spectral_convolution(x, k, strides),
        lambda x, k: _direct(x, k, strides),
        random_array(0, (n_samples, *shape, n_inputs)),
        random_array(1, (*window, n_inputs, n_outputs)),
    )


@pytest.mark.parametrize("strides", [(13, 1, 1), (1, 17, 2)])
def test_strides_that_are_no_lengths_of_fast_transforms(strides):
    x, kernel = random_array(0, (2, 20, 19, 4, 1)), random_array(1, (3, 2, 2, 1, 2))
    for convolve in (spectral_convolution, convolution.valid_convolution):
        np.testing.assert_allclose(convolve(x, kernel, strides), _direct(x, kernel, strides), atol=1e-4)


def test_operations_are_those_of_transforms_and_products():
    x, kernel = jnp.zeros((3, 8, 6, 4, 2)), jnp.zeros((3, 3, 4, 2, 5))
    # Two pairs of samples: 2 inputs and, at half the length, 5 outputs; 10 kernels, and as many products of each pair.
    n_values = 8 * 6 * 4
    expected = 5 * ((2 + 5 / 2) * 2 + 10) * n_values * np.log2(n_values) + 8 * 2 * 10 * n_values
    assert spectral_operations(x, kernel, (2, 1, 1)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("shape", "window", "strides", "batch", "expected"),
    [
        # The blocks of the published network, and where each form was the faster one.
        ((64, 64, 30, 1), (14, 6, 12), (2, 1, 1), 4, spectral_convolution),
        ((25, 58, 18, 4), (6, 4, 6), (1, 1, 1), 4, spectral_convolution),
        ((19, 54, 12, 4), (12, 47, 5), (1, 1, 1), 4, spectral_convolution),
        ((19, 54, 12, 4), (12, 47, 5), (1, 1, 1), 32, spectral_convolution),
        ((27, 60, 20, 4), (3, 3, 3), (1, 1, 1), 32, banded_convolution),
        ((64, 134, 10, 1), (7, 37, 2), (3, 5, 1), 4, banded_convolution),
        ((64, 134, 10, 1), (7, 37, 2), (3, 5, 1), 32, banded_convolution),
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


@pytest.mark.parametrize("faster_in_products", [0, np.inf])
def test_bfloat16_comes_back_as_bfloat16_from_both_forms(monkeypatch, faster_in_products):
    monkeypatch.setattr(convolution, "_FASTER_IN_PRODUCTS", faster_in_products)
    x, kernel = random_array(0, (2, 6, 5, 4, 2)), random_array(1, (3, 3, 3, 2, 2))
    expected = _direct(x, kernel, (1, 1, 1))
    y = convolution.valid_convolution(x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16), (1, 1, 1))
    assert y.dtype == jnp.bfloat16
    np.testing.assert_allclose(y.astype(jnp.float32), expected, atol=0.02 * float(jnp.abs(expected).max()))
