"""Convolution as a matrix product against XLA's own, in every way that it can be done; values and gradients."""

import jax
import jax.numpy as jnp
import pytest
from drawn_windows import FEW, LAYOUT, assert_same_with_gradients, random_array, windows
from hypothesis import given
from hypothesis import strategies as st
from jax import lax

from bids_eeg2fmri.network.calhas2022 import banded_convolution
from bids_eeg2fmri.network.calhas2022.banded_convolution import Plan, banded_cost, best_plan, plans

SHAPE, KERNEL, STRIDES = (15, 6, 7), (2, 3, 4), (2, 2, 1)


def _assert_right(shape, kernel, strides, n_samples=2, n_inputs=2, n_outputs=3):
    assert_same_with_gradients(
        lambda x, k: banded_convolution.banded_convolution(x, k, strides),
        lambda x, k: lax.conv_general_dilated(x, k, strides, "VALID", dimension_numbers=LAYOUT),
        random_array(0, (n_samples, *shape, n_inputs)),
        random_array(1, (*kernel, n_inputs, n_outputs)),
    )


@FEW
@given(windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_values_and_gradients(windows, n_samples, n_inputs, n_outputs):
    _assert_right(*windows, n_samples, n_inputs, n_outputs)


# 7, 2 and 4 outputs along the axes: one at a time, blocks that leave a remainder, and all at once.
@pytest.mark.parametrize("block", [1, 3, 7])
def test_every_axis_in_every_part(monkeypatch, block):
    ways = [plan for plan in plans(SHAPE, (*KERNEL, 2, 3), STRIDES) if plan.block == block]
    assert {plan.banded for plan in ways} == {1: {0, 1, 2}, 3: {0, 2}, 7: {0}}[block]
    for plan in ways:
        monkeypatch.setattr(banded_convolution, "best_plan", lambda *of, plan=plan: plan)
        _assert_right(SHAPE, KERNEL, STRIDES)


@pytest.mark.parametrize(("held", "at_once"), [(1, 1), (2, 2), (3, 2)])
def test_a_few_samples_at_a_time(monkeypatch, held, at_once):
    # Batches of 5: two at a time leave a remainder of one.
    x, kernel = jnp.zeros((5, *SHAPE, 2)), jnp.zeros((*KERNEL, 2, 3))
    plan = best_plan(x, kernel, STRIDES)
    monkeypatch.setattr(banded_convolution, "_MAX_HELD", held * plan.rows * max(plan.inner, plan.columns))
    _assert_right(SHAPE, KERNEL, STRIDES, n_samples=5)
    program = str(jax.make_jaxpr(lambda x, k: banded_convolution.banded_convolution(x, k, STRIDES))(x, kernel))
    assert f"length={5 // at_once}" in program


def test_the_cheapest_way_counts_multiplications_and_copies():
    # The published network's first convolution: five blocks of four outputs, each 37 + 3 x 5 = 52 values wide, for
    # 20 windows of 7 channels at 10 times; the kernel's two times are summed.
    x, kernel, strides = jnp.zeros((3, 64, 134, 10, 1)), jnp.zeros((7, 37, 2, 1, 8)), (3, 5, 1)
    plan = best_plan(x, kernel, strides)
    assert plan == Plan(copied=0, summed=2, banded=1, block=4, rows=20 * 10 * 5, inner=7 * 52, columns=4 * 2 * 8)
    expected = 3 * 1000 * (364 * 64 + 30 * (364 + 64)) + 30 * 364 * 64
    assert banded_cost(x, kernel, strides) == expected
