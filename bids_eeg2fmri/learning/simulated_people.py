"""Simulate training people in parallel processes, one file each; files that are there are kept."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.progress import track

from .. import __version__
from ..network.neuralfield import NeuralFieldConfig
from ..phantom.draw import draw_person
from ..phantom.person import PersonSpec

# Another one for every change of the generator or of what an example holds.
_LAYOUT = "simulated/3"
# Every process computes on one thread: people are what is parallel here.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def simulate_people(
    folder: Path,
    seeds: Sequence[int],
    caps: Sequence[int | None],
    config: NeuralFieldConfig,
    *,
    tr_s: float | None = None,
    draw: Callable[..., PersonSpec] = draw_person,
    processes: int = 1,
    description: str = "Simulating",
) -> list[Path]:
    """Files of the people with these seeds, simulated where they are missing.

    Parameters
    ----------
    folder
        Where the files lie.
    seeds, caps, config, tr_s, draw
        See :func:`bids_eeg2fmri.learning.simulated.make_examples`; ``draw`` is a function of a module.
    processes
        How many to use.
    description
        What the progress bar says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    population = () if draw is draw_person else (draw.__name__,)
    kind = _digest(tuple(caps), tr_s, asdict(config), *population)
    paths = [folder / f"person-{seed}_{kind}.npz" for seed in seeds]
    missing = [(seed, path) for seed, path in zip(seeds, paths, strict=True) if not path.exists()]
    if missing:
        kept = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        try:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(processes, mp_context=context) as pool:
                task = partial(_simulate, caps=tuple(caps), config=config, tr_s=tr_s, draw=draw)
                running = [pool.submit(task, seed, path) for seed, path in missing]
                for done in track(as_completed(running), description, total=len(running)):
                    done.result()
        finally:
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
    return paths


def _digest(*what: object) -> str:
    """Short name of what a file depends on besides the seed."""
    return hashlib.sha256(repr((__version__, _LAYOUT, *what)).encode()).hexdigest()[:8]


def _simulate(
    seed: int,
    path: Path,
    caps: tuple[int | None, ...],
    config: NeuralFieldConfig,
    tr_s: float | None,
    draw: Callable[..., PersonSpec],
) -> None:
    from .examples import save_examples
    from .simulated import make_examples

    save_examples(path, make_examples(seed, config, caps, tr_s=tr_s, draw=draw))
