"""How much of a recording's outputs is there."""

from __future__ import annotations

from typing import NamedTuple

from ..bids.recording_file import RecordingFile
from ..derivatives.completeness import (
    RunHashes,
    State,
    are_whole,
    input_hash,
    is_explained,
    matching,
    state,
)
from ..derivatives.names import OutputNames, output_names, sidecar
from ..derivatives.parcels import ParcelNames, ParcelRequest, parcels_are_done
from ..settings import Settings
from .model import Model
from .parcels import requested_parcels
from .recording_job import hashes_of
from .scanner_bold import look_for_scanner


class GridState(NamedTuple):
    """What is there of a recording on one grid.

    Attributes
    ----------
    volumes
        Whether what the volumes are needed for is there: images, unless only parcels were asked for, and tables.
    parcels
        Whether the parcels asked for are there, with their draws.
    """

    volumes: State
    parcels: bool


def recording_state(file: RecordingFile, settings: Settings, model: Model) -> State:
    """Whether everything asked for is complete on every grid, out of date or in part, or absent."""
    request = requested_parcels(settings)
    grids = [(space, output_names(settings.output_dir, file, grid)) for space, grid in model.grids]
    if not any(_is_begun(names, request) for _, names in grids):
        # Nothing is there: the input need not be read to say so.
        return "new"
    digest, found = input_hash(file), look_for_scanner(file, settings)
    states = {
        grid_state(names, hashes_of(digest, settings, space, model, found), settings, request) for space, names in grids
    }
    return "done" if states == {GridState("done", True)} else "stale"


def grid_state(names: OutputNames, hashes: RunHashes, settings: Settings, request: ParcelRequest | None) -> GridState:
    """What is there of a recording on one grid.

    Images of an earlier run make a recording complete, too, for which only parcels are asked for.
    """
    volumes = state(names, hashes, settings.explain)
    parcels = request is None or parcels_are_done(names, hashes, request)
    if volumes != "done" and settings.parcels_only and request is not None and parcels:
        written = matching(sidecar(ParcelNames(names, request.parcellation.label).mean), hashes) or {}
        if are_whole(names.without_images) and is_explained(written, names, settings.explain):
            volumes = "done"
    return GridState(volumes, parcels)


def _is_begun(names: OutputNames, request: ParcelRequest | None) -> bool:
    parcels = request is not None and sidecar(ParcelNames(names, request.parcellation.label).mean).exists()
    return parcels or sidecar(names.bold).exists()
