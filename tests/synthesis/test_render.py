"""Rendering against the plain formula."""

import numpy as np
import pytest

from bids_eeg2fmri.synthesis.render import VOXELS_PER_STEP, pad_maps, render


@pytest.mark.parametrize("n_points", [300, VOXELS_PER_STEP + 5])
def test_equals_the_formula(n_points):
    rng = np.random.default_rng(0)
    coefficients = rng.standard_normal((4, 6, 3)).astype(np.float32)
    conditions = rng.uniform(0, 1, (6, 2)).astype(np.float32)
    maps = rng.standard_normal((n_points, 3)).astype(np.float32)
    noise = 0.3 * rng.standard_normal((n_points, 3)).astype(np.float32)
    factor = rng.uniform(0.5, 2, n_points).astype(np.float32)
    widening = np.array([1, 1, 2, 1, 1, 1], np.float32)
    counted = np.array([1, 1, 1, 1, 0, 0], np.float32)
    rendered = render(coefficients, conditions, widening, counted, pad_maps(maps, noise, factor))

    scale = widening[:, None] * factor
    members = np.einsum("mvr,xr->mvx", coefficients, maps)
    epistemic = members.var(axis=0, ddof=1) * scale**2
    aleatoric = np.exp(noise[:, 0] + conditions @ noise[:, 1:].T) * scale**2
    np.testing.assert_allclose(rendered.mean[:, :n_points], members.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(rendered.total_sd[:, :n_points], np.sqrt(epistemic + aleatoric), rtol=1e-3)
    np.testing.assert_allclose(rendered.aleatoric[:n_points], aleatoric[:4].sum(axis=0), rtol=1e-3)
    np.testing.assert_allclose(rendered.epistemic[:n_points], epistemic[:4].sum(axis=0), rtol=1e-3, atol=1e-5)
