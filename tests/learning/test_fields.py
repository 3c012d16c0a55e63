"""Fields on maps and variances that are known."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

from bids_eeg2fmri.learning.fields import fit_field, fit_noise, fit_parcel_noise
from bids_eeg2fmri.network.field import SpatialField
from bids_eeg2fmri.network.neuralfield import log_variance


def _points(n=1500):
    rng = np.random.default_rng(0)
    coordinates = rng.uniform([-60, -90, -40], [60, 60, 70], (n, 3)).astype(np.float32)
    return coordinates, rng.uniform(0, 1, n).astype(np.float32)


def test_smooth_maps_are_learned_and_carry_over_to_other_voxels():
    coordinates, grey = _points()
    maps = np.stack([np.cos(coordinates[:, 0] / 30) * grey, np.sin(coordinates[:, 1] / 40)], axis=1)
    field = SpatialField(2, n_fourier=32, width=32, scale_mm=25.0, rngs=nnx.Rngs(0))
    assert fit_field(field, coordinates, grey, maps, np.array([1.0, 1.0]), n_steps=400) > 0.9


def test_variances_are_learned_with_what_they_depend_on():
    coordinates, grey = _points(600)
    rng = np.random.default_rng(1)
    conditions = rng.uniform(0, 1, (300, 1)).astype(np.float32)
    true = np.log(0.5 + grey)[None] + conditions
    squared = np.exp(true) * rng.standard_normal(true.shape) ** 2
    noise = SpatialField(2, n_fourier=8, width=16, scale_mm=40.0, rngs=nnx.Rngs(0))
    fit_noise(noise, coordinates, grey, conditions, squared, n_steps=400)
    fitted = log_variance(jnp.asarray(conditions), noise(jnp.asarray(coordinates), jnp.asarray(grey)))
    assert np.corrcoef(np.ravel(fitted), true.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(np.mean(fitted), true.mean(), atol=0.1)


def _parcel_errors(slopes, n_volumes=4000):
    """Squared errors of parcels whose log variance is a level and what one condition adds."""
    rng = np.random.default_rng(2)
    conditions = rng.uniform(-1, 1, (n_volumes, 2)).astype(np.float32)
    levels = np.linspace(-1.5, 0.5, len(slopes))
    log_variance_of = levels + conditions[:, :1] * np.array(slopes)
    return conditions, levels, (np.exp(log_variance_of) * rng.standard_normal(log_variance_of.shape) ** 2)


def test_parcels_have_their_own_level_and_what_conditions_add_to_it():
    conditions, levels, squared = _parcel_errors(slopes=[0.8] * 6)
    fitted = np.asarray(fit_parcel_noise(conditions, squared))
    assert fitted.shape == (6, 3)
    np.testing.assert_allclose(fitted[:, 0], levels, atol=0.12)
    np.testing.assert_allclose(fitted[:, 1], 0.8, atol=0.12)
    np.testing.assert_allclose(fitted[:, 2], 0, atol=0.12)


def test_a_parcels_own_slope_is_drawn_towards_that_of_all():
    conditions, _, squared = _parcel_errors(slopes=[0.8] * 5 + [-0.8])
    fitted = np.asarray(fit_parcel_noise(conditions, squared))[:, 1]
    assert fitted[5] < fitted[:5].min()
    assert -0.8 < fitted[5] < 0.5


def test_parcels_without_errors_get_the_average():
    conditions, levels, squared = _parcel_errors(slopes=[0.8] * 6)
    squared[:, 2] = np.nan
    squared[::3, 4] = np.nan
    fitted = np.asarray(fit_parcel_noise(conditions, squared))
    assert fitted[2, 0] == np.log(np.nanmean(squared) + 1e-6).astype(np.float32)
    np.testing.assert_allclose(fitted[2, 1], 0.8, atol=0.12)
    np.testing.assert_allclose(fitted[4, 0], levels[4], atol=0.15)
