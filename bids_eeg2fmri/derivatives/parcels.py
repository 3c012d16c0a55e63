"""Parcel series with their sd: a derivatives dataset of its own, ``parcels/`` in the output directory.

The tables are compressed because of their readers, too: pybids, and with it fitlins, takes every ``_timeseries.tsv``
below the output directory for regressors of the run, wherever it lies.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..bold.parcellation import Parcellation
from ..bold.units import BASELINE, UNITS_PER_Z
from .atomic import atomic_path, remove_leftovers, write_json, writing
from .completeness import RunHashes, are_whole, matching
from .names import OutputNames, sidecar
from .sidecars import SYNTHETIC, RunFacts

FOLDER = "parcels"
SAMPLES = "Samples"
SEED = "RandomSeed"
PARCELLATION = "Parcellation"
_OF_IMAGES = ("SkullStripped", "Resolution", "SpatialReference", "ClippedVoxels", "ParcellationNote")
_SCALING = ("Baseline", "UnitsPerStandardDeviation", "Statement")


@dataclass(frozen=True)
class ParcelNames:
    """Names of the parcel tables of one recording on one grid.

    Attributes
    ----------
    names
        Those of the recording's other outputs.
    label
        The value of ``seg-``.
    """

    names: OutputNames
    label: str

    @property
    def root(self) -> Path:
        """Root of the dataset of parcels."""
        return self.names.output_dir / FOLDER

    @property
    def mean(self) -> Path:
        """The series; its sidecar marks the tables complete."""
        return self._table("stat-mean")

    @property
    def std(self) -> Path:
        """Predictive sd of every volume."""
        return self._table("stat-std")

    @property
    def samples(self) -> Path:
        """Draws from the predictive distribution; only when asked for."""
        return self._table("desc-samples")

    @property
    def required(self) -> tuple[Path, ...]:
        """What complete parcels have; the sidecar that is written last comes last."""
        return (self.std, sidecar(self.std), self.mean, sidecar(self.mean))

    @property
    def with_samples(self) -> tuple[Path, ...]:
        """What they have in addition when draws were asked for."""
        return (self.samples, sidecar(self.samples))

    def _table(self, ending: str) -> Path:
        names = self.names
        folder = self.root / names.func_dir.relative_to(names.output_dir)
        return folder / f"{names.stem}_{names.space_entities}_seg-{self.label}_{ending}_timeseries.tsv.gz"


@dataclass(frozen=True)
class ParcelRequest:
    """What was asked for.

    Attributes
    ----------
    parcellation
        The parcels.
    n_samples, seed
        Number of draws, and what decides them.
    """

    parcellation: Parcellation
    n_samples: int = 0
    seed: int = 0


def parcels_are_done(names: OutputNames, hashes: RunHashes, request: ParcelRequest) -> bool:
    """Whether the tables are there, whole, and of the present input, model, settings, parcels and draws."""
    paths = ParcelNames(names, request.parcellation.label)
    written = matching(sidecar(paths.mean), hashes)
    if written is None or not are_whole(paths.required):
        return False
    parcellation = written.get(PARCELLATION)
    if not isinstance(parcellation, dict) or parcellation.get("SHA256") != request.parcellation.sha256:
        return False
    if request.n_samples == 0:
        return True
    drawn = (written.get(SAMPLES), written.get(SEED))
    return drawn == (request.n_samples, request.seed) and are_whole(paths.with_samples)


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
