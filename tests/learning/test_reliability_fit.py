"""The atlas on people whose correlations are known."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold.grid import grey_fraction
from bids_eeg2fmri.learning import reliability as module
from bids_eeg2fmri.learning.examples import Example, sample_voxels
from bids_eeg2fmri.learning.reliability import fisher_z, fit_reliability
from bids_eeg2fmri.network.reliability import Reliability

N_VOLUMES = 60
Z_PEOPLE_SD = 0.1


def example(n_channels, targets, features):
    absent = {field.name: None for field in fields(Example)}
    return Example(**absent | {"n_channels": n_channels, "targets": targets, "features": features})


def predict(example):
    return SimpleNamespace(mean=example.features)


def true_z(n_channels):
    """More electrodes and more anterior voxels are better; half as good in the left hemisphere."""
    coordinates, _ = sample_voxels()
    front = 0.5 + 0.3 * np.tanh(coordinates[:, 1] / 40)
    return np.log(n_channels / 8) / 3 * front * np.where(coordinates[:, 0] < 0, 0.5, 1.0)


def person(rng, n_channels):
    """Prediction and target with exactly the wanted correlation over time in every voxel."""
    z = true_z(n_channels) + Z_PEOPLE_SD * rng.standard_normal()
    first, second = (rng.standard_normal((N_VOLUMES, len(z))) for _ in range(2))
    first = (first - first.mean(0)) / first.std(0)
    second -= second.mean(0)
    second -= first * (first * second).mean(0)
    second /= second.std(0)
    r = np.tanh(z)
    return example(n_channels, (r * first + np.sqrt(1 - r**2) * second).astype(np.float32), 0.3 * first + 5)


@pytest.fixture
def stored(monkeypatch):
    """People by a made-up path instead of files."""
    people = {}
    monkeypatch.setattr(module, "load_examples", lambda *paths: (e for path in paths for e in people[path]))
    return people


def small():
    return Reliability(n_fourier=16, width=32, scale_mm=40.0, rngs=nnx.Rngs(0))


def test_known_correlations_come_back(stored):
    rng = np.random.default_rng(0)
    sizes = (18, 20, 60, 68)
    names = []
    for number in range(10):
        stored[f"{number}"] = [person(rng, size) for size in sizes]
        names.append((f"{number}",))
    reliability = small()
    described = fit_reliability(reliability, [*names, names[0]], predict, n_steps=400)
    assert [row["electrodes"] for row in described] == ["up to 25", "46 to 90"]
    assert [row["people"] for row in described] == [10, 10]
    assert described[0]["mean_electrodes"] == pytest.approx(np.sqrt(18 * 20), abs=0.1)
    assert described[0]["mean_r"] < described[1]["mean_r"]
    assert described[0]["share_interpretable"] < described[1]["share_interpretable"]
    np.testing.assert_array_equal(reliability.n_people[...], [10, 0, 10, 0])
    # Independent volumes: 1 / (n - 3), halved by the two caps per person.
    np.testing.assert_allclose(reliability.sampling[...][np.array([0, 2])], 0.5 / (N_VOLUMES - 3), rtol=0.1)
    # These people have exactly their correlation: nothing of their spread is sampling.
    reliability.sampling[...] = 0 * reliability.sampling[...]
    coordinates, _ = sample_voxels()
    for size in (19, 64):
        maps = reliability.r_maps(coordinates, grey_fraction(coordinates), size)
        assert np.corrcoef(np.arctanh(maps.r), true_z(size))[0, 1] > 0.95
        np.testing.assert_allclose(np.arctanh(maps.r).mean(), true_z(size).mean(), atol=0.06)
        # Two caps per person: their mean varies less than a single one.
        sd = (np.arctanh(maps.r) - np.arctanh(maps.lower)) / (1.383 * np.sqrt(1.1))
        assert np.median(sd) == pytest.approx(Z_PEOPLE_SD / np.sqrt(2), rel=0.4)


def test_nobody_has_bold_in_a_part_of_the_brain(stored):
    rng = np.random.default_rng(1)
    low = sample_voxels()[0][:, 2] < -10
    for number in range(4):
        stored[f"{number}"] = [person(rng, 64)]
        stored[f"{number}"][0].targets[:, low] = np.nan
    reliability = small()
    fit_reliability(reliability, [(name,) for name in stored], predict, n_steps=300)
    coordinates, _ = sample_voxels()
    maps = reliability.r_maps(coordinates, grey_fraction(coordinates), 64)
    deep = coordinates[:, 2] < -25
    assert (np.asarray(maps.lower)[deep] > 0).mean() < 0.01
    assert np.abs(np.asarray(maps.r)[deep]).mean() < 0.15


def test_a_single_person_makes_nothing_interpretable(stored):
    stored["one"] = [person(np.random.default_rng(2), 64)]
    reliability = small()
    (row,) = fit_reliability(reliability, [("one",), ("one",)], predict, n_steps=50)
    assert (row["people"], row["share_interpretable"]) == (1, 0.0)
    with pytest.raises(ValueError, match="nobody"):
        fit_reliability(reliability, [], predict)


def test_fishers_z_against_its_definition_where_volumes_are_missing():
    rng = np.random.default_rng(3)
    predicted = rng.standard_normal((60, 6)).astype(np.float32)
    targets = (predicted + rng.standard_normal((60, 6))).astype(np.float32)
    targets[:25, 1] = np.nan
    targets[:45, 2] = np.nan
    targets[:, 3] = 2.0
    predicted[:, 4] = 7.0
    targets[:, 5] = predicted[:, 5]
    z = fisher_z(predicted, targets)
    assert z[0] == pytest.approx(np.arctanh(np.corrcoef(predicted[:, 0], targets[:, 0])[0, 1]), rel=1e-4)
    assert z[1] == pytest.approx(np.arctanh(np.corrcoef(predicted[25:, 1], targets[25:, 1])[0, 1]), rel=1e-4)
    assert np.isnan(z[[2, 3]]).all()
    assert z[4] == 0
    assert z[5] == pytest.approx(np.arctanh(0.999), rel=1e-4)
