"""The synthesised view of a recording: its parcel series, read from the derivatives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from nibabel.affines import apply_affine
from scipy import sparse

from ..bids.bids_name import parse_name
from ..bids.content import read_json_object
from ..bold.atlas import load_atlas
from ..bold.units import BASELINE, UNITS_PER_Z
from ..bold.volume_stream import open_image, stream_voxels
from ..errors import BadDataError

BOLD_ENDING = "_desc-preproc_bold.json"
# The rest of the name is the same in the EEG dataset.
_RUN_ENTITIES = ("sub", "ses", "task", "acq", "run")

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """Synthetic BOLD of one recording.

    Attributes
    ----------
    path
        Sidecar of the image.
    entities
        Short entity names and values of the recording, without those of the output.
    resolution
        BIDS ``res-`` label of its grid, if it has one.
    tr_s, start_time_s
        Repetition time, and the instant within it that a volume stands for.
    first_volume_onset_s
        Onset of the first volume in EEG seconds.
    n_incomplete
        Volumes at the beginning that miss part of the EEG before them.
    assumed_clock
        Whether the volumes are not those of a scanner.
    series_z
        Parcel means in standard deviations, zero for a parcel without a voxel.
    """

    path: Path
    entities: Mapping[str, str]
    resolution: str | None
    tr_s: float
    start_time_s: float
    first_volume_onset_s: float
    n_incomplete: int
    assumed_clock: bool
    series_z: Float[np.ndarray, "volumes parcels"]

    @property
    def person(self) -> str:
        """Label of the person, with prefix."""
        return f"sub-{self.entities['sub']}"

    @property
    def key(self) -> Key:
        """What the recording shares with its files in the EEG dataset."""
        return recording_key(self.entities)

    @property
    def label(self) -> str:
        """Entities as they stand in names."""
        return "_".join(f"{name}-{value}" for name, value in self.key)

    @property
    def volume_times_s(self) -> Float[np.ndarray, " volumes"]:
        """Instant that every volume stands for, in seconds from the onset of the first."""
        return self.tr_s * np.arange(len(self.series_z)) + self.start_time_s

    @property
    def complete_z(self) -> Float[np.ndarray, "volumes parcels"]:
        """Series without the volumes that miss EEG before them."""
        return self.series_z[self.n_incomplete :]


def recording_key(entities: Mapping[str, str]) -> Key:
    """The entities that tell recordings of a dataset apart."""
    return tuple((name, entities[name]) for name in _RUN_ENTITIES if name in entities)


def coarsest(sidecars: Iterable[Path]) -> list[Path]:
    """One sidecar per recording, that of the coarsest grid: parcel means hardly differ between grids."""
    of_recording: dict[Key, list[tuple[str, Path]]] = defaultdict(list)
    for path in sidecars:
        name = parse_name(path.name)
        if name is not None:
            of_recording[recording_key(name.entities)].append((name.entities.get("res", ""), path))
    return [max(found)[1] for _, found in sorted(of_recording.items())]


def read_view(sidecar: Path) -> View:
    """Read the parcel series of one recording.

    Parameters
    ----------
    sidecar
        JSON file of the synthetic BOLD.

    Raises
    ------
    BadDataError, MissingInputError
        The image or its sidecar cannot be read.
    """
    content, name = read_json_object(sidecar), parse_name(sidecar.name)
    entities = {} if name is None else name.entities
    clock = _table(content, "VolumeClock")
    tr_s = content.get("RepetitionTime")
    if isinstance(tr_s, bool) or not isinstance(tr_s, int | float) or not tr_s > 0:
        raise BadDataError(
            "the sidecar states no repetition time.", path=sidecar, remedy="Run this recording again with --overwrite."
        )
    return View(
        path=sidecar,
        entities={key: value for key, value in entities.items() if key in _RUN_ENTITIES},
        resolution=entities.get("res"),
        tr_s=float(tr_s),
        start_time_s=float(content.get("StartTime", 0.0)),
        first_volume_onset_s=float(clock.get("FirstVolumeOnset", 0.0)),
        n_incomplete=int(_table(content, "IncompleteHistory").get("Volumes", 0)),
        assumed_clock=str(clock.get("Source", "assumed")).startswith("assumed"),
        series_z=_parcel_series(sidecar.with_name(sidecar.name.removesuffix(".json") + ".nii.gz")),
    )


def _parcel_series(path: Path) -> Float[np.ndarray, "volumes parcels"]:
    image = open_image(path)
    positions, averaging = _averaging(tuple(image.affine.ravel()), image.shape[:3])
    series = [averaging @ volume for volume in stream_voxels(image, path, positions)]
    values = (np.stack(series) - BASELINE) / UNITS_PER_Z
    return np.where(averaging.sum(axis=1) > 0, values, 0.0)


@lru_cache(maxsize=4)
def _averaging(affine: Sequence[float], shape: tuple[int, int, int]) -> tuple[np.ndarray, sparse.csr_array]:
    """Voxels (Fortran order) that lie in parcels, and the matrix that averages them."""
    indices = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape, order="F"), axis=1)
    coordinates = apply_affine(np.reshape(affine, (4, 4)), indices)
    inside = np.flatnonzero(load_atlas().labels_at(coordinates))
    return inside, load_atlas().averaging_matrix(coordinates[inside])


def _table(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}
