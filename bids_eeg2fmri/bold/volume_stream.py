"""Volumes of a NIfTI image, one after the other, without ever holding the image in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from jaxtyping import Float, Shaped
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from ..bids.content import require_content
from ..errors import BadDataError

# isal's stubs take its error for an instance.
_BROKEN_STREAM = cast("type[Exception]", isal_zlib.error)
_UNREADABLE = (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, zlib.error, _BROKEN_STREAM)
_REMEDY = "Fetch or make the image again."


def open_image(path: Path) -> nib.Nifti1Image:
    """Header of a NIfTI image; its data stay on disk.

    Raises
    ------
    MissingInputError
        The content is not here.
    BadDataError
        Not a NIfTI image of numbers that states its position.
    """
    require_content(path)
    try:
        image = nib.load(path)
    except _UNREADABLE as error:
        raise BadDataError(f"not a readable image ({error}).", path=path, remedy=_REMEDY) from error
    if not isinstance(image, nib.Nifti1Image) or image.get_data_dtype().kind not in "iuf":
        raise BadDataError("not a NIfTI image of real numbers.", path=path, remedy=_REMEDY)
    if not (image.header["sform_code"] or image.header["qform_code"]):
        raise BadDataError(
            "the header gives no position in space (sform and qform codes are 0).", path=path, remedy=_REMEDY
        )
    return image


def stream_voxels(
    image: nib.Nifti1Image, path: Path, positions: Shaped[np.ndarray, " chosen"]
) -> Iterator[Float[np.ndarray, " chosen"]]:
    """Values of some voxels in every volume, float32, in the image's units.

    Parameters
    ----------
    image, path
        An image of three or four dimensions that :func:`open_image` opened, and its file.
    positions
        Indices of the voxels in Fortran order.

    Raises
    ------
    BadDataError
        The file ends early, or its compressed content is broken.
    """
    proxy = image.dataobj
    n_volumes = image.shape[3] if len(image.shape) == 4 else 1
    size = int(np.prod(image.shape[:3])) * proxy.dtype.itemsize
    read = 0
    try:
        with _open(path) as stream:
            stream.seek(proxy.offset)
            while read < n_volumes:
                content = stream.read(size)
                if len(content) < size:
                    break
                stored = np.frombuffer(content, proxy.dtype)[positions]
                yield (stored * float(proxy.slope) + float(proxy.inter)).astype(np.float32)
                read += 1
    except _UNREADABLE as error:
        raise _ends_early(path, read, n_volumes, str(error)) from error
    if read < n_volumes:
        raise _ends_early(path, read, n_volumes, "end of file")


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", igzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))


def _ends_early(path: Path, read: int, n_volumes: int, reason: str) -> BadDataError:
    return BadDataError(f"{read} of {n_volumes} volumes can be read ({reason}).", path=path, remedy=_REMEDY)
