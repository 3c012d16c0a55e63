"""The 214 grey-matter parcels: 200 cortical (Schaefer et al. 2018, 7 networks), 14 subcortical.

The label images were drawn in MNI152NLin6 and are carried over by world coordinates, without a warp.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from nibabel.affines import apply_affine
from scipy import ndimage, sparse

from .grid import load_asset

_STEM = "atlas/parcels214_space-MNI152NLin2009cAsym_res-2_dseg"
NETWORKS = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default", "Subcortical")


@dataclass(frozen=True)
class Atlas:
    """Parcels in MNI152NLin2009cAsym.

    Attributes
    ----------
    names, hemispheres, networks
        One entry per parcel, in the order of the labels 1, 2, ...
    centres_mm
        Mean MNI coordinates of each parcel.
    labels, affine
        The label image (0: no parcel).
    """

    names: tuple[str, ...]
    hemispheres: tuple[str, ...]
    networks: tuple[str, ...]
    centres_mm: Float[np.ndarray, "parcels 3"]
    labels: Int[np.ndarray, "x y z"]
    affine: Float[np.ndarray, "4 4"]

    def __len__(self) -> int:
        return len(self.names)

    def labels_at(self, coordinates_mm: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
        """Label of the nearest voxel at each MNI coordinate (0: no parcel)."""
        voxels = apply_affine(np.linalg.inv(self.affine), coordinates_mm).T
        return ndimage.map_coordinates(self.labels, voxels, order=0).astype(np.int32)

    def averaging_matrix(self, coordinates_mm: Float[np.ndarray, "voxels 3"]) -> sparse.csr_array:
        """Sparse (parcels x voxels) rows that average voxels over each parcel; zero where a parcel is empty."""
        labels = self.labels_at(coordinates_mm)
        voxels = np.flatnonzero(labels)
        counts = np.bincount(labels, minlength=len(self) + 1)
        weights = (1 / counts[labels[voxels]]).astype(np.float32)
        return sparse.csr_array((weights, (labels[voxels] - 1, voxels)), shape=(len(self), len(labels)))


def _farthest_points(points: Float[np.ndarray, "points 3"], count: int) -> Float[np.ndarray, "chosen 3"]:
    """The point nearest the centre, then each time the one farthest from those chosen."""
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    distance = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    return points[chosen]


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """The bundled atlas."""
    image = load_asset(f"{_STEM}.nii.gz")
    table = pd.read_csv(files("bids_eeg2fmri.assets") / f"{_STEM}.tsv", sep="\t")
    return Atlas(
        names=tuple(f"{row.hemisphere}-{row.name}" for row in table.itertuples(index=False)),
        hemispheres=tuple(table["hemisphere"]),
        networks=tuple(table["network"]),
        centres_mm=table[["x_mm", "y_mm", "z_mm"]].to_numpy(np.float32),
        labels=np.asarray(image.dataobj).astype(np.int32),
        affine=image.affine,
    )


@lru_cache(maxsize=1)
def source_points(per_parcel: int = 6) -> tuple[Float[np.ndarray, "sources 3"], Int[np.ndarray, " sources"]]:
    """Points that cover each parcel of the bundled atlas, and the parcel (0, 1, ...) of each.

    They are the source space of the projection.
    """
    atlas = load_atlas()
    voxels = np.argwhere(atlas.labels)
    labels = atlas.labels[tuple(voxels.T)]
    coordinates = apply_affine(atlas.affine, voxels)
    points = [_farthest_points(coordinates[labels == label], per_parcel) for label in range(1, len(atlas) + 1)]
    parcel = np.repeat(np.arange(len(atlas)), [len(chosen) for chosen in points])
    return np.concatenate(points).astype(np.float32), parcel
