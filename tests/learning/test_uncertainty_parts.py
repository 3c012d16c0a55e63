"""Epistemic and aleatoric uncertainty are two things: more people shrink the one, better EEG the other.

People are fabricated: half of those who train have an EEG with much information, half with little, so that the noise
can be told from what the EEG is worth.
"""

from functools import partial
from itertools import chain

import numpy as np
import pytest
from fabricated_people import CONFIG, by_weights, save_people

from bids_eeg2fmri.learning import fit, held_out
from bids_eeg2fmri.learning.examples import sample_voxels
from bids_eeg2fmri.learning.fields import fit_field, fit_noise, fit_parcel_noise
from bids_eeg2fmri.learning.fit import fit_neuralfield
from bids_eeg2fmri.learning.people import People, examples_of
from bids_eeg2fmri.learning.predict import Predictor

RULE = by_weights(0, 0, -1, 0, 0, 1)
POOR, GOOD = 0.02, 4.0
FEW, MANY = 6, 24


def _nobody_is_novel(novelty, _):
    """Scores above the last quantile would widen both parts."""
    novelty.quantiles[...] = np.linspace(0, 1e6, 101, dtype=np.float32)


@pytest.fixture(scope="module", autouse=True)
def quicker():
    """Fewer steps, and neither novelty nor reliability."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "fit_field", partial(fit_field, n_steps=150, learning_rate=1e-2))
        patch.setattr(held_out, "fit_novelty_scale", _nobody_is_novel)
        patch.setattr(held_out, "fit_noise", partial(fit_noise, n_steps=200, learning_rate=1e-2))
        patch.setattr(held_out, "fit_parcel_noise", partial(fit_parcel_noise, n_steps=200, learning_rate=1e-1))
        patch.setattr(held_out, "fit_reliability", lambda *_: [])
        yield


def _persons(folder, information, seeds):
    return save_people(folder / str(information), seeds, RULE, information=information, bold_noise_sd=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def networks(folder):
    """Fitted to few people and to many, and to the same held-out people."""

    def fitted(count):
        half = count // 2
        training = chain(_persons(folder, POOR, range(half)), _persons(folder, GOOD, range(100, 100 + half)))
        # Two of each kind select, two calibrate.
        poor, good = _persons(folder, POOR, range(200, 204)), _persons(folder, GOOD, range(300, 304))
        return fit_neuralfield(People.divided(list(training), poor + good), CONFIG)[0]

    return {count: fitted(count) for count in (FEW, MANY)}


def _variances(network, folder, information):
    """Epistemic, aleatoric and actual squared error of the same people with EEG of some quality, in parcels' voxels."""
    predict = Predictor(network)
    inside = sample_voxels()[1] > 0
    rows = []
    for example in examples_of(_persons(folder, information, range(900, 904))):
        predicted = predict(example)
        total = np.square(predicted.total_sd).mean(axis=0)
        error = np.square(example.targets.astype(np.float32) - predicted.mean).mean(axis=0)
        rows.append([predicted.epistemic[inside], (total - predicted.epistemic)[inside], error[inside]])
    return np.mean(rows, axis=(0, 2))


@pytest.fixture(scope="module")
def measured(networks, folder):
    return {
        (count, quality): _variances(network, folder, quality)
        for count, network in networks.items()
        for quality in (POOR, GOOD)
    }


def test_people_are_the_same_whatever_their_eeg(folder):
    for poor, good in zip(*(examples_of(_persons(folder, q, range(900, 902))) for q in (POOR, GOOD)), strict=True):
        np.testing.assert_array_equal(poor.targets, good.targets)
        assert (poor.features != good.features).mean() > 0.9


def test_more_people_make_the_epistemic_part_small_and_not_the_aleatoric(measured):
    epistemic, aleatoric, _ = zip(measured[FEW, GOOD], measured[MANY, GOOD], strict=True)
    assert epistemic[0] > 0
    assert epistemic[1] < 0.5 * epistemic[0]
    assert aleatoric[1] > 0.85 * aleatoric[0]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_better_eeg_makes_the_aleatoric_part_small_and_not_the_epistemic(measured, count):
    epistemic, aleatoric, error = zip(measured[count, POOR], measured[count, GOOD], strict=True)
    assert aleatoric[1] < 0.85 * aleatoric[0]
    # As it should: that is what the errors do.
    assert error[1] < 0.85 * error[0]
    np.testing.assert_allclose(np.add(aleatoric, epistemic), error, rtol=0.15)
    # What the people taught is used more where there is evidence, not less.
    assert epistemic[1] > epistemic[0]
