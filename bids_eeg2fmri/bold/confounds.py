"""The confounds table that fMRIPrep's consumers expect, for images without a head that could move.

Column names follow fMRIPrep (Esteban et al. 2019, doi 10.1038/s41592-018-0235-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from .series_statistics import SeriesStatistics

MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
HIGH_PASS_PERIOD_S = 128.0
_VALUES_PER_BLOCK = 2**19

_NO_MOTION = "Zero by construction: synthetic BOLD has no head motion"
_DESCRIPTIONS = {
    "csf": "Mean of the synthetic series over the cerebrospinal fluid of the template's tissue map",
    "white_matter": "Mean of the synthetic series over the white matter of the template's tissue map",
    "global_signal": "Mean of the synthetic series over the brain mask",
    "framewise_displacement": _NO_MOTION,
    "rmsd": _NO_MOTION,
    "dvars": "Root mean square over the brain mask of the change from the volume before",
    "std_dvars": "dvars divided by the mean over voxels of the root mean square change over time",
}
_EXPANSIONS = {
    "": "",
    "_derivative1": ", change from the volume before",
    "_power2": ", squared",
    "_derivative1_power2": ", change from the volume before, squared",
}
_LENGTH_UNITS = {"trans": "mm", "rot": "rad"}


def confounds_table(statistics: SeriesStatistics, tr_s: float) -> pd.DataFrame:
    """Confounds of a synthetic recording but for the slow cosines, one row per volume.

    Parameters
    ----------
    statistics
        Statistics of its volumes.
    tr_s
        Repetition time in seconds.

    Returns
    -------
    pandas.DataFrame
        fMRIPrep's columns; the first row of temporal changes is NaN.
    """
    n_volumes = statistics.n_volumes
    columns: dict[str, Float[np.ndarray, " volumes"]] = {}
    for name, series in (
        ("csf", statistics.csf),
        ("white_matter", statistics.white_matter),
        ("global_signal", statistics.global_signal),
    ):
        columns |= _expanded(name, series)
    columns["dvars"] = statistics.dvars
    columns["std_dvars"] = statistics.std_dvars
    columns["framewise_displacement"] = columns["rmsd"] = _change(np.zeros(n_volumes))
    for name in MOTION:
        columns |= _expanded(name, np.zeros(n_volumes))
    return pd.DataFrame(columns)


def with_drifts(table: pd.DataFrame, tr_s: float) -> Iterator[pd.DataFrame]:
    """The table with the slow cosines beside it, some rows after the others: a long series has many cosines.

    Parameters
    ----------
    table
        From :func:`confounds_table`.
    tr_s
        Repetition time in seconds.
    """
    names = drift_names(len(table), tr_s)
    rows = max(_VALUES_PER_BLOCK // (len(names) + table.shape[1]), 1)
    for start in range(0, len(table), rows):
        block = table.iloc[start : start + rows]
        drifts = cosine_drifts(len(table), tr_s, slice(start, start + rows))
        yield pd.concat([block, pd.DataFrame(drifts.T, columns=names, index=block.index)], axis=1)


def confounds_sidecar(columns: Iterable[str]) -> dict[str, Any]:
    """Description of every column of a confounds table."""
    return {column: _described(column) for column in columns}


def drift_names(n_volumes: int, tr_s: float) -> list[str]:
    """Columns of the slow cosines, as many as nilearn's ``create_cosine_drift`` gives: floor(2 x duration / period)."""
    order = min(n_volumes - 1, int(np.floor(2 * n_volumes * tr_s / HIGH_PASS_PERIOD_S)))
    return [f"cosine{index:02d}" for index in range(order)]


def cosine_drifts(
    n_volumes: int, tr_s: float, volumes: slice = slice(None)
) -> Float[np.ndarray, "drifts some_volumes"]:
    """Discrete cosines slower than 1/128 Hz, scaled to unit norm over all volumes, without the constant."""
    cycles = np.arange(1, len(drift_names(n_volumes, tr_s)) + 1)[:, None]
    phase = np.pi * (np.arange(n_volumes)[volumes] + 0.5) / n_volumes
    return np.sqrt(2 / n_volumes) * np.cos(cycles * phase)


def _expanded(name: str, series: Float[np.ndarray, " volumes"]) -> dict[str, Float[np.ndarray, " volumes"]]:
    change = _change(series)
    return {
        name: series,
        f"{name}_derivative1": change,
        f"{name}_power2": series**2,
        f"{name}_derivative1_power2": change**2,
    }


def _change(series: Float[np.ndarray, " volumes"]) -> Float[np.ndarray, " volumes"]:
    return np.concatenate([[np.nan], np.diff(series)])


def _described(column: str) -> dict[str, str]:
    if column.startswith("cosine"):
        return {
            "Description": f"Discrete cosine regressor for a high-pass filter with a period of {HIGH_PASS_PERIOD_S:g} s"
        }
    if column.startswith(("trans_", "rot_")):
        described = {"Description": _NO_MOTION}
        if column in MOTION:
            described["Units"] = _LENGTH_UNITS[column.split("_")[0]]
        return described
    base = next(name for name in sorted(_DESCRIPTIONS, key=len, reverse=True) if column.startswith(name))
    return {"Description": _DESCRIPTIONS[base] + _EXPANSIONS[column.removeprefix(base)]}
