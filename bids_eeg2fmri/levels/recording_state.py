"""How much of a recording's outputs is there."""

from __future__ import annotations

from typing import NamedTuple

from ..bids.recording_file import RecordingFile
from ..derivatives.completeness import (
    RunHashes,
    State,
    are_whole,
    config_hash,
    input_hash,
    is_explained,
    matching,
    state,
)
from ..derivatives.names import OutputNames, output_names, sidecar
from ..derivatives.parcel_names import ParcelNames, ParcelRequest, parcels_are_done
from ..settings import OutputSpace, Settings
from .parcel_request import requested_parcels
from .scanner_file import Found, look_for_scanner


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


def recording_state(file: RecordingFile, settings: Settings, model_sha256: str, *, read_input: bool = True) -> State:
    """Whether everything asked for is complete on every grid, out of date or in part, or absent.

    Parameters
    ----------
    file, settings
        The recording, and what was asked for.
    model_sha256
        Digest of the model's weights.
    read_input
        Whether the signals are read to see if they are the ones that the outputs were made from.
    """
    request = requested_parcels(settings)
    grids = [(space, output_names(settings.output_dir, file, space)) for space in settings.output_spaces]
    if not any(_is_begun(names, request) for _, names in grids):
        # Nothing is there: the input need not be read to say so.
        return "new"
    digest, found = input_hash(file) if read_input else None, look_for_scanner(file, settings)
    states = {
        grid_state(names, hashes_of(digest, settings, space, model_sha256, found), settings, request)
        for space, names in grids
    }
    return "done" if states == {GridState("done", True)} else "stale"


def hashes_of(
    input_digest: str | None, settings: Settings, space: OutputSpace, model_sha256: str, found: Found
) -> RunHashes:
    """What a recording's outputs on one grid depend on."""
    return RunHashes(input=input_digest, model=model_sha256, config=config_hash(settings, space, found.file))


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
