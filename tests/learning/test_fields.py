"""Fields on maps and variances that are known."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

from bids_eeg2fmri.learning.fields import fit_field, fit_noise
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
