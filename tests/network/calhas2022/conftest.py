"""Recordings of the published package, and the configuration most of them were made with."""

from pathlib import Path

import jax
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.network.calhas2022 import Blocks, Calhas2022Config

_PARITY = Path(__file__).parents[2] / "data" / "parity"


@pytest.fixture(scope="session")
def parity():
    """A function that reads the arrays of a recording."""

    def read(name: str) -> dict[str, np.ndarray]:
        with np.load(_PARITY / f"{name}.npz") as arrays:
            return dict(arrays)

    return read


@pytest.fixture(scope="session")
def small() -> Calhas2022Config:
    """The published options with small shapes."""
    return Calhas2022Config(
        eeg_shape=(8, 20, 6),
        fmri_shape=(12, 12, 6),
        latent_shape=(3, 3, 3),
        n_filters=2,
        eeg_blocks=Blocks(((3, 5, 2), (2, 3, 2)), ((1, 2, 1), (1, 1, 1)), (2, 2, 1), (1, 1, 1)),
        fmri_blocks=Blocks(((3, 4, 2), (3, 3, 2)), ((1, 1, 1), (2, 1, 1)), (2, 2, 2), (1, 1, 1)),
        fmri_dropout=0.0,
    )


@pytest.fixture(scope="session")
def compiled():
    """A function that compiles ``function(module, *inputs)`` as quickly as possible, calls it and returns its value."""

    def call(function, module, *inputs):
        structure, state = nnx.split(module)

        def pure(state, *inputs):
            return function(nnx.merge(structure, state, copy=True), *inputs)

        return jax.jit(pure, compiler_options={"xla_backend_optimization_level": 0})(state, *inputs)

    return call


@pytest.fixture(scope="session")
def deviation():
    """A function: largest deviation from a reference, as a share of its largest absolute value."""

    def largest(values, reference) -> float:
        reference = np.asarray(reference)
        difference = np.abs(np.asarray(values).reshape(reference.shape) - reference)
        return float(difference.max() / np.abs(reference).max())

    return largest
