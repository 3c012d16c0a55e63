"""The amplitude of predictions whose true gain is known."""

import numpy as np
import pytest

from bids_eeg2fmri.learning.gain import fit_gain


def test_finds_the_gain():
    rng = np.random.default_rng(0)
    predicted = [rng.standard_normal((100, 8)) for _ in range(50)]
    recordings = [(x, 0.7 * x + rng.standard_normal(x.shape)) for x in predicted]
    slope, *_ = np.polyfit(*(np.concatenate(part).ravel() for part in zip(*recordings, strict=True)), 1)
    assert abs(fit_gain(recordings) - slope) < 1e-3
    assert abs(fit_gain(recordings) - 0.7) < 0.02


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match="no recordings"):
        fit_gain([])


def test_predictions_that_point_the_wrong_way_are_turned_off():
    x = np.random.default_rng(1).standard_normal((100, 8))
    assert fit_gain([(x, -x)]) == 0
    assert fit_gain([(0 * x, x)]) == 0
