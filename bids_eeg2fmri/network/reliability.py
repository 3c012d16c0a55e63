"""The reliability atlas: how far people whom the network never saw are predicted, voxel by voxel, by size of the cap.

Fisher's z of the correlation over time between prediction and BOLD is normal over people, with mean and variance that
are spatial fields, a pair per group of caps. Between the groups' mean sizes both are interpolated in the logarithm of
the number of electrodes; beyond the smallest and the largest they stay.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float
from scipy.special import stdtrit

from .field import SpatialField

GROUPS = ("up to 25", "26 to 45", "46 to 90", "91 and more")
_LARGEST_OF_GROUP = (25, 45, 90)
CONFIDENCE = 0.9
# Share of the variance over people that is theirs at least, however much sampling explains.
_LEAST_BETWEEN = 0.1
AnyArray = jax.Array | np.ndarray


class ReliabilityFields(NamedTuple):
    """The atlas at points, whatever the cap: the mean of each group, and the log variance with what each adds."""

    mean: Float[AnyArray, "points groups"]
    log_variance: Float[AnyArray, "points terms"]


class ExpectedR(NamedTuple):
    """Correlation over time that is expected of a person nobody has seen.

    Attributes
    ----------
    r
        The expected one.
    lower
        What it exceeds with 90 % probability, the sampling error of one recording aside; -1 where too few people were
        there to say.
    """

    r: Float[np.ndarray, " voxels"]
    lower: Float[np.ndarray, " voxels"]


class Reliability(nnx.Module):
    """Correlations of people held out; its constants are set by :mod:`bids_eeg2fmri.learning.reliability`.

    Attributes
    ----------
    mean
        Mean over people of Fisher's z, a map per group of caps.
    log_variance
        Its log variance over people: a map, and for each group what is added to it.
    sampling
        Variance of Fisher's z that the length of the recordings alone makes, per group.
    n_people
        People per group; groups without any know nothing.
    n_electrodes
        Mean number of electrodes of the caps in each group.
    """

    def __init__(self, *, n_fourier: int = 48, width: int = 64, scale_mm: float = 25.0, rngs: nnx.Rngs) -> None:
        self.mean, self.log_variance = (
            SpatialField(n_maps, n_fourier=n_fourier, width=width, scale_mm=scale_mm, rngs=rngs)
            for n_maps in (len(GROUPS), 1 + len(GROUPS))
        )
        self.sampling = nnx.Variable(jnp.zeros(len(GROUPS)))
        self.n_people = nnx.Variable(jnp.zeros(len(GROUPS)))
        self.n_electrodes = nnx.Variable(jnp.ones(len(GROUPS)))

    @property
    def known(self) -> bool:
        """Whether anybody was held out."""
        return bool(np.any(np.asarray(self.n_people[...]) > 0))

    def weights(self, n_electrodes: int) -> Float[np.ndarray, " groups"]:
        """Weight of every group of caps for a cap of this size; they add to one.

        Raises
        ------
        ValueError
            Nobody was held out.
        """
        groups = np.flatnonzero(np.asarray(self.n_people[...]) > 0)
        if not len(groups):
            raise ValueError("no group of caps has people")
        places = np.log(np.asarray(self.n_electrodes[...])[groups])
        weights = np.zeros(len(GROUPS), np.float32)
        place = np.log(max(n_electrodes, 1))
        weights[groups] = [np.interp(place, places, one) for one in np.eye(len(groups))]
        return weights

    def r_maps(
        self, coordinates_mm: Float[np.ndarray, "voxels 3"], grey: Float[np.ndarray, " voxels"], n_electrodes: int
    ) -> ExpectedR:
        """Expected correlation at MNI coordinates with the given grey-matter fractions.

        Parameters
        ----------
        coordinates_mm, grey
            Where.
        n_electrodes
            Good electrodes of the cap.

        Raises
        ------
        ValueError
            Nobody was held out.
        """
        return self.expected(self.fields(jnp.asarray(coordinates_mm), jnp.asarray(grey)), n_electrodes)

    def fields(self, coordinates_mm: Float[Array, "points 3"], grey: Float[Array, " points"]) -> ReliabilityFields:
        """The atlas at MNI coordinates with the given grey-matter fractions."""
        return _fields(self, coordinates_mm, grey)

    def expected(self, fields: ReliabilityFields, n_electrodes: int) -> ExpectedR:
        """Expected correlation for a cap of that many good electrodes, given the atlas at points.

        Raises
        ------
        ValueError
            Nobody was held out.
        """
        weights = self.weights(n_electrodes)
        reach = _reach(float(weights @ np.asarray(self.n_people[...])))
        mean, spread = np.asarray(fields.mean) @ weights, np.asarray(fields.log_variance)
        total = np.exp(spread[:, 0] + spread[:, 1:] @ weights)
        sampling = float(np.asarray(self.sampling[...]) @ weights)
        between = np.maximum(total - sampling, _LEAST_BETWEEN * total)
        return ExpectedR(np.tanh(mean), np.tanh(mean - reach * np.sqrt(between)))


def group_of(n_electrodes: int) -> int:
    """Index in :data:`GROUPS` of a cap."""
    return int(np.searchsorted(_LARGEST_OF_GROUP, n_electrodes))


def _reach(n_people: float) -> float:
    """How many sd below the mean of a sample of people another person lies at most, with 90 % probability.

    The one-sided prediction bound of a normal sample (Hahn 1970, J Qual Technol 2:195).
    """
    if n_people < 2:
        return np.inf
    return float(stdtrit(n_people - 1, CONFIDENCE) * np.sqrt(1 + 1 / n_people))


@nnx.jit
def _fields(
    reliability: Reliability, coordinates_mm: Float[Array, "points 3"], grey: Float[Array, " points"]
) -> ReliabilityFields:
    return ReliabilityFields(reliability.mean(coordinates_mm, grey), reliability.log_variance(coordinates_mm, grey))
