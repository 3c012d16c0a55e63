"""What a GPU makes of the volumes: its share of what the card could do, precision, and agreement with the CPU.

    python -m benchmarks.gpu --peak-tflops 19.5 --peak-gb-per-s 1555

The two numbers are the card's, from its data sheet, for float32 products and for its memory. Ten minutes of volumes
at 2 mm are rendered from random coefficients of the bundled network, in blocks as the program does and all at once.
The stages of whole runs on the card are told by ``python -m benchmarks.end_to_end --device gpu``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jax
import numpy as np
from jax.stages import Compiled

from benchmarks.measuring import given_command, markdown_table, median_of, page, save
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.block_size import VOLUMES_PER_BLOCK
from bids_eeg2fmri.synthesis.grid_maps import GridMaps, make_grid_maps
from bids_eeg2fmri.synthesis.render import VOXELS_PER_STEP, Rendered, render

_N_VOLUMES = 300
# From float32 throughout to factors of eight bits.
_PRECISIONS = ("highest", "high", "default")


@dataclass(frozen=True)
class Volumes:
    """What volumes are rendered from: the arguments of :func:`.render` before the maps."""

    coefficients: np.ndarray
    conditions: np.ndarray
    widening: np.ndarray

    def blocks(self, size: int) -> Iterator[tuple[np.ndarray, ...]]:
        """Blocks of so many volumes, all of which count; a rest is left out."""
        for start in range(0, len(self.widening) - size + 1, size):
            piece = slice(start, start + size)
            counted = np.ones(size, np.float32)
            yield self.coefficients[:, piece], self.conditions[piece], self.widening[piece], counted


def random_volumes(maps: GridMaps, network: NeuralField, n_volumes: int) -> Volumes:
    """Coefficients and conditions as large as real ones."""
    rng = np.random.default_rng(0)
    shape = (network.config.n_members, n_volumes, maps.voxels.mean.shape[1])
    coefficients = rng.standard_normal(shape).astype(np.float32)
    n_conditions = maps.voxels.noise.shape[1] - 1
    conditions = rng.uniform(-0.5, 0.5, (n_volumes, n_conditions)).astype(np.float32)
    return Volumes(coefficients, conditions, np.ones(n_volumes, np.float32))


def compiled_render(device: Any, maps: GridMaps, volumes: Volumes, size: int, precision: str) -> Compiled:
    """The program that renders blocks of a size on a device."""
    with jax.default_matmul_precision(precision), jax.default_device(device):
        placed = jax.device_put((*next(volumes.blocks(size)), maps.voxels), device)
        return render.lower(*placed).compile()


def rendered(device: Any, program: Compiled, maps: GridMaps, volumes: Volumes, size: int) -> Rendered:
    """The first block on a device, fetched."""
    return cast(Rendered, jax.device_get(program(*jax.device_put((*next(volumes.blocks(size)), maps.voxels), device))))


def work_of(program: Compiled, maps: GridMaps) -> tuple[float, float]:
    """Floating-point operations and bytes moved by one call: XLA counts one round of the loop over voxels."""
    counted = cast(dict[str, float], program.cost_analysis())
    n_points = len(maps.voxels.factor)
    rounds = n_points // min(VOXELS_PER_STEP, n_points)
    return rounds * counted["flops"], rounds * counted["bytes accessed"]


def speed_rows(
    device: Any, maps: GridMaps, volumes: Volumes, peak: tuple[float, float], repeats: int
) -> list[list[Any]]:
    """Time and achieved rates in blocks and in one dispatch; ``peak`` in TFLOP/s and GB/s."""
    rows = []
    for size in (VOLUMES_PER_BLOCK, len(volumes.widening)):
        program = compiled_render(device, maps, volumes, size, "highest")
        inputs = jax.device_put([(*block, maps.voxels) for block in volumes.blocks(size)], device)
        timing = median_of(lambda: [jax.block_until_ready(program(*each)) for each in inputs], repeats)  # noqa: B023
        flops, n_bytes = (len(inputs) * amount for amount in work_of(program, maps))
        tflops, gigabytes = flops / timing.median_s / 1e12, n_bytes / timing.median_s / 1e9
        shares = (f"{100 * rate / most:.0f} %" for rate, most in zip((tflops, gigabytes), peak, strict=True))
        n_volumes = size * len(inputs)
        rows.append([f"{len(inputs)} x {size}", 1000 * timing.median_s / n_volumes, tflops, gigabytes, *shares])
    return rows


def precision_rows(device: Any, maps: GridMaps, volumes: Volumes, repeats: int) -> list[list[Any]]:
    """Time per volume and error of each precision of products, against float32 throughout on the CPU."""
    size = VOLUMES_PER_BLOCK
    (cpu,) = jax.devices("cpu")[:1]
    exact = rendered(cpu, compiled_render(cpu, maps, volumes, size, "highest"), maps, volumes, size)
    rows = []
    for precision in _PRECISIONS:
        program = compiled_render(device, maps, volumes, size, precision)
        placed = jax.device_put((*next(volumes.blocks(size)), maps.voxels), device)
        timing = median_of(lambda: jax.block_until_ready(program(*placed)), repeats)  # noqa: B023
        found = rendered(device, program, maps, volumes, size)
        spread = float(exact.mean.std())
        errors = (
            float(np.abs(one - other).max()) / spread
            for one, other in ((found.mean, exact.mean), (found.total_sd, exact.total_sd))
        )
        rows.append([precision, 1000 * timing.median_s / size, *(f"{error:.1e}" for error in errors)])
    return rows


def find_gpu() -> Any:
    """The first GPU that JAX sees.

    Raises
    ------
    SystemExit
        There is none.
    """
    found = [device for device in jax.devices() if device.platform == "gpu"]
    if not found:
        raise SystemExit(
            f"No GPU: JAX sees {jax.devices()[0].device_kind} only, so that nothing is measured. "
            "Run this on a machine with one, with bids-eeg2fmri[cuda12] installed."
        )
    return found[0]


def main() -> None:
    """Measure and print a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peak-tflops", type=float, required=True, help="float32 products of the card")
    parser.add_argument("--peak-gb-per-s", type=float, required=True, help="memory of the card")
    parser.add_argument("--resolution", default="2")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--save", type=Path, help="folder for the page")
    options = parser.parse_args()
    device = find_gpu()
    network = cast(NeuralField, load_bundle("neuralfield-sim").network)
    maps = make_grid_maps(network, make_grid(OutputSpace(resolution=options.resolution)))
    volumes = random_volumes(maps, network, _N_VOLUMES)
    peak = (options.peak_tflops, options.peak_gb_per_s)
    speed = markdown_table(
        ["dispatches x volumes", "ms per volume", "TFLOP/s", "GB/s", "of the peak in FLOP/s", "in bytes/s"],
        speed_rows(device, maps, volumes, peak, options.repeats),
    )
    precision = markdown_table(
        ["precision of products", "ms per volume", "largest error of the mean", "of the sd"],
        precision_rows(device, maps, volumes, options.repeats),
    )
    said = f"On {device.device_kind}. Errors are against the CPU, as a share of the standard deviation of the volumes."
    save(page("Volumes on a GPU", given_command(), said, speed, precision), options.save and options.save / "gpu.md")


if __name__ == "__main__":
    main()
