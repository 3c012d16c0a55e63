"""The 0-1 convention against a direct computation."""

import numpy as np
from scipy.signal import convolve2d

from bids_eeg2fmri.evaluation.unit_range import unit_psnr, unit_range, unit_similarity, unit_ssim


def direct_ssim(a, b):
    """Wang et al. 2004, window by window."""
    line = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(line, line) / line.sum() ** 2

    def mean(image):
        return convolve2d(image, window, mode="valid")

    va, vb, cov = mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2, mean(a * b) - mean(a) * mean(b)
    c1, c2 = 0.01**2, 0.03**2
    return (2 * mean(a) * mean(b) + c1) * (2 * cov + c2) / ((mean(a) ** 2 + mean(b) ** 2 + c1) * (va + vb + c2))


def test_every_volume_is_scaled_by_itself():
    volumes = np.random.default_rng(0).standard_normal((3, 12, 13, 2)) * np.array([1, 5, 9])[:, None, None, None]
    scaled = unit_range(volumes)
    np.testing.assert_allclose(scaled.min(axis=(1, 2, 3)), 0)
    np.testing.assert_allclose(scaled.max(axis=(1, 2, 3)), 1)
    np.testing.assert_allclose(unit_range(7 * volumes - 3), scaled)
    assert not unit_range(np.full((1, 2, 2, 2), 4.0)).any()


def test_ssim_equals_the_definition():
    a, b = np.random.default_rng(1).random((2, 2, 17, 14, 3))
    expected = np.stack([direct_ssim(a[0, ..., z], b[0, ..., z]) for z in range(3)], axis=-1)
    np.testing.assert_allclose(unit_similarity(a[0], b[0]), expected, atol=1e-9)
    np.testing.assert_allclose(unit_ssim(a, b)[0], expected.mean())
    np.testing.assert_allclose(unit_ssim(a, a), 1)
    assert np.isnan(unit_ssim(a[:, :9], b[:, :9])).all()


def test_psnr_of_a_known_error():
    volumes = np.zeros((2, 4, 4, 4))
    mask = np.zeros((4, 4, 4), bool)
    mask[0] = True
    wrong = volumes + 0.1
    np.testing.assert_allclose(unit_psnr(volumes, wrong), 20)
    wrong[:, mask] = 0.01
    np.testing.assert_allclose(unit_psnr(volumes, wrong, mask), 40)
    assert np.isinf(unit_psnr(volumes, volumes)).all()
