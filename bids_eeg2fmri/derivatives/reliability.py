"""The maps of what correlation with measured BOLD may be expected, and of where the prediction may be interpreted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from .atomic import write_json, writing
from .encoding import CORRELATION, PART_OF_BRAIN
from .evaluated_caps import EvaluatedCaps
from .names import OutputNames, sidecar
from .nifti import write_map
from .sidecars import RunFacts, interpretable_sidecar, reliability_sidecar


def write_reliability(
    facts: RunFacts,
    expected_r: Float[np.ndarray, " voxels"],
    interpretable: Bool[np.ndarray, " voxels"],
    caps: EvaluatedCaps,
) -> tuple[Path, ...]:
    """Write both maps with their sidecars.

    Parameters
    ----------
    facts
        What every sidecar states.
    expected_r
        Expected correlation per brain voxel.
    interpretable
        Where another person's correlation is above zero with 90 % probability.
    caps
        What the maps were measured with, for the sidecars.
    """
    names, grid = facts.names, facts.grid
    write_map(names.reliability, grid, CORRELATION, expected_r)
    write_json(sidecar(names.reliability), reliability_sidecar(facts, caps))
    write_map(names.interpretable, grid, PART_OF_BRAIN, interpretable.astype(np.float32))
    write_json(sidecar(names.interpretable), interpretable_sidecar(facts, caps))
    return names.with_reliability


def remove_reliability(names: OutputNames) -> None:
    """Remove the maps of an earlier run, whose model had such an atlas."""
    for path in names.with_reliability:
        with writing(path):
            path.unlink(missing_ok=True)
