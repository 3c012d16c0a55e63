"""How far a recording's features lie from those the network was trained on.

Three distances, each standardised by its mean and sd over the training people: the energy of a volume's features
along the training features' principal axes (a Mahalanobis distance), the energy they have outside those axes,
and the shape of the recording's spectrum over parcels. The largest of them is turned into a percentile of the
training volumes.
"""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

N_QUANTILES = 101
N_PROFILE_AXES = 12
MAX_WIDENING = 3.0
MIN_EVIDENCE = 0.9
_USUAL_PERCENTILE = 99


class Novelty(nnx.Module):
    """Distance from the training features; its constants are set by :mod:`bids_eeg2fmri.learning.novelty`."""

    def __init__(self, n_features: int, n_profile: int, n_axes: int) -> None:
        self.axes = nnx.Variable(jnp.zeros((n_features, n_axes)))
        self.axes_sd = nnx.Variable(jnp.ones(n_axes))
        self.profile_mean = nnx.Variable(jnp.zeros(n_profile))
        self.profile_axes = nnx.Variable(jnp.zeros((n_profile, N_PROFILE_AXES)))
        self.profile_sd = nnx.Variable(jnp.ones(N_PROFILE_AXES))
        self.centre = nnx.Variable(jnp.zeros(3))
        self.scale = nnx.Variable(jnp.ones(3))
        self.quantiles = nnx.Variable(jnp.linspace(0.0, 1.0, N_QUANTILES))

    def distances(
        self, features: Float[Array, "volumes features"], profile: Float[Array, " profile"]
    ) -> Float[Array, "volumes 3"]:
        """The three raw distances, as logarithms of mean squares.

        ``profile`` is the recording's mean log power, parcels x bands flattened, less its overall mean.
        """
        along = features @ self.axes[...]
        outside = jnp.square(features).sum(axis=1) - jnp.square(along).sum(axis=1)
        inside = jnp.square(along / self.axes_sd[...]).mean(axis=1)
        shape = jnp.square((profile - self.profile_mean[...]) @ self.profile_axes[...] / self.profile_sd[...]).mean()
        tiny = 1e-6
        columns = [jnp.log(inside + tiny), jnp.log(jnp.maximum(outside, 0) + tiny), jnp.log(shape + tiny) + 0 * inside]
        return jnp.stack(columns, axis=1)

    def score(
        self,
        features: Float[Array, "volumes features"],
        profile: Float[Array, " profile"],
        evidence: Float[Array, " volumes"],
    ) -> Float[Array, " volumes"]:
        """The largest standardised distance of every volume (two-sided: too little variation is novel, too).

        Volumes with an incomplete history vary too little for that reason alone: they get the median score.
        """
        standardised = (self.distances(features, profile) - self.centre[...]) / self.scale[...]
        median = self.quantiles[...][N_QUANTILES // 2]
        return jnp.where(evidence >= MIN_EVIDENCE, jnp.abs(standardised).max(axis=1), median)

    def percentile(self, score: Float[Array, " volumes"]) -> Float[Array, " volumes"]:
        """Percentile (0-100) of scores among the training volumes."""
        return jnp.interp(score, self.quantiles[...], jnp.linspace(0.0, 100.0, N_QUANTILES))

    def widening(self, score: Float[Array, " volumes"]) -> Float[Array, " volumes"]:
        """Factor on the predictive sd: 1 within the 99th percentile of training, then growing with the score."""
        return jnp.clip(score / self.quantiles[...][_USUAL_PERCENTILE], 1.0, MAX_WIDENING)
