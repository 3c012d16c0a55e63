"""Long series thinned to columns."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.bold.thinning import MOST_COLUMNS, ColumnMeans, shown_volumes, volumes_per_column


@pytest.mark.parametrize("n_volumes", [1, 7, MOST_COLUMNS])
def test_short_series_keep_every_volume(n_volumes: int) -> None:
    assert volumes_per_column(n_volumes) == 1
    np.testing.assert_array_equal(shown_volumes(n_volumes, 0, n_volumes), np.arange(n_volumes))


@pytest.mark.parametrize("n_volumes", [MOST_COLUMNS + 1, 10 * MOST_COLUMNS - 3, 43_200])
def test_long_series_fill_a_figure(n_volumes: int) -> None:
    each = volumes_per_column(n_volumes)
    columns = -(-n_volumes // each)
    assert MOST_COLUMNS / 2 < columns <= MOST_COLUMNS
    shown = np.concatenate([first + shown_volumes(n_volumes, first, 64) for first in range(0, n_volumes, 64)])
    np.testing.assert_array_equal(shown // each, np.arange(columns))
    assert shown[-1] < n_volumes


def test_columns_are_means_whatever_the_blocks() -> None:
    n_volumes = 3 * MOST_COLUMNS - 100
    series = np.random.default_rng(0).standard_normal((n_volumes, 5)).astype(np.float32)
    columns = ColumnMeans(n_volumes, 5)
    for first in range(0, n_volumes, 64):
        columns.update(first, series[first : first + 64])
    expected = [series[first : first + 3].mean(axis=0) for first in range(0, n_volumes, 3)]
    np.testing.assert_allclose(columns.means, expected, atol=1e-6)
