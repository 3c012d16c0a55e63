"""The benchmark of GPUs counts what it says; where there is no GPU it says so."""

from __future__ import annotations

import sys
from typing import cast

import jax
import numpy as np
import pytest

from benchmarks import gpu
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.block_size import VOLUMES_PER_BLOCK
from bids_eeg2fmri.synthesis.grid_maps import GridMaps, make_grid_maps

Material = tuple[GridMaps, gpu.Volumes]


@pytest.fixture(scope="module")
def material() -> Material:
    network = cast(NeuralField, load_bundle("neuralfield-sim").network)
    maps = make_grid_maps(network, make_grid(OutputSpace(resolution="4")))
    return maps, gpu.random_volumes(maps, network, 2 * VOLUMES_PER_BLOCK)


def test_without_a_gpu_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "devices", lambda *_: jax.local_devices(backend="cpu"))
    monkeypatch.setattr(sys, "argv", ["gpu", "--peak-tflops", "1", "--peak-gb-per-s", "1"])
    with pytest.raises(SystemExit, match="No GPU: JAX sees cpu only"):
        gpu.main()


def test_operations_of_the_products_are_counted(material: Material) -> None:
    maps, volumes = material
    cpu = jax.devices("cpu")[0]
    program = gpu.compiled_render(cpu, maps, volumes, VOLUMES_PER_BLOCK, "highest")
    flops, n_bytes = gpu.work_of(program, maps)
    n_points, n_maps = maps.voxels.mean.shape
    products = 2 * len(volumes.coefficients) * VOLUMES_PER_BLOCK * n_maps * n_points
    assert products < flops < 3 * products
    assert n_bytes > 4 * 2 * VOLUMES_PER_BLOCK * n_points


def test_rows_on_a_device_that_is_there(material: Material) -> None:
    maps, volumes = material
    cpu = jax.devices("cpu")[0]
    rows = gpu.speed_rows(cpu, maps, volumes, (1.0, 100.0), repeats=1)
    assert [row[0] for row in rows] == [f"2 x {VOLUMES_PER_BLOCK}", f"1 x {2 * VOLUMES_PER_BLOCK}"]
    assert all(row[2] > 0 and row[4] == f"{100 * row[2]:.0f} %" for row in rows)
    exact = gpu.precision_rows(cpu, maps, volumes, repeats=1)[0]
    assert (exact[0], *map(float, exact[2:])) == ("highest", 0.0, 0.0)


def test_blocks_leave_out_a_rest(material: Material) -> None:
    volumes = material[1]
    sizes = [len(block[-1]) for block in volumes.blocks(50)]
    assert sizes == [50, 50]
    np.testing.assert_array_equal(next(volumes.blocks(50))[0], volumes.coefficients[:, :50])
