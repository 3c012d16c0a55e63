"""The model of a run, and what is refused before any work."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.levels.model import load_model
from bids_eeg2fmri.settings import OutputSpace, Settings


@pytest.fixture
def upper_brain(tmp_path: Path) -> Path:
    """A grid of 4 mm from 30 mm above the anterior commissure on."""
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-96, -132, 30)
    path = tmp_path / "upper.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((48, 57, 20), np.uint8), affine), path)
    return path


def settings(folder: Path, image: Path, *regions: str) -> Settings:
    space = OutputSpace(resolution=None, reference_image=image)
    return Settings(folder, folder / "out", "participant", explain=regions, output_spaces=(space,))


def test_a_region_off_the_grid_is_refused(tmp_path: Path, upper_brain: Path) -> None:
    with pytest.raises(UsageError, match="--explain Amygdala: no voxel"):
        load_model(settings(tmp_path, upper_brain, "Vis", "amygdala"))
    assert len(load_model(settings(tmp_path, upper_brain, "SomMot")).grids) == 1
