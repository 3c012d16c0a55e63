"""Average artefact subtraction."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.published.gradient import subtract_average


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_what_repeats_with_every_volume_vanishes(rng):
    onsets = 100 + 500 * np.arange(60)
    signal = np.zeros(31_000)
    signal[100:30_100] = np.tile(rng.standard_normal(500), 60)

    cleaned = subtract_average(signal, onsets, 500)

    # What is left is the mean of a volume, which belongs to slow EEG as much as to the artefact.
    left = cleaned[100:30_100].reshape(60, 500)
    np.testing.assert_allclose(left, np.repeat(left[:, :1], 500, axis=1), atol=1e-12)
    np.testing.assert_array_equal(cleaned[:100], 0)


def test_signal_that_does_not_repeat_stays(rng):
    onsets = 500 * np.arange(60)
    signal = rng.standard_normal(30_000)

    cleaned = subtract_average(signal, onsets, 500)

    assert np.corrcoef(signal, cleaned)[0, 1] > np.sqrt(1 - 2 / 25)
