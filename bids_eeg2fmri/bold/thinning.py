"""Long series thinned to what a figure can show, while they are gathered."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

# About as many as a figure of the report has pixels along its time axis; just above, half as many are left.
MOST_COLUMNS = 1200


def volumes_per_column(n_volumes: int) -> int:
    """How many volumes share a column of a figure; one, as long as there is room for all of them."""
    return max(-(-n_volumes // MOST_COLUMNS), 1)


def shown_volumes(n_volumes: int, first: int, count: int) -> Int[np.ndarray, " columns"]:
    """Which of ``count`` volumes from ``first`` on stand for their columns: those in their middles.

    Of a figure that shows single volumes; they are counted from ``first``.
    """
    step = volumes_per_column(n_volumes)
    starts = np.arange(0, n_volumes, step)
    middles = (starts + np.minimum(starts + step, n_volumes)) // 2
    return middles[(middles >= first) & (middles < first + count)] - first


class ColumnMeans:
    """Means over the volumes that share a column.

    Parameters
    ----------
    n_volumes, n_rows
        Number of volumes that will come, and of values that each has.
    """

    def __init__(self, n_volumes: int, n_rows: int) -> None:
        self._step = volumes_per_column(n_volumes)
        self._counts = np.minimum(self._step, n_volumes - np.arange(0, n_volumes, self._step))
        self._sums = np.zeros((len(self._counts), n_rows), np.float32)

    def update(self, first_volume: int, values: Float[np.ndarray, "volumes rows"]) -> None:
        """Take in consecutive volumes."""
        columns = np.arange(first_volume, first_volume + len(values)) // self._step
        reached, starts = np.unique(columns, return_index=True)
        self._sums[reached] += np.add.reduceat(values, starts, axis=0)

    @property
    def means(self) -> Float[np.ndarray, "columns rows"]:
        """The means, once every volume has come."""
        return self._sums / self._counts[:, None].astype(np.float32)
