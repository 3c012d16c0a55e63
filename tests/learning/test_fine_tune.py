"""Scratch and fine-tuning on small populations whose rule is known."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest
from fabricated_people import CONFIG, by_weights, save_people
from flax import nnx

from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning import fit, held_out
from bids_eeg2fmri.learning.adaptation import Change, Start
from bids_eeg2fmri.learning.baselines import fit_baselines
from bids_eeg2fmri.learning.examples import load_examples, sample_voxels, save_examples
from bids_eeg2fmri.learning.fields import fit_field, fit_noise, fit_parcel_noise
from bids_eeg2fmri.learning.fine_tune import fine_tune_neuralfield
from bids_eeg2fmri.learning.fit import fit_neuralfield, fold_moments
from bids_eeg2fmri.learning.inputs import inputs_of
from bids_eeg2fmri.learning.people import People, examples_of
from bids_eeg2fmri.learning.predict import Predictor
from bids_eeg2fmri.learning.reliability import fit_reliability
from bids_eeg2fmri.learning.ridge import accumulate, jackknife, joined, solve
from bids_eeg2fmri.network.neuralfield import NeuralField

TWO_LAGS = replace(CONFIG, peaks_s=(3.5, 5.5), widths_s=(1.5, 2.0))


def _nonsense(state):
    """BOLD that has nothing to do with the EEG."""
    return np.random.default_rng(int(1e6 * abs(state[0, 0, 0, 0]))).standard_normal(state[:, 0, :, 0].shape)


RULES = {
    "usual": by_weights(0, 0, -1, 0, 0, 1),
    "other": by_weights(0, 2, 0, 0, 0, 1),
    "noise": _nonsense,
}


def _persons(folder, population, first, count, *, blind=False, **options):
    kind = "-".join([population, str(blind), *map(str, options.values())])
    people = save_people(folder / kind, range(first, first + count), RULES[population], **options)
    if blind:
        for (path,) in people:
            (example,) = load_examples(path)
            targets = example.targets.copy()
            targets[:, _unseen()] = np.nan
            save_examples(path, [replace(example, targets=targets)])
    return people


def _unseen():
    """The lower part of the brain."""
    return sample_voxels()[0][:, 2] < -10


def _r(network, people):
    predict = Predictor(network)
    return np.mean([temporal_correlation(predict(e).parcel_mean, e.truth).mean() for e in examples_of(people)])


@pytest.fixture(scope="module", autouse=True)
def fewer_steps():
    """The fields' optimisation is tested elsewhere; here it may be short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "fit_field", partial(fit_field, n_steps=200, learning_rate=1e-2))
        patch.setattr(held_out, "fit_noise", partial(fit_noise, n_steps=80, learning_rate=1e-2))
        patch.setattr(held_out, "fit_parcel_noise", partial(fit_parcel_noise, n_steps=100, learning_rate=1e-1))
        patch.setattr(held_out, "fit_reliability", partial(fit_reliability, n_steps=20))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def usual(folder):
    people = People.divided(_persons(folder, "usual", 0, 8), _persons(folder, "usual", 100, 2))
    return fit_neuralfield(people, CONFIG)[0]


@pytest.fixture(scope="module")
def others(folder):
    return People.divided(_persons(folder, "other", 200, 3), _persons(folder, "other", 300, 2))


@pytest.fixture(scope="module")
def tuned(usual, others):
    return fine_tune_neuralfield(usual, others)


def test_the_start_predicts_its_own_population(usual, folder):
    assert _r(usual, _persons(folder, "usual", 900, 2)) > 0.7


def test_few_people_of_another_population_are_enough_to_move(usual, tuned, others, folder):
    test = _persons(folder, "other", 900, 3)
    network, description = tuned
    assert _r(network, test) > _r(usual, test) + 0.1
    assert "adapted" in description["fine_tuning"]
    assert set(description["calibration"]) == {"voxels", "parcels"}
    assert "calibrated on 1 person" in description["caveats"][0]
    assert network.linear.shape == usual.linear.shape
    predicted = Predictor(network)(next(examples_of(test)))
    width = description["calibration"]["voxels"]["0.9"]
    error = np.abs(next(examples_of(test)).targets - predicted.mean) / predicted.total_sd
    assert 0.8 < (error <= width).mean() < 0.97


def test_people_who_teach_nothing_leave_the_network_as_it_is(usual, folder):
    people = People.divided(_persons(folder, "noise", 400, 2), _persons(folder, "usual", 500, 2))
    network, description = fine_tune_neuralfield(usual, people)
    assert description["fine_tuning"] == "the linear path stayed as it was; the maps were kept"
    np.testing.assert_array_equal(network.linear[...], usual.linear[...])
    example = next(examples_of(people.selection))
    before, after = Predictor(usual)(example).mean, Predictor(network)(example).mean
    # Few recordings: one amplitude for all.
    assert np.ptp(network.gain[...]) == np.ptp(usual.gain[...]) == 0
    scale = float(network.gain[...][0] / usual.gain[...][0])
    np.testing.assert_allclose(after, scale * before, rtol=1e-4, atol=1e-6)
    assert 0.7 < scale < 1.3


def test_what_the_posterior_assumes_is_kept(usual, tuned):
    for name in ("loadings", "band_weights", "log_precision"):
        np.testing.assert_array_equal(getattr(tuned[0], name)[...], getattr(usual, name)[...])


def test_the_start_is_not_touched_and_the_same_again_is_the_same_bit_for_bit(usual, others, tuned):
    before = [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(nnx.state(usual))]
    again, description = fine_tune_neuralfield(usual, others)
    assert before == [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(nnx.state(usual))]
    for one, other in zip(*(jax.tree.leaves(nnx.state(model)) for model in (tuned[0], again)), strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
    assert description == tuned[1]


def test_voxels_that_nobody_has_are_predicted_as_their_mean(folder):
    people = People.divided(
        _persons(folder, "usual", 600, 2, blind=True), _persons(folder, "usual", 700, 1, blind=True)
    )
    network, description = fit_neuralfield(people, CONFIG)
    assert len(description["caveats"]) == 1
    assert "too narrow" in description["caveats"][0]
    predicted = Predictor(network)(next(examples_of(people.selection)))
    unseen = _unseen() & (sample_voxels()[0][:, 2] < -25)
    seen = ~_unseen() & (sample_voxels()[1] > 0)
    assert predicted.mean[:, unseen].std() < 0.6 * predicted.mean[:, seen].std()
    np.testing.assert_allclose(predicted.total_sd[:, unseen].mean(), 1, atol=0.3)
    for leaf in jax.tree.leaves(nnx.state(network)):
        assert np.isfinite(np.asarray(leaf)).all()
    assert _r(network, _persons(folder, "usual", 900, 1)) > 0.4


def test_one_person_is_cut_into_stretches_with_a_warning(folder):
    people = People.divided(_persons(folder, "usual", 0, 1), _persons(folder, "usual", 700, 1))
    inputs = inputs_of(NeuralField(CONFIG, rngs=nnx.Rngs(0)))
    folds = fold_moments(inputs, people.training, 5)
    assert [fold.n_volumes for fold in folds] == [14] * 5
    whole = accumulate((inputs(example), example.targets) for example in examples_of(people.training))
    np.testing.assert_allclose(joined(folds).known_cross, whole.known_cross, rtol=1e-3, atol=1e-2)
    assert "One person trained" in people.caveats[0]


@pytest.fixture(scope="module")
def regression():
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((12, 3)) @ rng.standard_normal((3, 40))
    features = [rng.standard_normal((500, 12)) for _ in range(6)]
    return [(x, x @ weights + rng.standard_normal((500, 40))) for x in features]


def _start(seed):
    rng = np.random.default_rng(seed)
    rendered = np.linalg.qr(np.random.default_rng(9).standard_normal((40, 3)))[0]
    return Start(rng.standard_normal((12, 3)), rendered, rendered, np.eye(40, 12))


def test_an_infinite_penalty_changes_nothing_and_none_forgets_the_start(regression):
    moments = accumulate(regression)
    np.testing.assert_array_equal(_start(1).changed(moments, Change()), _start(1).linear)
    nearly = _start(1).changed(moments, Change(penalty=1e7))
    np.testing.assert_allclose(nearly, _start(1).linear, atol=1e-5)
    one, other = (_start(seed).changed(moments, Change(penalty=1e-6)) for seed in (1, 2))
    np.testing.assert_allclose(one, other, atol=1e-4)
    least_squares = solve(moments.gram, moments.cross, 0.0) @ _start(1).to_coefficients
    np.testing.assert_allclose(one, least_squares, atol=1e-4)


def test_voxels_without_targets_leave_the_start_in_place(regression):
    gone = [(x, np.full_like(y, np.nan)) for x, y in regression]
    np.testing.assert_allclose(_start(1).changed(accumulate(gone), Change(penalty=0.1)), _start(1).linear, atol=1e-6)


def test_moments_with_gaps_estimate_what_the_whole_does(regression):
    rng = np.random.default_rng(3)
    whole = accumulate(regression)
    gaps = [(x, np.where(rng.random(40) < 0.5, y, np.nan)) for x, y in regression]
    partly = accumulate(gaps)
    assert partly.known_share.min() < 0.5
    known = partly.known_share >= 0.25
    assert np.corrcoef(partly.cross[:, known].ravel(), whole.cross[:, known].ravel())[0, 1] > 0.97


def test_fewer_folds_than_members_have_the_same_variance(regression):
    folds = [accumulate([pair]) for pair in regression[:3]]

    def ridge(moments):
        return solve(moments.gram, moments.cross, 0.05)

    three, five = jackknife(folds, ridge), jackknife(folds, ridge, 5)
    assert len(five) == 5
    np.testing.assert_allclose(five.mean(axis=0), three.mean(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(five.var(axis=0, ddof=1), three.var(axis=0, ddof=1), rtol=1e-4, atol=1e-9)


@pytest.fixture(scope="module")
def with_lags(folder):
    return People.divided(_persons(folder, "other", 200, 3, n_lags=2), _persons(folder, "other", 300, 2, n_lags=2))


def test_baselines_are_fitted_to_the_same_people(with_lags, folder):
    test = _persons(folder, "other", 900, 2, n_lags=2)
    baselines = fit_baselines(with_lags, TWO_LAGS, examples_of(test))
    assert set(baselines.models) == {"fixed signs", "source ridge", "sensor ridge"}
    assert not baselines.left_out
    example = next(examples_of(test))
    r = {name: temporal_correlation(model(example), example.truth).mean() for name, model in baselines.models.items()}
    assert r["source ridge"] > 0.3
    assert abs(r["sensor ridge"]) < 0.2
    ridge = baselines.models["source ridge"]
    voxels = ridge.voxels(example)
    assert voxels.shape == example.targets.shape
    labels = sample_voxels()[1]
    np.testing.assert_allclose(ridge(example)[:, 7], voxels[:, labels == 8].mean(axis=1), atol=1e-3)


def test_other_electrodes_leave_the_sensor_ridge_out(with_lags, folder):
    test = _persons(folder, "other", 900, 1, cap="abd", n_lags=2)
    baselines = fit_baselines(with_lags, TWO_LAGS, examples_of(test))
    assert "sensor ridge" not in baselines.models
    assert "2 different sets of electrodes" in baselines.left_out[0]


def test_examples_come_back_as_they_were(folder):
    ((path,),) = _persons(folder, "usual", 1, 1, blind=True)
    (example,) = load_examples(path)
    assert (example.subject, example.label, example.channel_names) == ("1", "sub-1_task-rest", ("a", "b", "c"))
    assert np.isnan(example.targets[:, _unseen()]).all()
    save_examples(folder / "again.npz", [example, replace(example, truth=None, channel_names=())])
    first, second = load_examples(folder / "again.npz")
    assert second.truth is None
    assert second.channel_names == ()
    for name, value in vars(example).items():
        np.testing.assert_array_equal(getattr(first, name), value)
        assert type(getattr(first, name)) is type(value)
    facts = first.facts
    assert {part.dtype for part in facts} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(facts.information, example.information.astype(np.float32))
    assert first.description.missing == example.missing
