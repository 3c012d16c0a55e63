"""Statistics of a product of coefficients and maps against those of its volumes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from bids_eeg2fmri.bold import factored, thinning
from bids_eeg2fmri.bold.factored import factored_statistics
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.online import OnlineStatistics
from bids_eeg2fmri.bold.series_statistics import SeriesStatistics
from bids_eeg2fmri.settings import OutputSpace

GRID = make_grid(OutputSpace(resolution="4"))


def both(coefficients: np.ndarray, maps: np.ndarray) -> tuple[SeriesStatistics, SeriesStatistics]:
    """From the factors, and from the volumes."""
    volumes = coefficients @ maps.T
    sd_z = (1 + np.abs(volumes)).astype(np.float32)
    streamed = OnlineStatistics(GRID, len(volumes), n_carpet=200)
    streamed.update(volumes, sd_z)
    expected = streamed.finish()
    known = {"total_sd_z": expected.total_sd_z, "mean_sd_z": expected.mean_sd_z, "film": expected.film}
    return factored_statistics(GRID, coefficients, maps, **known, n_carpet=200), expected


@pytest.mark.parametrize("at_once", [1024, 20, 7])
@pytest.mark.parametrize(("n_volumes", "n_maps"), [(40, 6), (5, 12), (1, 3)])
def test_they_are_the_same(n_volumes: int, n_maps: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factored, "_VOLUMES_PER_STEP", at_once)
    monkeypatch.setattr(thinning, "MOST_COLUMNS", 15)
    rng = np.random.default_rng(n_volumes)
    # Volumes resemble those before them, and do not vary about zero.
    coefficients = (2 + rng.standard_normal((n_volumes, n_maps)).cumsum(axis=0)).astype(np.float32)
    found, expected = both(coefficients, rng.standard_normal((len(GRID.tissue), n_maps)).astype(np.float32))
    assert found.n_volumes == expected.n_volumes == n_volumes
    assert np.isnan(found.step_rms_z[0]) and np.isnan(found.std_dvars[0])
    for field in fields(SeriesStatistics):
        if field.name != "film":
            one, other = getattr(found, field.name), getattr(expected, field.name)
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4, err_msg=field.name)


def test_a_constant_series_does_not_vary() -> None:
    coefficients = np.ones((7, 3), np.float32)
    found, _ = both(coefficients, np.ones((len(GRID.tissue), 3), np.float32))
    assert (found.tstd_z == 0).all() and (found.dvars[1:] == 0).all() and (found.std_dvars[1:] == 0).all()
