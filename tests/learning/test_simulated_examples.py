"""Training examples of simulated people: the same person from the same seed, refused recordings made again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning import simulated
from bids_eeg2fmri.learning.baselines import fixed_sign_power
from bids_eeg2fmri.learning.simulated import make_examples
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person

CONFIG = NeuralFieldConfig()
SHORT = {"duration_s": 70.0, "sfreq_hz": 125.0}


def _strong(seed: int, *, coupling: float = 1.0):
    return dataclasses.replace(draw_person(seed, coupling=coupling), coupling_strength=1.5)


def test_same_seed_same_examples():
    first, again = (list(make_examples(5, CONFIG, (19, None), **SHORT)) for _ in range(2))
    assert len(first) == 2
    for one, other in zip(first, again, strict=True):
        for field in dataclasses.fields(one):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
    assert 0.5 <= first[0].tr_s <= 3.0
    assert first[0].channel_names == cap_names(19)
    np.testing.assert_array_equal(first[0].targets, first[1].targets)
    assert not np.array_equal(first[0].features, first[1].features)


def test_electrodes_that_are_not_recorded_count_as_average():
    (example,) = make_examples(6, CONFIG, (32,), tr_s=2.0, **SHORT)
    sensors = example.sensor_features.reshape(35, 32, CONFIG.n_bands).astype(float)
    assert np.isfinite(sensors).all()
    assert 0 < (sensors.std(axis=(0, 2)) > 0).mean() <= 1
    assert example.n_channels == 32


def test_a_refused_recording_is_made_again_a_few_times(monkeypatch):
    made = simulated.simulated_recording
    refusals = []

    def refusing(*args, **kwargs):
        refusals.append(args[2])
        if len(refusals) <= 2:
            raise BadDataError("too noisy.")
        return made(*args, **kwargs)

    monkeypatch.setattr(simulated, "simulated_recording", refusing)
    (example,) = make_examples(5, CONFIG, (None,), **SHORT)
    assert len(refusals) == 3
    assert example.channel_names == refusals[-1]
    refusals.clear()
    monkeypatch.setattr(simulated, "_ATTEMPTS", 2)
    assert list(make_examples(5, CONFIG, (None,), **SHORT)) == []


def test_electrodes_tell_of_the_bold_unless_nothing_couples_them():
    def r(**control):
        (example,) = make_examples(11, CONFIG, (64,), tr_s=2.0, duration_s=200.0, sfreq_hz=125.0, **control)
        return temporal_correlation(fixed_sign_power(example, CONFIG), example.truth).mean()

    assert r(draw=_strong) > 0.3
    assert r(coupling=0.0) == pytest.approx(0, abs=0.12)
