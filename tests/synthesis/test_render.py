"""Rendering against the plain formula."""

import numpy as np
import pytest

from bids_eeg2fmri.derivatives.encoding import bold_encoding, total_sd_encoding
from bids_eeg2fmri.synthesis.render import VOXELS_PER_STEP, pad_maps, render, render_encoded


def _inputs(n_points):
    rng = np.random.default_rng(0)
    coefficients = rng.standard_normal((4, 6, 3)).astype(np.float32)
    conditions = rng.uniform(0, 1, (6, 2)).astype(np.float32)
    maps = 0.3 * rng.standard_normal((n_points, 3)).astype(np.float32)
    noise = 0.3 * rng.standard_normal((n_points, 3)).astype(np.float32)
    factor = rng.uniform(0.5, 2, n_points).astype(np.float32)
    widening = np.array([1, 1, 2, 1, 1, 1], np.float32)
    counted = np.array([1, 1, 1, 1, 0, 0], np.float32)
    return (coefficients, conditions, widening, counted), (maps, noise, factor)


@pytest.mark.parametrize("n_points", [300, VOXELS_PER_STEP + 5])
def test_equals_the_formula(n_points):
    inputs, (maps, noise, factor) = _inputs(n_points)
    coefficients, conditions, widening, _ = inputs
    rendered = render(*inputs, pad_maps(maps, noise, factor))

    scale = widening[:, None] * factor
    members = np.einsum("mvr,xr->mvx", coefficients, maps)
    epistemic = members.var(axis=0, ddof=1) * scale**2
    aleatoric = np.exp(noise[:, 0] + conditions @ noise[:, 1:].T) * scale**2
    np.testing.assert_allclose(rendered.mean[:, :n_points], members.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(rendered.total_sd[:, :n_points], np.sqrt(epistemic + aleatoric), rtol=1e-3)
    np.testing.assert_allclose(rendered.aleatoric[:n_points], aleatoric[:4].sum(axis=0), rtol=1e-3)
    np.testing.assert_allclose(rendered.epistemic[:n_points], epistemic[:4].sum(axis=0), rtol=1e-3, atol=1e-5)


def test_encoded_volumes_are_the_rendered_ones():
    inputs, maps = _inputs(VOXELS_PER_STEP + 5)
    rendered = render(*inputs, pad_maps(*maps))
    bold, total_sd = bold_encoding(), total_sd_encoding()
    encoded = render_encoded(*inputs, pad_maps(*maps), bold=bold, total_sd=total_sd)
    assert encoded.fits
    assert encoded.mean.dtype == encoded.total_sd.dtype == bold.dtype
    mean_units = np.asarray(encoded.mean) * bold.slope + bold.intercept
    sd_units = np.asarray(encoded.total_sd) * total_sd.slope
    np.testing.assert_allclose(mean_units, 1000 + 10 * np.asarray(rendered.mean), atol=0.51 * bold.slope)
    np.testing.assert_allclose(sd_units, 10 * np.asarray(rendered.total_sd), atol=0.51 * total_sd.slope)
    np.testing.assert_allclose(encoded.aleatoric, rendered.aleatoric, rtol=1e-5)
    np.testing.assert_allclose(encoded.epistemic, rendered.epistemic, rtol=1e-5)
    np.testing.assert_allclose(encoded.sd_sum, np.asarray(rendered.total_sd).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("value", [300, -1300, np.nan, np.inf])
def test_what_numbers_cannot_hold_is_noticed(value):
    inputs, (maps, noise, factor) = _inputs(300)
    maps[7], inputs[0][:, 2] = (value, 0, 0), (1, 0, 0)
    encoded = render_encoded(*inputs, pad_maps(maps, noise, factor), bold=bold_encoding(), total_sd=total_sd_encoding())
    assert not encoded.fits
