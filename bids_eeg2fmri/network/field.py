"""The spatial field: brain maps as functions of MNI coordinates.

Evaluated once per grid, it makes a whole recording one matrix product, at any resolution. Coordinates enter as
random Fourier features (Tancik et al. 2020, NeurIPS), the template's grey-matter fraction as a further input,
because maps change at the grey-white border faster than coordinates alone can follow.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

_CENTRE_MM = (0.0, -18.0, 8.0)


class SpatialField(nnx.Module):
    """``phi(x)``: a multilayer perceptron over Fourier features of x and the grey fraction at x.

    Parameters
    ----------
    n_maps
        Number of maps.
    n_fourier
        Number of random frequencies (each gives a sine and a cosine).
    width
        Units of both hidden layers.
    scale_mm
        Smallest spatial scale the features resolve well: the standard deviation of the angular frequencies
        is ``1 / scale_mm`` per millimetre.
    """

    def __init__(self, n_maps: int, *, n_fourier: int, width: int, scale_mm: float, rngs: nnx.Rngs) -> None:
        self.frequencies = nnx.Variable(jax.random.normal(rngs.params(), (3, n_fourier)) / scale_mm)
        self.hidden1 = nnx.Linear(2 * n_fourier + 1, width, rngs=rngs)
        self.hidden2 = nnx.Linear(width + 1, width, rngs=rngs)
        self.maps = nnx.Linear(width + 1, n_maps, rngs=rngs)

    def __call__(
        self, coordinates_mm: Float[Array, "voxels 3"], grey: Float[Array, " voxels"]
    ) -> Float[Array, "voxels maps"]:
        """Values of every map at MNI coordinates with the given grey-matter fractions."""
        return self.of_features(self.features(coordinates_mm, grey))

    def features(
        self, coordinates_mm: Float[Array, "voxels 3"], grey: Float[Array, " voxels"]
    ) -> Float[Array, "voxels features"]:
        """What the perceptron receives, which no training changes: sines and cosines, and last the grey fraction."""
        angle = (coordinates_mm - jnp.asarray(_CENTRE_MM)) @ self.frequencies[...]
        return jnp.concatenate([jnp.sin(angle), jnp.cos(angle), grey[:, None]], axis=-1)

    def of_features(self, features: Float[Array, "voxels features"]) -> Float[Array, "voxels maps"]:
        """Values of every map where :meth:`features` gave these."""
        tissue = features[:, -1:]
        x = nnx.gelu(self.hidden1(features))
        x = nnx.gelu(self.hidden2(jnp.concatenate([x, tissue], axis=-1)))
        return self.maps(jnp.concatenate([x, tissue], axis=-1))
