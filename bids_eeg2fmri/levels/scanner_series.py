"""The scanner's series at the voxels of a grid, read a few volumes at a time however long the run is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Bool, Float

from ..bold.real_bold import RealBold
from ..derivatives.atomic import writing

# Cleaning holds two float32 values per volume and voxel.
_BYTES_PER_VALUE = 8


class ScannerSeries:
    """Cleaned, standardised series in a file without a name, which is gone with this object or the process.

    Parameters
    ----------
    image
        The scanner's image.
    points_mm
        MNI coordinates of the voxels.
    folder
        Where the file is kept: four bytes per volume and voxel.
    memory_bytes
        What cleaning may take; the image is read once for every such part.

    Attributes
    ----------
    valid
        Voxels at which the image has a signal.

    Raises
    ------
    Eeg2fmriError
        The image cannot be read, or does not reach the brain; or there is no room for the file.
    """

    def __init__(self, image: RealBold, points_mm: Float[np.ndarray, "voxels 3"], folder: Path, memory_bytes: int):
        self._n_parts = -(-image.n_volumes * len(points_mm) * _BYTES_PER_VALUE // memory_bytes)
        self.valid: Bool[np.ndarray, " voxels"] = np.zeros(len(points_mm), bool)
        self._files: list[IO[bytes]] = []
        for part in range(self._n_parts):
            # Every part has voxels all over the brain: whether the image reaches it shows in each.
            targets = image.targets(points_mm[part :: self._n_parts])
            self.valid[part :: self._n_parts] = targets.valid
            with writing(folder):
                self._files.append(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
                targets.z.astype(np.float32, copy=False).tofile(self._files[-1])

    def volumes(self, first: int, last: int) -> Float[np.ndarray, "volumes voxels"]:
        """Some consecutive volumes; 0 where not valid."""
        n_voxels = len(self.valid)
        block = np.empty((last - first, n_voxels), np.float32)
        for part, file in enumerate(self._files):
            columns = block[:, part :: self._n_parts]
            file.seek(first * columns.shape[1] * block.itemsize)
            columns[:] = np.fromfile(file, np.float32, columns.size).reshape(columns.shape)
        return block
