"""How far a recording's features lie from those the network was trained on.

Distances of two kinds, each standardised by its mean and sd over people not trained on. Of every volume: the energy of
its features along the training features' principal axes (a Mahalanobis distance), and the energy they have outside
those axes; too little variation is novel, too. Of the recording: the shape of its spectrum over parcels, how badly the
parcels explain what the electrodes recorded, and how much is missing. The largest of them is turned into a percentile
of volumes of such people.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

N_QUANTILES = 101
N_DESCRIPTION_AXES = 12
MAX_WIDENING = 3.0
MIN_EVIDENCE = 0.9
_USUAL_PERCENTILE = 99
# What the distances are of, in their order: two of every volume, three of the recording.
PARTS = ("Known patterns", "Outside them", "Spectrum's shape", "Head model's fit", "Missing EEG")
_TINY = 1e-6
AnyArray = jax.Array | np.ndarray
# A hundredth missing is hardly different from nothing missing.
_MISSING_OFFSET = 0.02


class Axes(nnx.Module):
    """Principal axes of a description of recordings, with their standard deviations."""

    def __init__(self, n_numbers: int) -> None:
        self.mean = nnx.Variable(jnp.zeros(n_numbers))
        self.axes = nnx.Variable(jnp.zeros((n_numbers, N_DESCRIPTION_AXES)))
        self.sd = nnx.Variable(jnp.ones(N_DESCRIPTION_AXES))

    def distance(self, description: Float[AnyArray, " numbers"]) -> Float[Array, ""]:
        """Log of the mean squared distance along the axes, in standard deviations."""
        along = (description - self.mean[...]) @ self.axes[...] / self.sd[...]
        return jnp.log(jnp.square(along).mean() + _TINY)


class Description(NamedTuple):
    """What the novelty score must know of a whole recording.

    Attributes
    ----------
    profile
        Mean log power, parcels (or electrodes) x bands flattened, less its overall mean.
    condition
        How well the network's idea of the head explains the electrodes; empty for networks without one.
    missing
        Share of the recording that is not there or not clean.
    """

    profile: Float[AnyArray, " profile"]
    condition: Float[AnyArray, " condition"]
    missing: Float[AnyArray, ""]


class Novelty(nnx.Module):
    """Distance from the training features; its constants are set by :mod:`bids_eeg2fmri.learning.novelty`."""

    def __init__(self, n_features: int, n_profile: int, n_axes: int, n_condition: int = 0) -> None:
        self.axes = nnx.Variable(jnp.zeros((n_features, n_axes)))
        self.axes_sd = nnx.Variable(jnp.ones(n_axes))
        self.profile = Axes(n_profile)
        self.condition = Axes(n_condition)
        self.centre = nnx.Variable(jnp.zeros(5))
        self.scale = nnx.Variable(jnp.ones(5))
        self.quantiles = nnx.Variable(jnp.linspace(0.0, 1.0, N_QUANTILES))

    def distances(
        self, features: Float[Array, "volumes features"], description: Description
    ) -> Float[Array, "volumes 5"]:
        """The raw distances: two of the volumes and three of the recording."""
        along = features @ self.axes[...]
        outside = jnp.square(features).sum(axis=1) - jnp.square(along).sum(axis=1)
        inside = jnp.square(along / self.axes_sd[...]).mean(axis=1)
        condition = self.condition.distance(description.condition) if len(description.condition) else jnp.zeros(())
        recording = jnp.stack(
            [self.profile.distance(description.profile), condition, jnp.log(description.missing + _MISSING_OFFSET)]
        )
        volumes = jnp.stack([jnp.log(inside + _TINY), jnp.log(jnp.maximum(outside, 0) + _TINY)], axis=1)
        return jnp.concatenate([volumes, jnp.broadcast_to(recording, (len(features), 3))], axis=1)

    def score(
        self,
        features: Float[Array, "volumes features"],
        description: Description,
        evidence: Float[Array, " volumes"],
    ) -> Float[Array, " volumes"]:
        """The largest standardised distance of every volume.

        Volumes with an incomplete history vary too little for that reason alone: only the distances of the recording
        count for them, or the median score if it is larger.
        """
        return self.parts(features, description, evidence).max(axis=1)

    def parts(
        self,
        features: Float[Array, "volumes features"],
        description: Description,
        evidence: Float[Array, " volumes"],
    ) -> Float[Array, "volumes 5"]:
        """The standardised distances of every volume, as they enter :meth:`score`, in the order of :data:`PARTS`."""
        standardised = (self.distances(features, description) - self.centre[...]) / self.scale[...]
        median = self.quantiles[...][N_QUANTILES // 2]
        complete = (evidence >= MIN_EVIDENCE)[:, None]
        volumes = jnp.where(complete, jnp.abs(standardised[:, :2]), median)
        return jnp.concatenate([volumes, standardised[:, 2:]], axis=1)

    def percentile(self, score: Float[Array, " volumes"]) -> Float[Array, " volumes"]:
        """Percentile (0-100) of scores among volumes of people not trained on."""
        return jnp.interp(score, self.quantiles[...], jnp.linspace(0.0, 100.0, N_QUANTILES))

    def widening(self, score: Float[Array, " volumes"]) -> Float[Array, " volumes"]:
        """Factor on the predictive sd: 1 within the 99th percentile, then growing with the score."""
        return jnp.clip(score / self.quantiles[...][_USUAL_PERCENTILE], 1.0, MAX_WIDENING)


def as_description(
    profile: Float[AnyArray, " profile"], condition: Float[AnyArray, " condition"] | None = None, missing: float = 0.0
) -> Description:
    """A description of single precision, with an empty condition by default."""
    return Description(
        jnp.asarray(profile, jnp.float32),
        jnp.asarray(np.zeros(0) if condition is None else condition, jnp.float32),
        jnp.asarray(missing, jnp.float32),
    )
