"""The benchmark of start-up: what it makes of Python's import profile."""

from __future__ import annotations

import pytest

from benchmarks.startup import seconds_by_package

_PROFILE = """\
import time: self [us] | cumulative | imported package
import time:       200 |        200 |   encodings.aliases
05:49:01 INFO    a line of the log | with bars
import time:      1000 |       1500 |     jax._src.config
import time:       500 |       1700 |   jax
import time:        40 |         40 | json
"""


def test_seconds_by_package() -> None:
    seconds = seconds_by_package(_PROFILE)
    assert seconds == pytest.approx({"jax": 0.0015, "standard library": 0.00024})


def test_nothing_imported() -> None:
    assert not seconds_by_package("done\n")
