"""The published RMSE and SSIM against values that upstream's code computed."""

from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.published import published_rmse, published_similarity, published_ssim

FIXTURE = Path(__file__).resolve().parents[1] / "data" / "parity" / "metrics.npz"


@pytest.fixture(scope="module")
def recorded():
    with np.load(FIXTURE, allow_pickle=False) as stored:
        return dict(stored)


@pytest.fixture(scope="module", params=["signed", "pos"])
def case(request, recorded):
    """Volumes as upstream had them, and their absolute values."""
    observed, predicted = recorded["y_signed"][..., 0], recorded["p_signed"][..., 0]
    if request.param == "pos":
        observed, predicted = np.abs(observed), np.abs(predicted)
    return request.param, observed, predicted


@pytest.mark.parametrize("batch_size", [1, 2])
def test_rmse_and_ssim_of_every_batch(case, recorded, batch_size):
    name, observed, predicted = case
    rmse = published_rmse(observed, predicted, batch_size)
    ssim = published_ssim(observed, predicted, batch_size)
    np.testing.assert_allclose(rmse, recorded[f"{name}.rmse_b{batch_size}"], rtol=1e-6)
    np.testing.assert_allclose(ssim, recorded[f"{name}.ssim_b{batch_size}"], atol=1e-6)


def test_ssim_of_every_slice(case, recorded):
    name, observed, predicted = case
    for volume in (0, 1):
        similarity = published_similarity(observed[volume : volume + 1], predicted[volume : volume + 1])
        assert similarity.shape == (54, 54, 10)
        np.testing.assert_allclose(similarity.mean(axis=(0, 1)), recorded[f"ssim_slices.{name}"][volume], atol=1e-6)


def test_a_copy_is_perfect_and_small_slices_have_no_ssim():
    volumes = np.random.default_rng(0).standard_normal((2, 16, 12, 6))
    np.testing.assert_allclose(published_ssim(volumes, volumes), 1)
    assert not published_rmse(volumes, volumes).any()
    assert np.isnan(published_ssim(volumes[:, :10], volumes[:, :10])).all()
    assert np.isfinite(published_ssim(np.zeros((1, 12, 12, 3)), np.zeros((1, 12, 12, 3)))).all()
