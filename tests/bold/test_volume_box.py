"""The box of a network with a fixed volume shape."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine

from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.volume_box import volume_box
from bids_eeg2fmri.settings import OutputSpace


@pytest.mark.parametrize("shape", [(64, 64, 30), (20, 24, 20)])
def test_every_brain_voxel_of_the_template_lies_in_the_box(shape):
    box = volume_box(shape)
    template = make_grid(OutputSpace(resolution="1"))
    voxels = apply_affine(np.linalg.inv(box.affine), template.coordinates_mm)

    assert box.shape == shape
    assert voxels.min() > -0.5
    assert np.all(voxels.max(axis=0) < np.array(shape) - 0.5)
    indices = np.rint(voxels).astype(int)
    for axis in range(3):
        assert set(np.unique(indices[:, axis])) == set(range(shape[axis])), "no plane of the box is wasted"


def test_the_mask_holds_the_volume_of_the_brain():
    box = volume_box((64, 64, 30))
    template = make_grid(OutputSpace(resolution="1"))
    litres = box.mask.sum() * np.prod(box.voxel_size_mm)

    assert litres == pytest.approx(template.mask.sum(), rel=0.02)
    assert 0.3 < box.mask.mean() < 0.7
