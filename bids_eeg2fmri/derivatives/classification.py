"""Files of a classification: tables with their definitions, and maps of the brain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..bold.atlas import load_atlas
from ..bold.grid import Grid
from .atomic import write_json, write_text, writing
from .encoding import Encoding
from .names import sidecar
from .nifti import write_map
from .sidecars import ATLAS_NOTE, TEMPLATE_URI

_STEM = "group_classification"
_FLOAT32 = Encoding("float32")


def table_path(output_dir: Path, kind: str = "") -> Path:
    """Path of a table: that of the scores, ``"predictions"`` or ``"pattern"``."""
    return output_dir / f"{_STEM}{'_' if kind else ''}{kind}.tsv"


def write_table(path: Path, table: pd.DataFrame, definitions: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write a table and its sidecar; what is not known becomes ``n/a``.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written.
    """
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.6g", lineterminator="\n"))
    write_json(sidecar(path), dict(definitions))
    return path, sidecar(path)


def remove_maps(output_dir: Path) -> None:
    """Remove the maps of an earlier classification, whose classes may have had other names."""
    for path in output_dir.glob(f"{_STEM}_space-*_boldmap.*"):
        with writing(path):
            path.unlink(missing_ok=True)


def map_labels(classes: Sequence[str]) -> list[str]:
    """Names of classes as file names may hold them: letters and digits, no two alike."""
    labels: list[str] = []
    for number, name in enumerate(classes, start=1):
        label = re.sub(r"[^A-Za-z0-9]", "", name)
        labels.append(label if label and label not in labels else f"{label}class{number}")
    return labels


def write_parcel_map(
    output_dir: Path,
    grid: Grid,
    values: Float[np.ndarray, " parcels"],
    *,
    statistic: str,
    label: str,
    description: str,
    units: str,
) -> tuple[Path, Path]:
    """Write one value per parcel of the bundled atlas as an image, zero outside the parcels.

    Parameters
    ----------
    output_dir, grid
        Where, and on which grid.
    values
        One per parcel; NaN becomes zero.
    statistic, label
        Values of ``stat-`` and ``desc-``.
    description, units
        For the sidecar.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written.
    """
    resolution = "" if grid.resolution is None else f"_res-{grid.resolution}"
    name = f"{_STEM}_space-{grid.space}{resolution}_stat-{statistic}_desc-{label}_boldmap.nii.gz"
    path = output_dir / name
    of_labels = np.concatenate([[0.0], np.nan_to_num(values)]).astype(np.float32)
    write_map(path, grid, _FLOAT32, of_labels[load_atlas().labels_at(grid.coordinates_mm)])
    content = {
        "Description": description,
        "Synthetic": True,
        "SkullStripped": True,
        "Units": units,
        "Resolution": grid.description,
        "SpatialReference": TEMPLATE_URI.format(resolution="02" if grid.resolution == "2" else "01"),
        "ParcellationNote": ATLAS_NOTE,
    }
    write_json(sidecar(path), content)
    return path, sidecar(path)
