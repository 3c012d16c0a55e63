"""What is told of a series of volumes, however it was found out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from .film import SliceFilm
from .grid import CSF, GREY_MATTER, WHITE_MATTER
from .units import BASELINE, UNITS_PER_Z

CARPET_ORDER = (GREY_MATTER, WHITE_MATTER, CSF)
N_CARPET = 2000
_CARPET_SEED = 20090301  # any fixed number: the same voxels in every recording make carpets comparable


@dataclass(frozen=True)
class SeriesStatistics:
    """Statistics of a series: what ends in ``_z`` is standardised, the rest is in BOLD units.

    Attributes
    ----------
    mean_z, tstd_z
        Mean and standard deviation over time (denominator: number of volumes), per brain voxel.
    total_sd_z
        Root mean square over time of the predictive sd, per brain voxel.
    mean_sd_z
        Mean over voxels of the predictive sd, per volume.
    region_means_z
        Means over the template's cerebrospinal fluid, its white matter, and the brain mask.
    step_rms_z
        Root mean square over the brain of the change from the volume before; NaN for the first.
    typical_step_z
        Mean over voxels of the root mean square change over time.
    carpet_z, carpet_tissue
        Series of a fixed subset of voxels, ordered grey matter, white matter, CSF; and their tissue. In long series a
        column is the mean of several volumes (:mod:`.thinning`).
    global_signal_share
        Mean correlation between all pairs of the subset's series (Saad et al. 2013, Brain Connect 3:339).
    film
        A few slices over time.
    """

    mean_z: Float[np.ndarray, " voxels"]
    tstd_z: Float[np.ndarray, " voxels"]
    total_sd_z: Float[np.ndarray, " voxels"]
    mean_sd_z: Float[np.ndarray, " volumes"]
    region_means_z: Float[np.ndarray, "volumes 3"]
    step_rms_z: Float[np.ndarray, " volumes"]
    typical_step_z: float
    carpet_z: Float[np.ndarray, "subset columns"]
    carpet_tissue: Int[np.ndarray, " subset"]
    global_signal_share: float
    film: SliceFilm

    @property
    def n_volumes(self) -> int:
        """Number of volumes."""
        return len(self.mean_sd_z)

    @property
    def mean_map(self) -> Float[np.ndarray, " voxels"]:
        """Mean over time per voxel."""
        return BASELINE + UNITS_PER_Z * self.mean_z

    @property
    def tstd_map(self) -> Float[np.ndarray, " voxels"]:
        """Standard deviation over time per voxel."""
        return UNITS_PER_Z * self.tstd_z

    @property
    def total_sd_map(self) -> Float[np.ndarray, " voxels"]:
        """Root mean square over time of the predictive sd per voxel."""
        return UNITS_PER_Z * self.total_sd_z

    @property
    def csf(self) -> Float[np.ndarray, " volumes"]:
        """Mean over the template's cerebrospinal fluid."""
        return BASELINE + UNITS_PER_Z * self.region_means_z[:, 0]

    @property
    def white_matter(self) -> Float[np.ndarray, " volumes"]:
        """Mean over the template's white matter."""
        return BASELINE + UNITS_PER_Z * self.region_means_z[:, 1]

    @property
    def global_signal(self) -> Float[np.ndarray, " volumes"]:
        """Mean over the brain mask."""
        return BASELINE + UNITS_PER_Z * self.region_means_z[:, 2]

    @property
    def dvars(self) -> Float[np.ndarray, " volumes"]:
        """Root mean square over the brain of the change from the volume before; NaN for the first."""
        return UNITS_PER_Z * self.step_rms_z

    @property
    def std_dvars(self) -> Float[np.ndarray, " volumes"]:
        """``dvars`` divided by the mean over voxels of the root mean square change over time."""
        return self.step_rms_z / self.typical_step_z if self.typical_step_z > 0 else self.step_rms_z


def region_weights(tissue: Int[np.ndarray, " voxels"]) -> Float[np.ndarray, "voxels 3"]:
    """Columns that average brain voxels over CSF, white matter and the whole brain."""
    members = np.stack([tissue == CSF, tissue == WHITE_MATTER, np.ones_like(tissue, bool)], axis=1).astype(np.float32)
    return members / np.maximum(members.sum(0), 1)


def inverse_sd(variance: Float[np.ndarray, " subset"]) -> Float[np.ndarray, " subset"]:
    """One over the standard deviation; zero for what does not vary, which correlates with nothing."""
    return np.where(variance > 0, 1 / np.sqrt(np.where(variance > 0, variance, 1)), 0)


def carpet_voxels(tissue: Int[np.ndarray, " voxels"], n_carpet: int = N_CARPET) -> Int[np.ndarray, " subset"]:
    """Voxels of the carpet, drawn at random over the brain, in its order."""
    chosen = np.random.default_rng(_CARPET_SEED).choice(tissue.size, min(n_carpet, tissue.size), replace=False)
    chosen.sort()
    rank = np.array([CARPET_ORDER.index(label) for label in tissue[chosen]])
    return chosen[np.argsort(rank, kind="stable")]
