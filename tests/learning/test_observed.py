"""Recorded BOLD as it is scored: kept on disk without loss that matters, pictures averaged where there is a signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.forecast import Observed
from bids_eeg2fmri.learning.observed import load_observed, mean_picture, save_observed, scoring_labels


def observed(mean: float, valid: np.ndarray) -> Observed:
    rng = np.random.default_rng(int(mean))
    n_voxels = len(valid)
    return Observed(
        z=rng.standard_normal((5, n_voxels)).astype(np.float32),
        parcel_z=rng.standard_normal((5, 214)).astype(np.float32),
        valid=valid,
        parcel_valid=np.ones(214, bool),
        tr_s=2.5,
        picture_mean=np.full(n_voxels, mean, np.float32),
        picture_sd=np.full(n_voxels, mean / 10, np.float32),
        picture_background=-mean,
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    before = observed(2.0, np.array([True, False, True]))
    save_observed(tmp_path / "one.npz", before)
    after = load_observed(tmp_path / "one.npz")
    np.testing.assert_allclose(after.z, before.z, atol=2e-3)
    for name in ("parcel_z", "valid", "parcel_valid", "picture_mean", "picture_sd"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (after.tr_s, after.picture_background) == (2.5, -2.0)


def test_the_mean_picture_leaves_out_who_has_no_signal(tmp_path: Path) -> None:
    n_voxels = len(scoring_labels())
    valid = np.ones(n_voxels, bool)
    partly = valid.copy()
    partly[0] = False
    nobody = valid.copy()
    nobody[1] = partly[1] = False
    save_observed(tmp_path / "one.npz", observed(1.0, nobody))
    save_observed(tmp_path / "two.npz", observed(3.0, partly))
    picture = mean_picture((tmp_path / "one.npz", tmp_path / "two.npz"))
    assert picture.background == -2.0
    assert picture.mean[0] == 1.0
    assert picture.mean[1] == picture.background
    assert picture.mean[2] == 2.0
    assert picture.sd[2] == pytest.approx(0.2)
