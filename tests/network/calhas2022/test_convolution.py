"""Convolution and pooling against XLA's own, and NumPy's windows, on random shapes; values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_windows import FEW, LAYOUT, assert_same_with_gradients, random_array, windows
from hypothesis import given
from hypothesis import strategies as st
from jax import lax
from numpy.lib.stride_tricks import sliding_window_view

from bids_eeg2fmri.network.calhas2022.config import ArchitectureError
from bids_eeg2fmri.network.calhas2022.convolution import max_pool, same_convolution, valid_convolution, valid_shape


@FEW
@given(windows(), st.integers(1, 3), st.integers(1, 3))
def test_valid_convolution(windows, n_inputs, n_outputs):
    shape, kernel, strides = windows
    assert_same_with_gradients(
        lambda x, k: valid_convolution(x, k, strides),
        lambda x, k: lax.conv_general_dilated(x, k, strides, "VALID", dimension_numbers=LAYOUT),
        random_array(0, (2, *shape, n_inputs)),
        random_array(1, (*kernel, n_inputs, n_outputs)),
    )


@FEW
@given(st.tuples(*[st.integers(1, 6)] * 3), st.tuples(*[st.sampled_from((1, 3))] * 3))
def test_same_convolution(shape, kernel):
    assert_same_with_gradients(
        same_convolution,
        lambda x, k: lax.conv_general_dilated(x, k, (1, 1, 1), "SAME", dimension_numbers=LAYOUT),
        random_array(0, (2, *shape, 2)),
        random_array(1, (*kernel, 2, 3)),
    )


@FEW
@given(windows())
def test_max_pool(windows):
    shape, window, strides = windows
    x = random_array(0, (2, *shape, 3))
    a, b, c = strides
    expected = sliding_window_view(x, window, axis=(1, 2, 3)).max(axis=(-3, -2, -1))[:, ::a, ::b, ::c]
    np.testing.assert_array_equal(max_pool(x, window, strides), expected)
    assert expected.shape[1:4] == valid_shape(shape, window, strides, "pooling")


def test_gradient_of_max_pool_goes_to_the_largest_value():
    x = jnp.asarray([1.0, 5.0, 2.0, 0.0, 3.0]).reshape(1, 5, 1, 1, 1)
    gradient = jax.grad(
        lambda x: (max_pool(x, (3, 1, 1), (2, 1, 1)) * jnp.asarray([10.0, 1.0])[:, None, None, None]).sum()
    )(x)
    np.testing.assert_array_equal(gradient.ravel(), [0, 10, 0, 0, 1])


@pytest.mark.parametrize(("axis", "name"), enumerate(("first", "second", "third")))
def test_window_that_does_not_fit_names_layer_and_axis(axis, name):
    window = [2, 2, 2]
    window[axis] = 9
    with pytest.raises(ArchitectureError, match=f"The pooling of block 1 .*{name} axis has length 4, window 9"):
        valid_shape((4, 4, 4), tuple(window), (1, 1, 1), "The pooling of block 1")
