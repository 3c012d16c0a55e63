"""Arrays kept between runs: computed once, and again when the file is not what it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.grid_maps import make_grid_maps
from bids_eeg2fmri.synthesis.kept_arrays import Arrays, kept_arrays

SHAPES = {"one": (3, 2), "other": (4,)}
ARRAYS = {"one": np.arange(6, dtype=np.float32).reshape(3, 2), "other": np.ones(4, np.float32)}


def never() -> Arrays:
    raise AssertionError("computed although it was kept")


def same(found: Arrays) -> bool:
    return found.keys() == ARRAYS.keys() and all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)


def test_the_second_time_nothing_is_computed(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "kept.npz"
    assert same(kept_arrays(path, SHAPES, lambda: ARRAYS))
    assert same(kept_arrays(path, SHAPES, never))
    assert [file.name for file in path.parent.iterdir()] == ["kept.npz"]


def spoilt_byte(whole: bytes) -> bytes:
    place = whole.index(ARRAYS["one"].tobytes())
    return whole[:place] + b"\x01" + whole[place + 1 :]


def unknown_compression(whole: bytes) -> bytes:
    directory = whole.index(b"PK\x01\x02")
    return whole[: directory + 10] + b"\x63" + whole[directory + 11 :]


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:100], lambda whole: b"", spoilt_byte, lambda whole: whole[9:], unknown_compression]
)
def test_a_damaged_file_is_made_again(tmp_path: Path, damage) -> None:
    path = tmp_path / "kept.npz"
    kept_arrays(path, SHAPES, lambda: ARRAYS)
    path.write_bytes(damage(path.read_bytes()))
    assert same(kept_arrays(path, SHAPES, lambda: ARRAYS))
    assert same(kept_arrays(path, SHAPES, never))


def test_arrays_of_another_shape_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    kept_arrays(path, {"one": (1,)}, lambda: {"one": np.zeros(1)})
    assert same(kept_arrays(path, SHAPES, lambda: ARRAYS))


def test_without_a_place_to_write_it_is_computed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert same(kept_arrays(None, SHAPES, lambda: ARRAYS))
    assert same(kept_arrays(tmp_path / "file" / "kept.npz", SHAPES, lambda: ARRAYS))


def test_maps_of_a_grid_are_kept(tmp_path: Path) -> None:
    network = NeuralField(NeuralFieldConfig(n_maps=4, n_fourier=8, field_width=16), rngs=nnx.Rngs(0))
    grids = [make_grid(OutputSpace(resolution=label)) for label in "43"]
    fresh, kept = (make_grid_maps(network, grids[0], tmp_path) for _ in range(2))
    for one, other in zip((*fresh.voxels, *fresh.parcels), (*kept.voxels, *kept.parcels), strict=True):
        np.testing.assert_array_equal(one, other)
    make_grid_maps(network, grids[1], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
