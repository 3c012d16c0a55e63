"""The map of the correlation over time with the scanner's BOLD, where there is such BOLD."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .atomic import write_json, writing
from .encoding import CORRELATION
from .names import OutputNames, sidecar
from .nifti import write_map
from .sidecars import RunFacts, correlation_sidecar


def write_correlation(
    facts: RunFacts, voxel_r: Float[np.ndarray, " voxels"], compared_with: Mapping[str, Any]
) -> tuple[Path, Path]:
    """Write the map and its sidecar; zero where the correlation is NaN.

    Parameters
    ----------
    facts
        What every sidecar states.
    voxel_r
        Correlation per brain voxel.
    compared_with
        The scanner's image, for the sidecar.
    """
    path = facts.names.correlation
    write_map(path, facts.grid, CORRELATION, np.nan_to_num(voxel_r))
    write_json(sidecar(path), correlation_sidecar(facts, compared_with))
    return path, sidecar(path)


def remove_correlation(names: OutputNames) -> None:
    """Remove the map of an earlier run that had something to compare with."""
    for path in (names.correlation, sidecar(names.correlation)):
        with writing(path):
            path.unlink(missing_ok=True)
