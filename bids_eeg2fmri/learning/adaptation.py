"""Changes of a trained linear path towards other people, in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from .examples import parcel_means, sample_voxels
from .local_path import fit_shared_weights
from .ridge import Moments, solve


@dataclass(frozen=True)
class Change:
    """What may differ from the linear path that fine-tuning starts from.

    Attributes
    ----------
    shared
        Whether the few weights that all regions share are fitted to what the start leaves unexplained.
    penalty
        On further changes of single weights, relative to the mean diagonal of the Gram matrix; infinite: none.
    """

    shared: bool = False
    penalty: float = np.inf

    @property
    def none(self) -> bool:
        """The linear path stays as it is."""
        return not self.shared and np.isinf(self.penalty)

    @property
    def sentence(self) -> str:
        """What changed, for the description."""
        shared = "the weights that all regions share were adapted" if self.shared else ""
        single = f"single weights were adapted with penalty {self.penalty:g}" if np.isfinite(self.penalty) else ""
        return "; ".join(part for part in (shared, single) if part) or "the linear path stayed as it was"


@dataclass(frozen=True)
class Step:
    """A first step away from the start, and what further ones need."""

    gram: Float[np.ndarray, "inputs features"]
    cross: Float[np.ndarray, "inputs maps"]
    step: Float[np.ndarray, "inputs maps"]

    def refined(self, penalty: float) -> Float[np.ndarray, "inputs maps"]:
        """The step, with single weights adapted as well."""
        if np.isinf(penalty):
            return self.step
        return self.step + solve(self.gram, self.cross - self.gram @ self.step, penalty)


@dataclass(frozen=True)
class Start:
    """A linear path to start from, and its maps at the sample voxels.

    Attributes
    ----------
    linear
        Features to coefficients, of the mean over members, in units of standardised BOLD.
    rendered
        The maps.
    to_coefficients
        Takes voxels to coefficients by least squares.
    loadings
        Of the parcels on the slow states.
    """

    linear: Float[np.ndarray, "inputs maps"]
    rendered: Float[np.ndarray, "voxels maps"]
    to_coefficients: Float[np.ndarray, "voxels maps"]
    loadings: Float[np.ndarray, "parcels states"]

    def unexplained(self, moments: Moments) -> Moments:
        """Moments of what the predictions leave of the targets."""
        explained = (moments.gram @ self.linear) @ self.rendered.T
        share = moments.known_share.astype(explained.dtype)
        return replace(moments, known_cross=moments.known_cross - share * explained)

    def first_step(self, moments: Moments, shared: bool) -> Step:
        """Fit the weights that all regions share, or nothing yet, to what is unexplained."""
        rest = self.unexplained(moments)
        step = np.zeros_like(self.linear)
        if shared:
            averages = parcel_means(sample_voxels()[1])
            # The maps say how a parcel's BOLD spreads: few people could not teach it anew.
            spread = averages.T @ self.rendered
            step = fit_shared_weights(rest, averages, self.loadings) @ (spread @ np.linalg.inv(spread.T @ spread))
        return Step(moments.gram, rest.cross @ self.to_coefficients, step)

    def changed(self, moments: Moments, change: Change) -> Float[np.ndarray, "inputs maps"]:
        """The linear path after a change."""
        return self.linear + self.first_step(moments, change.shared).refined(change.penalty)
