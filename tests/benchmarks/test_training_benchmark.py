"""What the benchmark of training reads from profiles, and the tables it makes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from benchmarks.training import fits_table, steps_table
from benchmarks.trainings.device import Trace, profiled


def test_overlapping_spans_count_once_and_only_inside_the_window():
    trace = Trace(computing=((0.0, 1.0), (2.0, 4.0), (5.0, 6.0)), named={})
    assert trace.busy_s((0.5, 5.25)) == pytest.approx(0.5 + 2.0 + 0.25)
    assert trace.busy_s((1.0, 2.0)) == 0


def test_a_program_is_seen_in_the_profile():
    @jax.jit
    def product(a):
        return a @ a

    matrix = jnp.ones((300, 300))
    product(matrix).block_until_ready()
    with profiled() as trace:
        for _ in range(3):
            product(matrix).block_until_ready()
    calls = trace().named["PjitFunction(product)"]
    assert len(calls) == 3
    assert 0 < trace().busy_s((calls[0][0], calls[-1][1] + 1)) < 1
    ends = [end for _, end in trace().computing]
    assert all(begin > end for (begin, _), end in zip(trace().computing[1:], ends[:-1], strict=True))


def _steps(name, busy_s=None, waited_s=None):
    return {"name": name, "count": 30, "seconds": 3.0, "cpu_s": 4.5, "busy_s": busy_s, "waited_s": waited_s}


def test_tables():
    field = [_steps("_error_of_some"), _steps("_error_of_some")]
    seen = [
        {"read_s": 1.0, "fit_s": 8.0, "steps": field},
        {"read_s": 2.0, "fit_s": 6.0, "steps": [_steps("of_batch", 2.97, 0.003)]},
    ]
    *_, maps, reliability, weights = steps_table(seen).splitlines()
    assert maps == "| neuralfield: maps | 30 | 10.0 | 1.50 | one program | none |"
    assert "mean of the reliability" in reliability
    assert weights == "| calhas2022: weights | 30 | 10.0 | 1.50 | 99.0 % | 0.1 % |"
    assert "| neuralfield | 1.00 | 8.00 | 6.00 | 75.0 % |" in fits_table(seen)
