"""Strips of slices show the right place of the right volume, whatever the grid."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.bold.grid import Grid, make_grid
from bids_eeg2fmri.report.mosaic import CORONAL, OVERVIEW, SAGITTAL, Cut, map_strip, mask_strip, template_strip
from bids_eeg2fmri.settings import OutputSpace


def _grid(resolution: str = "4") -> Grid:
    return make_grid(OutputSpace(resolution=resolution))


@pytest.mark.parametrize(("axis", "index"), [("x", 0), ("y", 1), ("z", 2)])
def test_coordinates_of_a_cut_are_shown_where_they_are(axis: str, index: int) -> None:
    grid = _grid()
    cuts = (Cut(axis, 10.0),)
    shown = [map_strip(grid, grid.coordinates_mm[:, other], cuts) for other in range(3)]
    inside = np.isfinite(shown[0])
    assert inside.sum() > 2000
    # Linear interpolation of coordinates is exact; at the brain's border it is weighted by coverage.
    deep = inside & (mask_strip(grid, cuts) > 0.999)
    np.testing.assert_allclose(shown[index][deep], 10.0, atol=1e-3)
    across, upward = [other for other in range(3) if other != index]
    rows, columns = np.nonzero(deep)
    assert np.corrcoef(columns, shown[across][deep])[0, 1] > 0.9999
    assert np.corrcoef(rows, shown[upward][deep])[0, 1] > 0.9999


def test_a_flipped_grid_shows_the_same_picture() -> None:
    grid = _grid()
    values = grid.coordinates_mm[:, 0]
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    flip[0, 3] = grid.shape[0] - 1
    flipped = Grid(grid.affine @ flip, grid.shape, grid.dseg[::-1], None)
    shown, again = (map_strip(each, each.coordinates_mm[:, 0], OVERVIEW) for each in (grid, flipped))
    np.testing.assert_allclose(shown, again, atol=1e-3, equal_nan=True)
    assert values.min() < -60


@pytest.mark.parametrize("cuts", [OVERVIEW, CORONAL, SAGITTAL])
def test_template_and_mask_cover_the_same_brain(cuts: tuple[Cut, ...]) -> None:
    template, mask = np.isfinite(template_strip(cuts)), mask_strip(_grid("2"), cuts) >= 0.5
    assert 2 * (template & mask).sum() / (template.sum() + mask.sum()) > 0.95


def test_undefined_values_do_not_spread() -> None:
    grid = _grid()
    values = np.ones(len(grid.tissue))
    values[::7] = np.nan
    shown = map_strip(grid, values, OVERVIEW)
    assert np.isfinite(shown).sum() == (mask_strip(grid, OVERVIEW) >= 0.5).sum()
