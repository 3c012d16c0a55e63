"""Parcel series with their sd: a derivatives dataset of its own, ``parcels/`` in the output directory.

The tables are compressed because of their readers, too: pybids, and with it fitlins, takes every ``_timeseries.tsv``
below the output directory for regressors of the run, wherever it lies.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..bold.parcellation import Parcellation
from ..bold.units import BASELINE, UNITS_PER_Z
from .atomic import atomic_path, remove_leftovers, write_json, writing
from .completeness import RunHashes, matching
from .names import OutputNames, sidecar
from .parcel_names import PARCELLATION, SAMPLES, SEED, ParcelNames, ParcelRequest
from .sidecars import SYNTHETIC, RunFacts

_OF_IMAGES = ("SkullStripped", "Resolution", "SpatialReference", "ClippedVoxels", "ParcellationNote")
_SCALING = ("Baseline", "UnitsPerStandardDeviation", "Statement")


class ParcelTables(NamedTuple):
    """Tables that are written, but for the sidecar that vouches for them.

    Attributes
    ----------
    paths
        All their files, that sidecar included.
    marker, description
        The sidecar of the means: its path and content.
    """

    paths: tuple[Path, ...]
    marker: Path
    description: dict[str, Any]

    def complete(self) -> None:
        """Write the sidecar of the means."""
        write_json(self.marker, self.description)


def write_parcels(
    facts: RunFacts,
    request: ParcelRequest,
    description: Mapping[str, Any],
    mean_z: Float[np.ndarray, "volumes parcels"],
    sd_z: Float[np.ndarray, "volumes parcels"],
    draws_z: Iterable[Float[np.ndarray, "volumes parcels"]],
    empty: Int[np.ndarray, " empty"],
) -> ParcelTables:
    """Write the tables; the sidecar of the means, which marks them complete, is left to the caller.

    Parameters
    ----------
    facts, request
        The recording on its grid, and what was asked for.
    description
        Sidecar of the recording's BOLD, whether its image is written or not.
    mean_z, sd_z, draws_z
        What is written, in z.
    empty
        Parcels without a voxel, whose cells are ``n/a``.
    """
    paths = ParcelNames(facts.names, request.parcellation.label)
    columns = request.parcellation.names
    _withdraw(paths)
    about = _parcellation(request.parcellation, empty)
    common = {key: value for key, value in description.items() if key not in _OF_IMAGES}
    scaling = description.get("IntensityScaling", {})
    common["IntensityScaling"] = {key: scaling[key] for key in _SCALING if key in scaling}
    common[PARCELLATION] = about
    if request.n_samples:
        _write_table(paths.samples, columns, (BASELINE + UNITS_PER_Z * draw for draw in draws_z), empty, numbered=True)
        write_json(sidecar(paths.samples), _samples_sidecar(common, request))
        common |= {SAMPLES: request.n_samples, SEED: request.seed}
    _write_table(paths.std, columns, [UNITS_PER_Z * sd_z], empty)
    write_json(
        sidecar(paths.std), _short(common) | {"Description": f"Predictive sd of the parcels' means. {SYNTHETIC}"}
    )
    _write_table(paths.mean, columns, [BASELINE + UNITS_PER_Z * mean_z], empty)
    return ParcelTables(
        (*(paths.with_samples if request.n_samples else ()), *paths.required),
        sidecar(paths.mean),
        common | {"Description": f"Mean over each parcel. {SYNTHETIC}"},
    )


def remove_outdated_parcels(names: OutputNames, hashes: RunHashes) -> None:
    """Remove parcel tables of a recording on a grid that were made from something else than its new outputs."""
    one = ParcelNames(names, "*")
    for path in sorted(one.mean.parent.glob(sidecar(one.mean).name)):
        if matching(path, hashes) is None:
            stem = path.name.removesuffix("_stat-mean_timeseries.json")
            for outdated in path.parent.glob(f"{stem}_*_timeseries.*"):
                with writing(outdated):
                    outdated.unlink(missing_ok=True)


def _withdraw(paths: ParcelNames) -> None:
    """Nothing vouches for the tables while they are replaced, and old draws go."""
    for path in (*paths.required, *paths.with_samples):
        remove_leftovers(path)
    for path in (sidecar(paths.mean), *paths.with_samples):
        with writing(path):
            path.unlink(missing_ok=True)


def _write_table(
    path: Path,
    columns: Sequence[str],
    parts: Iterable[Float[np.ndarray, "volumes parcels"]],
    empty: Int[np.ndarray, " empty"],
    *,
    numbered: bool = False,
) -> None:
    """Tables one below the other; numbered ones begin with the columns ``sample`` and ``volume``."""
    with (
        atomic_path(path) as temporary,
        writing(path),
        temporary.open("wb") as raw,
        # Neither name nor time in the header: the bytes depend on the values alone.
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream,
    ):
        for number, values in enumerate(parts):
            filled = np.array(values)
            filled[:, empty] = np.nan
            table = pd.DataFrame(filled, columns=list(columns))
            if numbered:
                table.insert(0, "volume", np.arange(len(table)))
                table.insert(0, "sample", number)
            text = table.to_csv(
                sep="\t", index=False, header=number == 0, na_rep="n/a", float_format="%.3f", lineterminator="\n"
            )
            stream.write(text.encode())


def _parcellation(parcellation: Parcellation, empty: Int[np.ndarray, " empty"]) -> dict[str, Any]:
    return {
        "Label": parcellation.label,
        "Source": parcellation.source,
        "SHA256": parcellation.sha256,
        "Parcels": len(parcellation),
        "EmptyParcels": [parcellation.names[index] for index in empty],
    }


def _short(common: Mapping[str, Any]) -> dict[str, Any]:
    """What the sidecars beside that of the means repeat."""
    kept = ("TaskName", "RepetitionTime", "StartTime", "Units", "Synthetic", "Sources", PARCELLATION)
    return {key: value for key, value in common.items() if key in kept or key.startswith("Model")}


def _samples_sidecar(common: Mapping[str, Any], request: ParcelRequest) -> dict[str, Any]:
    return _short(common) | {
        "Description": f"Draws from the predictive distribution of the parcels' means. {SYNTHETIC}",
        SAMPLES: request.n_samples,
        SEED: request.seed,
        "sample": {"Description": "Number of the draw, from 0; volumes of one draw belong together"},
        "volume": {"Description": "Number of the volume, from 0"},
    }
