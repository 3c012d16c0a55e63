"""The benchmark of the model: corrupted EEG, scores, nulls, the ceiling, and what counts as a target that holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm, t

from benchmarks.quality import conditions as c
from benchmarks.quality.baselines import CEILING, HONEST, SEEN_THE_SCAN, fit_ridge
from benchmarks.quality.cache import digest, imported
from benchmarks.quality.figure import draw
from benchmarks.quality.oracle import Oracle, log_band_power, with_surroundings
from benchmarks.quality.people_scores import PeopleScores, auc, shifted_means
from benchmarks.quality.scoring import DEEP_OF_USUAL, MODEL, Scores, against_climatology, inside, over_parcels
from benchmarks.quality.table import as_json, report
from benchmarks.quality.targets import Target, all_targets, best_of
from bids_eeg2fmri.eeg.spectra import BANDS_HZ
from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.ridge import accumulate, solve
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig
from bids_eeg2fmri.phantom.draw import draw_person

RNG = np.random.default_rng(7)
NOMINAL = np.array([0.5, 0.8, 0.9, 0.95])
N_VOLUMES, N_PARCELS = 60, 5


def _scores(r: float, *, sd: float = 1.0, novelty: float = 1.0, coverage=NOMINAL, series=None, **others) -> Scores:
    every = dict.fromkeys((*HONEST, *SEEN_THE_SCAN), 0.1) | {CEILING: 0.8, MODEL: r} | others
    return Scores(
        r=every,
        coverage=np.asarray(coverage),
        parcel_voxels=np.repeat(NOMINAL[:, None], N_PARCELS, axis=1),
        parcel_coverage=NOMINAL,
        crps=0.85,
        width=0.95,
        own_crps=0.87,
        own_width=0.97,
        sd=sd,
        novelty=novelty,
        ceiling_crps=0.5,
        ceiling_width=0.5,
        series=series,
    )


def _person(number: int, series) -> dict[str, Scores]:
    jitter = 0.01 * number
    return {
        **{c.on_cap(cap): _scores(0.5 + jitter, novelty=jitter) for cap in c.CAPS},
        c.TRANSFER: _scores(0.3 + jitter),
        **{label: _scores(0.0, series=series) for label in (c.UNMODULATED, c.DECOUPLED)},
        **{label: _scores(0.2, sd=1.2, novelty=1 + jitter) for label in c.CORRUPTIONS},
        c.DEEP: _scores(0.05),
        DEEP_OF_USUAL: _scores(0.3),
    }


@pytest.fixture
def people():
    def series():
        return RNG.standard_normal((2, N_VOLUMES, N_PARCELS)).cumsum(axis=1)

    return PeopleScores([_person(number, tuple(series())) for number in range(4)])


@pytest.mark.parametrize(
    ("value", "relation", "holds"),
    [
        (1.0, ">", False),
        (1.0, "≥", True),
        (1.0, "≤", True),
        (1.1, "≤", False),
        (np.nan, "≥", False),
        (np.nan, "≤", False),
    ],
)
def test_target_holds(value, relation, holds):
    assert Target("x", value, relation, 1.0).holds is holds


def test_share_of_the_ceilings_gain():
    assert Target("r", 0.6, ">", 0.7, ceiling=0.8, best_baseline=0.4).ceiling_share == pytest.approx(0.5)
    assert np.isnan(Target("r", 0.6, ">", 0.7).ceiling_share)


def test_the_best_baseline_is_the_threshold(people):
    people.people[0][c.on_cap(19)].r[HONEST[3]] = 0.9
    best, whose = best_of(people, c.on_cap(19), HONEST)
    assert whose == HONEST[3]
    assert best == pytest.approx(np.tanh((np.arctanh(0.9) + 3 * np.arctanh(0.1)) / 4))


def test_a_baseline_that_was_not_measured_is_not_beaten(people):
    for person in people.people:
        del person[c.on_cap(32)].r[HONEST[-1]]
    (target,) = [one for one in all_targets(people) if one.name == "mean parcel r, 32 channels: above every baseline"]
    assert not target.holds
    assert HONEST[-1] in target.against


def test_targets_of_a_model_that_does_what_it_should(people):
    targets = {target.name: target for target in all_targets(people)}
    assert len(targets) == len(all_targets(people))
    null = {name for name in targets if "inside the null" in name}
    # The made-up series are noise and r is 0: whether 0 lies in the null of noise is not decided here.
    failed = {name for name, target in targets.items() if not target.holds} - null
    wide = {"width of 90 % intervals of parcels / climatology, 64 channels"}
    assert failed == wide
    assert sum(target.seen_the_scan for target in targets.values()) == 5 * len(SEEN_THE_SCAN)


def test_report_ends_with_the_count(people):
    targets = all_targets(people)
    counted = [target for target in targets if not target.seen_the_scan]
    text = report(people, targets)
    assert text.splitlines()[-1] == f"{sum(one.holds for one in counted)} of {len(counted)} targets hold"
    assert "ceiling 0.500" in text
    assert json.loads(json.dumps(as_json(people, targets, {"people": 4}), allow_nan=False))["targets"]


def test_refused_recordings_are_counted_and_their_targets_fail(people):
    for person in people.people:
        del person[c.WHITE_NOISE]
    assert people.refused(c.WHITE_NOISE) == 4
    about = [target for target in all_targets(people) if c.WHITE_NOISE in target.name]
    assert about
    assert not any(target.holds for target in about)
    report(people, all_targets(people))


def test_figure(people, tmp_path):
    draw(people, tmp_path / "quality.png")
    assert (tmp_path / "quality.png").read_bytes().startswith(b"\x89PNG")


def test_mean_r_has_the_interval_of_fishers_z(people):
    z = np.arctanh([0.5, 0.51, 0.52, 0.53])
    half = t.ppf(0.975, 3) * z.std(ddof=1) / 2
    mean = people.r(c.on_cap(64), MODEL)
    np.testing.assert_allclose(mean[:3], np.tanh([z.mean(), z.mean() - half, z.mean() + half]))


def test_worst_person_and_parcels_within(people):
    people.people[2][c.on_cap(64)] = _scores(0.5, coverage=NOMINAL - 0.2)
    assert people.worst_person(c.on_cap(64)) == pytest.approx(0.7)
    people.people[0][c.on_cap(64)].parcel_voxels[1, :2] += 0.3
    assert people.parcels_within(c.on_cap(64), 0.05) == pytest.approx(3 / 5)


def test_auc_is_mann_whitneys():
    usual, unusual = RNG.integers(0, 9, 30), RNG.integers(3, 12, 20)
    expected = mannwhitneyu(unusual, usual).statistic / (30 * 20)
    assert auc(usual, unusual) == pytest.approx(expected)
    assert auc([1, 2], [3]) == 1.0
    assert np.isnan(auc([1, 2], []))


def test_shifted_forecasts_of_noise_reach_nothing():
    predicted = RNG.standard_normal((12, 150, 20))
    truth = predicted + 0.1 * RNG.standard_normal(predicted.shape)
    null = shifted_means(list(predicted), list(truth))
    assert abs(null.mean()) < 0.01
    assert np.quantile(null, 0.975) < 0.05


def test_half_of_the_electrodes_become_noise():
    slow = np.cumsum(RNG.standard_normal((10, 4000)), axis=1).astype(np.float32)
    changed = c.half_noise(slow, np.random.default_rng(0))
    kept = (changed == slow).all(axis=1)
    assert kept.sum() == 5
    noise = changed[~kept]
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.05
    centred = slow - np.median(slow, axis=1, keepdims=True)
    expected = np.median(np.median(np.abs(centred), axis=1)) / norm.ppf(0.75)
    assert noise.std() == pytest.approx(expected, rel=0.05)


def test_white_noise_keeps_amplitudes():
    signals = (np.array([[1.0], [5.0], [20.0]]) * RNG.standard_normal((3, 20_000)) + 3).astype(np.float32)
    np.testing.assert_allclose(c.white(signals, np.random.default_rng(0)).std(axis=1), [1, 5, 20], rtol=0.05)


def test_shuffled_cap_holds_the_same_signals():
    signals = RNG.standard_normal((16, 8))
    changed = c.shuffled_cap(signals, np.random.default_rng(0))
    assert not np.array_equal(changed, signals)
    np.testing.assert_array_equal(np.sort(changed[:, 0]), np.sort(signals[:, 0]))


def test_missing_stretches_are_two_fifths_of_the_recording():
    stretches = np.array(c.missing_stretches(300.0, np.random.default_rng(0)))
    assert np.diff(stretches, axis=1).sum() == pytest.approx(120.0)
    assert (stretches[1:, 0] >= stretches[:-1, 1]).all()
    assert stretches.min() >= 0
    assert stretches.max() <= 300


def test_only_deep_sources_drive_bold():
    usual, deep = draw_person(3), c.deep_only(draw_person(3))
    inner = c.deep_parcels()[usual.parcels]
    assert 0.05 < inner.mean() < 0.3
    np.testing.assert_array_equal(deep.bold_percent[inner], usual.bold_percent[inner])
    assert not deep.bold_percent[~inner].any()
    assert not deep.regional_coupling[:, ~inner].any()
    np.testing.assert_array_equal(deep.band_rms, usual.band_rms)


def test_climatology_is_worth_one():
    observed = RNG.standard_normal((4000, 3)) * [1, 2, 3]
    mean, sd = np.zeros_like(observed), np.broadcast_to(observed.std(axis=0), observed.shape)
    usual_sd = observed.std(axis=0)
    np.testing.assert_allclose(against_climatology(mean, sd, observed, usual_sd), 1, rtol=1e-3)
    # A forecast that leaves half of the sd: CRPS and width are half as well.
    noise = RNG.standard_normal(observed.shape)
    known = observed - noise * 0.5 * observed.std(axis=0)
    np.testing.assert_allclose(against_climatology(known, 0.5 * sd, observed, usual_sd), 0.5, rtol=0.03)


def test_coverage_by_voxel_and_parcel():
    error = np.abs(RNG.standard_normal((20_000, 4)))
    covered = inside(error, {"0.5": norm.ppf(0.75), "0.9": norm.ppf(0.95)})
    np.testing.assert_allclose(covered, np.repeat([[0.5], [0.9]], 4, axis=1), atol=0.015)
    values = np.array([[1.0, 0.0, 4.0, 6.0]])
    np.testing.assert_allclose(over_parcels(values, np.array([1, 0, 2, 2]), 2), [[1.0, 5.0]])


def test_oracles_spectrum_sees_a_rhythm():
    times = np.arange(0, 20, 1 / 128)
    amplitude = np.where(times < 10, 1e-9, np.e * 1e-9)
    moments = np.stack([amplitude * np.sin(2 * np.pi * 10 * times), 1e-9 * RNG.standard_normal(len(times))])
    power = log_band_power(moments.astype(np.float32), 128.0)
    alpha = next(band for band, (low, high) in enumerate(BANDS_HZ) if low <= 10 < high)
    assert power.shape == (37, 2, len(BANDS_HZ))
    assert power[-1, 0, alpha] - power[0, 0, alpha] == pytest.approx(2, abs=1e-3)
    assert power[0, 0].argmax() == alpha


def test_oracle_learns_what_parcels_share():
    truth = RNG.standard_normal(6)
    people = []
    for _ in range(3):
        features = RNG.standard_normal((80, 214, 3)).astype(np.float32)
        people.append((features, with_surroundings(features) @ truth + 0.5 * RNG.standard_normal((80, 214))))
    oracle = Oracle.fit(lambda: iter(people))
    np.testing.assert_allclose(oracle.weights, truth, atol=0.05)
    np.testing.assert_allclose(oracle.sd, 0.5, rtol=0.25)
    assert temporal_correlation(oracle(people[0][0]), people[0][1]).mean() > 0.8


def test_ridge_on_parcels_is_the_ridge_on_voxels_averaged():
    mixing, averaging = RNG.standard_normal((6, 8)), np.kron(np.eye(2), np.full((4, 1), 0.25))
    people = []
    for _ in range(4):
        features = RNG.standard_normal((50, 6))
        people.append((features, features @ mixing + 0.3 * RNG.standard_normal((50, 8))))
    parcels = [(x, y @ averaging) for x, y in people]
    weights = fit_ridge(lambda: iter(parcels[:3]), lambda: iter(parcels[3:]))
    moments = accumulate(people[:3])
    candidates = [solve(moments.gram, moments.cross, penalty) @ averaging for penalty in (0.03, 0.1, 0.3, 1.0)]
    assert min(np.abs(weights - one).max() for one in candidates) < 1e-4


def test_cache_follows_the_code_and_the_features():
    config = NeuralFieldConfig()
    assert digest(config) == digest(NeuralFieldConfig(n_maps=config.n_maps + 1))
    assert digest(config) != digest(NeuralFieldConfig(n_bands=config.n_bands + 1))
    source = "from ..eeg.read import a\nfrom .examples import b\nfrom . import people\nimport numpy\n"
    assert {"eeg.read", "learning.examples", "learning.people"} <= set(imported(source, "learning.recorded"))


def test_seeds_are_nobody_elses():
    from benchmarks import model_quality

    assert Path(model_quality.__file__).name == "model_quality.py"
    seeds = {
        name: set(range(first, first + 10_000 if first < 900_000 else first + 1000))
        for name, first in (
            ("test", model_quality.TEST_SEED),
            ("ridges", model_quality.RIDGE_SEED),
            ("penalties", model_quality.PENALTY_SEED),
            ("transfer", model_quality.TRANSFER_SEED),
            ("training", 10_000),
            ("selection", 20_000),
            ("calibration", 30_000),
        )
    }
    assert len(set.union(*seeds.values())) == sum(map(len, seeds.values()))
