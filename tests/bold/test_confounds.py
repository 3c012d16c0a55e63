"""The confounds table: columns, arithmetic, and nilearn's own drift rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from nilearn.signal import create_cosine_drift

from bids_eeg2fmri.bold import confounds
from bids_eeg2fmri.bold.confounds import (
    MOTION,
    confounds_sidecar,
    confounds_table,
    cosine_drifts,
    drift_names,
    with_drifts,
)
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.online import OnlineStatistics
from bids_eeg2fmri.settings import OutputSpace

SUFFIXES = ("", "_derivative1", "_power2", "_derivative1_power2")


@pytest.fixture(scope="module")
def statistics():
    grid = make_grid(OutputSpace(resolution="4"))
    series_z = np.random.default_rng(1).standard_normal((150, len(grid.tissue))).astype(np.float32)
    statistics = OnlineStatistics(grid, 150)
    statistics.update(series_z, np.ones_like(series_z))
    return statistics.finish()


@pytest.fixture(scope="module")
def table(statistics):
    (block,) = with_drifts(confounds_table(statistics, 2.0), 2.0)
    return block


def test_the_columns_are_fmripreps(table):
    expected = {f"{name}{suffix}" for name in (*MOTION, "csf", "white_matter", "global_signal") for suffix in SUFFIXES}
    expected |= {"framewise_displacement", "rmsd", "dvars", "std_dvars"}
    cosines = [column for column in table if column.startswith("cosine")]
    assert cosines == [f"cosine{index:02d}" for index in range(4)]  # floor(2 * 300 s / 128 s)
    assert set(table) == expected | set(cosines)
    assert len(table) == 150


def test_only_temporal_changes_miss_their_first_row(table):
    missing = table.isna()
    assert not missing.iloc[1:].any(axis=None)
    changes = {column for column in table if "derivative1" in column}
    assert set(table.columns[missing.iloc[0]]) == changes | {"framewise_displacement", "rmsd", "dvars", "std_dvars"}


def test_motion_is_zero_and_says_so(table):
    motion = [f"{name}{suffix}" for name in MOTION for suffix in SUFFIXES] + ["framewise_displacement", "rmsd"]
    assert (table[motion].fillna(0) == 0).all(axis=None)
    described = confounds_sidecar(table)
    assert set(described) == set(table)
    for column in motion:
        assert described[column]["Description"] == "Zero by construction: synthetic BOLD has no head motion"
    assert "squared" in described["csf_derivative1_power2"]["Description"]
    assert "divided" in described["std_dvars"]["Description"]
    assert "divided" not in described["dvars"]["Description"]


def test_expansions_are_changes_and_squares(table, statistics):
    np.testing.assert_array_equal(table["csf"], statistics.csf)
    np.testing.assert_allclose(table["csf_derivative1"][1:], np.diff(statistics.csf))
    np.testing.assert_allclose(table["csf_power2"], statistics.csf**2)
    np.testing.assert_allclose(table["csf_derivative1_power2"][1:], np.diff(statistics.csf) ** 2)


def test_rows_may_come_in_blocks(table, statistics, monkeypatch):
    monkeypatch.setattr(confounds, "_VALUES_PER_BLOCK", 1000)
    blocks = list(with_drifts(confounds_table(statistics, 2.0), 2.0))
    assert len(blocks) > 5 and max(map(len, blocks)) <= 1000 // table.shape[1]
    pd.testing.assert_frame_equal(pd.concat(blocks), table)


@pytest.mark.parametrize(("n_volumes", "tr_s"), [(150, 2.0), (300, 2.16), (31, 2.0), (10, 60.0), (2, 2.0)])
@pytest.mark.filterwarnings("ignore:High-pass filter will span:UserWarning")
def test_cosines_are_nilearns(n_volumes, tr_s):
    expected = create_cosine_drift(1 / 128, tr_s * np.arange(n_volumes))[:, :-1]
    np.testing.assert_allclose(cosine_drifts(n_volumes, tr_s).T, expected, atol=1e-12)
    assert len(drift_names(n_volumes, tr_s)) == expected.shape[1]
