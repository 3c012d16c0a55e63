"""The reliability atlas on a grid: constant fields give constant maps, and no atlas gives none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold.grid import GREY_MATTER, grey_fraction, make_grid
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig
from bids_eeg2fmri.network.reliability import Reliability
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis import grid_maps
from bids_eeg2fmri.synthesis.grid_maps import make_grid_maps
from bids_eeg2fmri.synthesis.reliability_maps import ReliabilityMaps, make_reliability

GRID = make_grid(OutputSpace(resolution="4"))


def made(network: NeuralField, n_electrodes: int) -> ReliabilityMaps | None:
    return make_reliability(network, make_grid_maps(network, GRID), GRID, n_electrodes)


@pytest.fixture
def network() -> NeuralField:
    """Mean z grows with the grey-matter fraction: .5 times it."""
    model = NeuralField(NeuralFieldConfig(n_maps=4, n_fourier=8, field_width=16), rngs=nnx.Rngs(0))
    model.reliability = Reliability(n_fourier=4, width=8, rngs=nnx.Rngs(0))
    for field, value in ((model.reliability.mean, 0.0), (model.reliability.log_variance, -4.0)):
        field.maps.kernel[...] = 0 * field.maps.kernel[...]
        field.maps.bias[...] = np.append(value, 0 * field.maps.bias[...][1:]).astype(np.float32)
    model.reliability.mean.maps.kernel[...] = model.reliability.mean.maps.kernel[...].at[-1].set(0.5)
    model.reliability.n_people[...] = np.array([0, 30, 10, 0], np.float32)
    model.reliability.n_electrodes[...] = np.array([1, 32, 64, 1], np.float32)
    return model


def test_grey_matter_is_interpretable_and_white_is_not(network: NeuralField):
    maps = made(network, 32)
    assert maps is not None and maps.r.shape == maps.lower.shape == (len(GRID.tissue),)
    assert (maps.lower < maps.r).all()
    # Thirty people: the bound lies 1.3331 sd of exp(-2) below the mean, zero at a grey fraction of .3608.
    grey = grey_fraction(GRID.coordinates_mm)
    np.testing.assert_array_equal(maps.interpretable, grey > 1.3331 * np.exp(-2) / 0.5)
    np.testing.assert_allclose(maps.r, np.tanh(0.5 * grey), atol=1e-5)
    np.testing.assert_array_equal(maps.grey, GRID.tissue == GREY_MATTER)
    assert maps.share_interpretable == pytest.approx(maps.interpretable[maps.grey].mean())
    assert maps.share_interpretable > 0.6 > maps.interpretable[GRID.tissue == 3].mean()


def test_pieces_join(network: NeuralField, monkeypatch: pytest.MonkeyPatch):
    whole = made(network, 40)
    monkeypatch.setattr(grid_maps, "_POINTS_PER_STEP", 7001)
    pieces = made(network, 40)
    np.testing.assert_allclose(pieces.r, whole.r, atol=1e-6)
    np.testing.assert_allclose(pieces.lower, whole.lower, atol=1e-6)


def test_the_caps_are_told(network: NeuralField):
    between, small = (made(network, size).caps for size in (40, 16))
    assert (between.groups, between.n_people, between.smaller_than_measured) == (("26 to 45", "46 to 90"), 10, False)
    assert (small.groups, small.n_people, small.smaller_than_measured) == (("26 to 45",), 30, True)
    assert small.n_electrodes == 16
    assert made(network, 64).caps.groups == ("46 to 90",)


def test_no_atlas_gives_no_maps(network: NeuralField):
    network.reliability.n_people[...] = np.zeros(4, np.float32)
    assert made(network, 32) is None
    assert make_reliability(object(), object(), GRID, 32) is None


def test_a_grid_without_grey_matter_has_no_share(network: NeuralField):
    maps = made(network, 32)
    assert np.isnan(replace(maps, grey=np.zeros_like(maps.grey)).share_interpretable)
