"""Compressed NIfTI images written volume by volume, so that memory does not grow with their length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import nibabel as nib
import numpy as np
from isal import igzip_threaded
from jaxtyping import Float, Shaped

from .. import __version__
from ..bold.grid import Grid
from ..errors import BadDataError
from .atomic import atomic_path, writing
from .encoding import Encoding

MAX_DIMENSION = 32767
_DESCRIPTION = f"SYNTHETIC BOLD bids_eeg2fmri v{__version__}"
_MNI_CODE = 4
# Level 1 is 30 % smaller than level 0 at the same speed; higher levels gain nothing.
_COMPRESSION_LEVEL = 1


class NiftiWriter:
    """Writes brain voxels as whole volumes; made by :func:`nifti_writer`.

    Attributes
    ----------
    path
        The final name of the image.
    encoding
        How values are stored.
    clipped
        Number of values so far that the stored type could not hold and that were set to its limit.
    """

    def __init__(self, path: Path, stream: BinaryIO, grid: Grid, encoding: Encoding, n_volumes: int) -> None:
        self.path = path
        self.encoding = encoding
        self.clipped = 0
        self._stream = stream
        self._remaining = n_volumes
        # A NIfTI volume is stored with x running fastest; the brain's voxels come with z running fastest.
        self._positions = np.flatnonzero(grid.mask.ravel(order="F"))
        rank = np.zeros(grid.shape, np.intp)
        rank[grid.mask] = np.arange(self._positions.size)
        self._order = rank.ravel(order="F")[self._positions]
        self._volume = np.full(grid.mask.size, encoding.outside, encoding.dtype)
        self._scratch = np.empty(self._positions.size, np.float32)
        self._in_order = np.empty(self._positions.size, encoding.dtype)

    def write(self, values: Shaped[np.ndarray, "volumes voxels"]) -> None:
        """Write the next volumes, given the brain voxels in C order of the grid.

        Parameters
        ----------
        values
            Floating-point values; or the numbers that the image stores, if these are integers.

        Raises
        ------
        BadDataError
            A value is not a number.
        WriteError, OutputError
            The disk is full or cannot be written to.
        """
        if len(values) > self._remaining:
            raise ValueError(f"{len(values)} volumes given, {self._remaining} announced")
        values = np.asarray(values)
        are_stored = np.issubdtype(values.dtype, np.integer)
        for volume in values:
            numbers = volume.astype(self.encoding.dtype, copy=False) if are_stored else self._stored(volume)
            # The mode spares a copy: no index is out of range.
            self._volume[self._positions] = np.take(numbers, self._order, out=self._in_order, mode="clip")
            with writing(self.path):
                self._stream.write(self._volume.data.cast("B"))
        self._remaining -= len(values)

    def _stored(self, values: Float[np.ndarray, " voxels"]) -> np.ndarray:
        encoding, scratch = self.encoding, self._scratch
        np.multiply(values, encoding.gain / encoding.slope, out=scratch)
        scratch += (encoding.offset - encoding.intercept) / encoding.slope
        if encoding.dtype != "float32":
            np.rint(scratch, out=scratch)
        lowest, highest = encoding.limits
        # NaN fails both comparisons, so this one test also guards against it.
        if not (scratch.min() >= lowest and scratch.max() <= highest):
            if not np.isfinite(scratch).all():
                raise BadDataError(
                    "the prediction holds values that are not numbers.",
                    path=self.path,
                    remedy="Check the recording for extreme values, or the model.",
                )
            self.clipped += int(((scratch < lowest) | (scratch > highest)).sum())
            np.clip(scratch, lowest, highest, out=scratch)
        return scratch.astype(encoding.dtype)

    def finish(self) -> None:
        """Check that every announced volume came."""
        if self._remaining:
            raise ValueError(f"{self._remaining} announced volumes were not written")


@contextmanager
def nifti_writer(
    path: Path,
    grid: Grid,
    encoding: Encoding,
    *,
    n_volumes: int | None = None,
    tr_s: float | None = None,
    threads: int = 1,
) -> Iterator[NiftiWriter]:
    """Write a ``.nii.gz`` on a grid; it appears at ``path`` when the block succeeds.

    The bytes depend on the values alone: not on the date, the name, the block size or ``threads``.

    Parameters
    ----------
    path
        Final name of the image.
    grid
        Its grid; voxels outside the grid's mask are zero.
    encoding
        Units and stored type.
    n_volumes, tr_s
        Number of volumes and repetition time in seconds of a 4-D image; leave out for a 3-D image.
    threads
        Threads that compress beside the caller.

    Raises
    ------
    BadDataError
        An axis is longer than a NIfTI-1 header can say, or a value is not a number.
    WriteError, OutputError
        The disk is full or cannot be written to.
    """
    header = _header(path, grid, encoding, n_volumes, tr_s)
    with atomic_path(path) as temporary:
        with writing(path):
            stream = igzip_threaded.open(temporary, "wb", _COMPRESSION_LEVEL, threads=threads)
        try:
            with writing(path):
                stream.write(header)
            writer = NiftiWriter(path, stream, grid, encoding, 1 if n_volumes is None else n_volumes)
            yield writer
            writer.finish()
            with writing(path):
                stream.close()
        except BaseException:
            with suppress(OSError):
                stream.close()
            raise


def write_map(path: Path, grid: Grid, encoding: Encoding, values: Float[np.ndarray, " voxels"]) -> None:
    """Write a 3-D image from the values of the brain voxels."""
    with nifti_writer(path, grid, encoding) as writer:
        writer.write(np.asarray(values)[None])


def require_room(n_volumes: int, recording: Path) -> None:
    """Refuse a recording of more volumes than an image can hold, before they are made.

    Raises
    ------
    BadDataError
        They are too many.
    """
    if n_volumes > MAX_DIMENSION:
        raise BadDataError(
            f"the recording has {n_volumes} volumes, and a NIfTI-1 image holds no more than {MAX_DIMENSION}.",
            path=recording,
            remedy="Cut it into runs, choose a longer --tr, or ask for parcels alone (--parcels-only).",
        )


def _header(path: Path, grid: Grid, encoding: Encoding, n_volumes: int | None, tr_s: float | None) -> bytes:
    shape = grid.shape if n_volumes is None else (*grid.shape, n_volumes)
    if max(shape) > MAX_DIMENSION:
        raise BadDataError(
            f"an image of shape {shape} is longer than the {MAX_DIMENSION} that NIfTI-1 can hold along an axis.",
            path=path,
            remedy="Cut the recording into runs, or choose a longer --tr.",
        )
    header = nib.Nifti1Header()
    header.set_data_dtype(encoding.dtype)
    header.set_data_shape(shape)
    header.set_qform(grid.affine, _MNI_CODE)
    header.set_sform(grid.affine, _MNI_CODE)
    header.set_slope_inter(encoding.slope, encoding.intercept)
    header.set_xyzt_units("mm", "sec")
    if tr_s is not None:
        header["pixdim"][4] = tr_s
    header["descrip"] = _DESCRIPTION
    header.set_data_offset(352)
    no_extensions = bytes(4)
    return header.binaryblock + no_extensions
