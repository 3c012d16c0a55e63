"""The shipped model on a simulated person that training never saw, through the code of the synthesis."""

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.baselines import fixed_sign_power
from bids_eeg2fmri.learning.examples import load_examples, save_examples
from bids_eeg2fmri.learning.predict import Predictor
from bids_eeg2fmri.learning.simulated import make_examples
from bids_eeg2fmri.network.bundle import load_bundle

UNSEEN = 990_001


@pytest.fixture(scope="module")
def bundle():
    return load_bundle("neuralfield-sim")


@pytest.fixture(scope="module")
def examples(bundle):
    return list(make_examples(UNSEEN, bundle.network.config, (19, 64), tr_s=2.0))


def test_describes_itself(bundle):
    assert bundle.metadata["training"]["datasets"] == ["Simulated people of bids-eeg2fmri-phantom; no recorded data"]
    assert bundle.metadata["license"] == "CC0-1.0"
    assert set(bundle.metadata["calibration"]) == {"voxels", "parcels"}


@pytest.mark.parametrize("cap", [0, 1])
def test_predicts_an_unseen_person_better_than_fixed_signs_and_the_null(bundle, examples, cap):
    example = examples[cap]
    predicted = Predictor(bundle.network)(example)
    r = temporal_correlation(predicted.parcel_mean, example.truth).mean()
    fixed = temporal_correlation(fixed_sign_power(example, bundle.network.config), example.truth).mean()
    shifted = [
        temporal_correlation(np.roll(predicted.parcel_mean, k, axis=0), example.truth).mean() for k in range(30, 120)
    ]
    assert r > fixed
    assert r > np.quantile(shifted, 0.95) + 0.1


def test_intervals_cover_and_grow_without_history(bundle, examples):
    example = examples[1]
    predicted = Predictor(bundle.network)(example)
    error = np.abs(example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd
    width = bundle.metadata["calibration"]["voxels"]["0.9"]
    assert 0.85 < (error <= width).mean() < 0.95
    grey = predicted.total_sd[:, :4000].mean(axis=1)
    assert grey[0] > grey[60:].mean()


def test_without_coupling_nothing_is_predicted(bundle):
    (flat,) = make_examples(UNSEEN, bundle.network.config, (64,), tr_s=2.0, coupling=0.0)
    predicted = Predictor(bundle.network)(flat)
    assert abs(temporal_correlation(predicted.parcel_mean, flat.truth).mean()) < 0.12


def test_examples_come_back_as_they_were_saved(examples, tmp_path):
    save_examples(tmp_path / "person.npz", examples)
    for saved, loaded in zip(examples, load_examples(tmp_path / "person.npz"), strict=True):
        for name, value in vars(saved).items():
            np.testing.assert_array_equal(value, getattr(loaded, name))
