"""Parcels to average over: 200 of the bundled atlas, or those of an image of labels, on any grid."""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from jaxtyping import Float, Int
from nibabel.affines import apply_affine
from nibabel.filebasedimages import ImageFileError
from scipy import ndimage, sparse

from ..bids.bids_name import parse_name
from ..errors import BadDataError, MissingInputError
from ..settings import SCHAEFER200
from .atlas import load_atlas
from .grid import SPACE, sample_template
from .parcel_names import read_parcel_names

SCHAEFER_CITATION = (
    "Schaefer et al. 2018, Cereb Cortex 28:3095 (200 parcels, 7 networks), carried over from MNI152NLin6 by world "
    "coordinates, without a warp"
)
_LEAST_SHARE_IN_BRAIN = 0.5


@dataclass(frozen=True)
class Parcellation:
    """Parcels in MNI152NLin2009cAsym.

    Attributes
    ----------
    label
        The value of ``seg-`` in names.
    indices, names
        Value of every parcel in its label image, and its name.
    labels, affine
        The label image with the labels 1, 2, ... in the order of ``names`` (0: no parcel).
    sha256
        Digest of what it was read from.
    source
        Where it comes from, for sidecars.
    """

    label: str
    indices: tuple[int, ...]
    names: tuple[str, ...]
    labels: Int[np.ndarray, "x y z"]
    affine: Float[np.ndarray, "4 4"]
    sha256: str
    source: str

    def __len__(self) -> int:
        return len(self.names)

    def labels_at(self, coordinates_mm: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
        """Label of the nearest voxel at each MNI coordinate (0: no parcel)."""
        voxels = apply_affine(np.linalg.inv(self.affine), coordinates_mm).T
        return ndimage.map_coordinates(self.labels, voxels, order=0).astype(np.int32)


@dataclass(frozen=True)
class Overlap:
    """How parcels lie on a grid's voxels, and beside the parcels of the bundled atlas.

    Attributes
    ----------
    averaging
        Sparse rows that average voxels over each parcel; zero where a parcel has no voxel.
    share
        Share of a parcel's voxels that lies in each bundled parcel; first column: in none.
    covered
        Share of each bundled parcel's voxels that lies in the parcel.
    """

    averaging: sparse.csr_array
    share: Float[np.ndarray, "parcels bundled_and_none"]
    covered: Float[np.ndarray, "parcels bundled"]

    @property
    def empty(self) -> Int[np.ndarray, " empty"]:
        """Parcels without a voxel of the brain on this grid."""
        return np.flatnonzero(self.share.sum(axis=1) == 0)


def overlap(parcellation: Parcellation, coordinates_mm: Float[np.ndarray, "voxels 3"]) -> Overlap:
    """Lay parcels over the voxels of a grid."""
    own, bundled = parcellation.labels_at(coordinates_mm), load_atlas().labels_at(coordinates_mm)
    n_own, n_bundled = len(parcellation), len(load_atlas())
    common = np.zeros((n_own + 1, n_bundled + 1))
    np.add.at(common, (own, bundled), 1)
    sizes = common.sum(axis=1)[1:]
    voxels = np.flatnonzero(own)
    weights = (1 / sizes[own[voxels] - 1]).astype(np.float32)
    averaging = sparse.csr_array((weights, (own[voxels] - 1, voxels)), shape=(n_own, len(own)))
    return Overlap(
        averaging,
        common[1:] / np.maximum(sizes, 1)[:, None],
        common[1:, 1:] / np.maximum(common[:, 1:].sum(axis=0), 1),
    )


@lru_cache(maxsize=2)
def load_parcellation(name: str) -> Parcellation:
    """The parcellation of this name, or of the image of labels at this path.

    Parameters
    ----------
    name
        ``"schaefer200"``: the cortical parcels of the bundled atlas. Anything else: a 3-D NIfTI image of whole
        numbers in MNI152NLin2009cAsym, on any grid, whose names may stand in a table ``.tsv`` beside it with the
        columns ``index`` and ``name``.

    Raises
    ------
    MissingInputError
        There is no such file.
    BadDataError
        It holds no labels, or is not in this space.
    """
    return _schaefer200() if name.lower() == SCHAEFER200 else _read(Path(name))


def _schaefer200() -> Parcellation:
    atlas = load_atlas()
    cortical = [index for index, network in enumerate(atlas.networks) if network != "Subcortical"]
    rank = np.zeros(len(atlas) + 1, np.int32)
    rank[1 + np.array(cortical)] = np.arange(1, len(cortical) + 1)
    labels = rank[atlas.labels]
    return Parcellation(
        "Schaefer200",
        tuple(range(1, len(cortical) + 1)),
        tuple(atlas.names[index] for index in cortical),
        labels,
        atlas.affine,
        hashlib.sha256(labels.tobytes()).hexdigest(),
        SCHAEFER_CITATION,
    )


def _read(path: Path) -> Parcellation:
    if not path.is_file():
        raise MissingInputError(
            "there is no such image of labels.", path=path, remedy=f"Give {SCHAEFER200} or a NIfTI image."
        )
    _check_name(path)
    try:
        image = nib.load(path)
        values = np.asanyarray(image.dataobj)
    except (ImageFileError, OSError, EOFError, ValueError, AttributeError, zlib.error) as error:
        raise _unusable(path, f"cannot be read ({error})") from error
    found = _whole_numbers(path, values)
    affine = np.asarray(image.affine, float)
    _check_place(path, found, affine)
    indices = np.unique(found[found > 0])
    table = path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".tsv")
    digest = hashlib.sha256(path.read_bytes())
    if table.is_file():
        digest.update(table.read_bytes())
    return Parcellation(
        _label(path),
        tuple(int(index) for index in indices),
        read_parcel_names(table, indices),
        np.where(found > 0, np.searchsorted(indices, found) + 1, 0).astype(np.int32),
        affine,
        digest.hexdigest(),
        path.name,
    )


def _whole_numbers(path: Path, values: np.ndarray) -> Int[np.ndarray, "x y z"]:
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise _unusable(path, f"has the shape {values.shape}; one 3-D volume is expected")
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise _unusable(path, "does not hold numbers")
    if not np.isfinite(values).all() or (values != np.rint(values)).any() or (values < 0).any():
        raise _unusable(path, "holds values that are not whole numbers from 0 on: it is no image of labels")
    if not values.any():
        raise _unusable(path, "is empty: no voxel has a label")
    return values.astype(np.int64)


def _check_place(path: Path, labels: Int[np.ndarray, "x y z"], affine: Float[np.ndarray, "4 4"]) -> None:
    """Few images of another space are noticed, but those far off are."""
    if abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise _unusable(path, "has an affine that maps voxels to no volume")
    voxels = np.argwhere(labels)
    brain = sample_template(np.asarray(affine), labels.shape) > 0
    share = brain[tuple(voxels.T)].mean()
    if share < _LEAST_SHARE_IN_BRAIN:
        raise _unusable(path, f"has {100 * share:.0f} % of its labels in the brain of {SPACE}: it is in another space")


def _check_name(path: Path) -> None:
    """A BIDS name says which space it is in."""
    name = parse_name(path.name)
    entities = {} if name is None else name.entities
    space = entities.get("space", entities.get("tpl", SPACE))
    if space != SPACE:
        raise _unusable(path, f"is in the space {space} by its name; parcels are averaged in {SPACE}")


def _label(path: Path) -> str:
    """``seg-`` or ``atlas-`` of a BIDS name, with its ``scale-``; else what is left of the name."""
    name = parse_name(path.name)
    if name is not None and (label := name.entities.get("seg", name.entities.get("atlas"))):
        label += name.entities.get("scale", "")
    else:
        label = path.name.split(".")[0]
    return re.sub(r"[^0-9A-Za-z]", "", label) or "parcels"


def _unusable(path: Path, reason: str) -> BadDataError:
    return BadDataError(
        f"the image of labels {reason}.",
        path=path,
        remedy=f"Give a 3-D image of whole numbers in {SPACE} (0: no parcel).",
    )
