"""The picture's units against a brute-force standardisation, and what SSIM sees of the fluctuations."""

import numpy as np

from bids_eeg2fmri.evaluation.pictures import Picture, picture_scores, standardised_picture


def test_units_are_one_mean_and_sd_over_all_voxels_and_volumes(grid):
    rng = np.random.default_rng(0)
    n_voxels = int(grid.mask.sum())
    z = rng.standard_normal((50, n_voxels))
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    mean, sd = 900 + 100 * rng.standard_normal(n_voxels), 10 + rng.random(n_voxels)
    raw = np.zeros((50, *grid.shape))
    raw[:, grid.mask] = mean + sd * z
    expected = (raw - raw.mean()) / raw.std()
    volumes = standardised_picture(mean, sd, grid.mask.size).volumes(z, grid)
    np.testing.assert_allclose(volumes, expected, atol=1e-4)


def test_the_mean_picture_alone_scores_a_high_ssim(grid, make_recording):
    recording = make_recording()
    picture = recording.observed.picture
    truth = picture.volumes(recording.observed.z[:3], grid)
    nothing = picture.volumes(np.zeros_like(recording.observed.z[:3]), grid)
    scores = picture_scores(truth, nothing, grid)
    assert scores["ssim"] > 0.9
    assert scores["ssim_unit"] > 0.9
    assert picture_scores(truth, truth, grid)["ssim_brain"] == 1


def test_brain_scores_leave_out_the_background(grid):
    rng = np.random.default_rng(1)
    n_voxels = int(grid.mask.sum())
    mean, z = rng.standard_normal(n_voxels), rng.standard_normal((2, n_voxels))
    one, other = (Picture(mean, np.ones(n_voxels), background) for background in (0.0, 0.5))
    same, shifted = (picture_scores(one.volumes(z, grid), p.volumes(z, grid), grid) for p in (one, other))
    assert same["rmse"] == 0 < shifted["rmse"]
    assert shifted["rmse_brain"] == 0


def test_a_field_of_view_below_the_window_has_no_ssim(grid):
    volumes = np.random.default_rng(2).random((2, *grid.shape))[:, :, :9]
    small = type(grid)(grid.affine, volumes.shape[1:], grid.dseg[:, :9], None)
    scores = picture_scores(volumes, volumes, small)
    assert np.isnan(scores["ssim"])
    assert np.isnan(scores["ssim_unit_brain"])
    assert scores["rmse"] == 0
