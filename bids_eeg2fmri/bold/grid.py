"""Output grids in MNI152NLin2009cAsym, with the mask and tissues of the template sampled on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import nibabel as nib
import numpy as np
from jaxtyping import Bool, Float, Int
from nibabel.affines import apply_affine, voxel_sizes
from nibabel.filebasedimages import ImageFileError
from scipy import ndimage

from ..errors import BadDataError, MissingInputError, UsageError
from ..settings import OutputSpace

SPACE = "MNI152NLin2009cAsym"
BACKGROUND, CSF, GREY_MATTER, WHITE_MATTER = 0, 1, 2, 3

# Voxel size, origin (centre of the first voxel) and shape. 1 and 2 are TemplateFlow's grids of the
# space; 3 and 4 mm cover the same field of view and are this project's own.
_NAMED = {
    "1": (1.0, (-96.0, -132.0, -78.0), (193, 229, 193)),
    "2": (2.0, (-96.5, -132.5, -78.5), (97, 115, 97)),
    "3": (3.0, (-96.0, -132.0, -78.0), (65, 77, 65)),
    "4": (4.0, (-96.0, -132.0, -78.0), (49, 58, 49)),
}


# Compared and hashed by identity: arrays have no single answer.
@dataclass(frozen=True, eq=False)
class Grid:
    """A voxel grid in MNI152NLin2009cAsym.

    Attributes
    ----------
    affine
        Voxel indices to millimetres.
    shape
        Number of voxels along each axis.
    dseg
        Template tissue of every voxel: 0 outside the brain, 1 CSF, 2 grey, 3 white matter.
    resolution
        BIDS ``res-`` label, or ``None`` for the grid of a reference image.
    """

    affine: Float[np.ndarray, "4 4"]
    shape: tuple[int, int, int]
    dseg: Int[np.ndarray, "x y z"]
    resolution: str | None
    space: str = SPACE

    @cached_property
    def mask(self) -> Bool[np.ndarray, "x y z"]:
        """Voxels of the brain."""
        return self.dseg > 0

    @cached_property
    def coordinates_mm(self) -> Float[np.ndarray, "voxels 3"]:
        """MNI coordinates of the brain's voxels, in C order of the grid."""
        return apply_affine(self.affine, np.argwhere(self.mask)).astype(np.float32)

    @cached_property
    def tissue(self) -> Int[np.ndarray, " voxels"]:
        """Tissue of the brain's voxels."""
        return self.dseg[self.mask]

    @property
    def voxel_size_mm(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel."""
        x, y, z = voxel_sizes(self.affine)
        return float(x), float(y), float(z)

    @property
    def description(self) -> str:
        """The text of the sidecar's ``Resolution``."""
        size = " x ".join(f"{edge:g}" for edge in self.voxel_size_mm)
        if self.resolution is None:
            return f"Grid of the given reference image ({size} mm)"
        owner = "TemplateFlow grid" if self.resolution in ("1", "2") else "grid of bids-eeg2fmri"
        return f"{size} mm isotropic, {owner}" if len(set(self.voxel_size_mm)) == 1 else f"{size} mm"

    def volume(self, values: Float[np.ndarray, " voxels"], fill: float = 0.0) -> Float[np.ndarray, "x y z"]:
        """Brain voxel values as a volume, ``fill`` outside the mask."""
        volume = np.full(self.shape, fill, dtype=np.asarray(values).dtype)
        volume[self.mask] = values
        return volume

    def image(self, values: Float[np.ndarray, " voxels"]) -> nib.Nifti1Image:
        """Brain voxel values as a NIfTI image, for plots."""
        return nib.Nifti1Image(self.volume(np.asarray(values, np.float32)), self.affine)


@lru_cache(maxsize=4)
def make_grid(requested: OutputSpace) -> Grid:
    """The grid of an output space.

    Raises
    ------
    UsageError
        Unknown space or resolution.
    MissingInputError, BadDataError
        The reference image is missing or not a 3-D/4-D image.
    """
    if requested.space != SPACE:
        raise UsageError(f"unknown output space {requested.space!r}.", remedy=f"Known: {SPACE}:res-1 to {SPACE}:res-4.")
    if requested.reference_image is not None:
        affine, shape = _reference_geometry(requested.reference_image)
        grid = Grid(affine, shape, sample_template(affine, shape), None)
        if not grid.mask.any():
            raise BadDataError(
                "the reference image does not meet the template's brain.",
                path=requested.reference_image,
                remedy=f"Give an image in {SPACE}.",
            )
        return grid
    if requested.resolution not in _NAMED:
        raise UsageError(
            f"unknown resolution {requested.resolution!r} of {SPACE}.", remedy="Known: res-1, res-2, res-3, res-4."
        )
    affine, _ = named_geometry(requested.resolution)
    # Shipped as `sample_template` makes it, which takes half a second.
    dseg = load_asset(f"space/{SPACE}_res-{requested.resolution}_dseg.nii.gz")
    return Grid(affine, dseg.shape, np.asarray(dseg.dataobj), requested.resolution)


def named_geometry(resolution: str) -> tuple[Float[np.ndarray, "4 4"], tuple[int, int, int]]:
    """Affine and shape of the grid of a ``res-`` label."""
    size, origin, shape = _NAMED[resolution]
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = origin
    return affine, shape


def _reference_geometry(path: Path) -> tuple[Float[np.ndarray, "4 4"], tuple[int, int, int]]:
    if not path.exists():
        raise MissingInputError("the reference image does not exist.", path=path)
    try:
        image = nib.load(path)
    except (ImageFileError, OSError, EOFError) as error:
        raise BadDataError(f"not a readable image ({error}).", path=path, remedy="Give a NIfTI image.") from error
    if len(image.shape) < 3:
        raise BadDataError(f"the reference image has shape {image.shape}.", path=path, remedy="Give a 3-D image.")
    x, y, z = image.shape[:3]
    return np.asarray(image.affine, float), (int(x), int(y), int(z))


@lru_cache(maxsize=1)
def _template_dseg() -> tuple[Int[np.ndarray, "x y z"], Float[np.ndarray, "4 4"]]:
    image = load_asset(f"space/{SPACE}_res-1_dseg.nii.gz")
    return np.asarray(image.dataobj).astype(np.uint8), image.affine


def sample_template(affine: Float[np.ndarray, "4 4"], shape: tuple[int, int, int]) -> Int[np.ndarray, "x y z"]:
    """Majority tissue of the template in every voxel (a voxel is brain when half of it is)."""
    dseg, template_affine = _template_dseg()
    to_voxel = np.linalg.inv(template_affine) @ affine
    if np.allclose(to_voxel, np.eye(4)) and dseg.shape == shape:
        return dseg
    width = np.maximum(voxel_sizes(affine) / 1.0, 1.0)
    fractions = [
        ndimage.affine_transform(
            ndimage.gaussian_filter((dseg == tissue).astype(np.float32), 0.35 * width),
            to_voxel[:3, :3],
            to_voxel[:3, 3],
            output_shape=shape,
            order=1,
        )
        for tissue in (CSF, GREY_MATTER, WHITE_MATTER)
    ]
    stacked = np.stack(fractions)
    labels = stacked.argmax(0) + 1
    return np.where(stacked.sum(0) >= 0.5, labels, BACKGROUND).astype(np.uint8)


def grey_fraction(coordinates_mm: Float[np.ndarray, "points 3"], fwhm_mm: float = 3.0) -> Float[np.ndarray, " points"]:
    """Template grey-matter fraction at MNI coordinates, smoothed to ``fwhm_mm``."""
    smooth, affine = _smooth_grey(fwhm_mm)
    voxels = apply_affine(np.linalg.inv(affine), coordinates_mm).T
    return ndimage.map_coordinates(smooth, voxels, order=1).astype(np.float32)


@lru_cache(maxsize=2)
def _smooth_grey(fwhm_mm: float) -> tuple[Float[np.ndarray, "x y z"], Float[np.ndarray, "4 4"]]:
    dseg, affine = _template_dseg()
    return ndimage.gaussian_filter((dseg == GREY_MATTER).astype(np.float32), fwhm_mm / 2.3548), affine


def load_asset(name: str) -> nib.Nifti1Image:
    """A NIfTI image of the package's assets, read into memory."""
    with as_file(files("bids_eeg2fmri.assets") / name) as path:
        image = nib.load(path)
        return nib.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header)
