"""The outputs that a run is going to write."""

from __future__ import annotations

from pathlib import Path

from ..bids.recording_file import RecordingFile
from ..derivatives.names import output_names
from ..derivatives.parcel_names import ParcelNames
from ..settings import Settings
from .parcel_request import requested_parcels


def planned_outputs(file: RecordingFile, settings: Settings) -> tuple[Path, ...]:
    """Images, tables and sidecars that a recording will have."""
    request = requested_parcels(settings)
    paths: list[Path] = []
    for space in settings.output_spaces:
        names = output_names(settings.output_dir, file, space)
        paths += names.without_images if settings.parcels_only else names.required
        if request is not None:
            parcels = ParcelNames(names, request.parcellation.label)
            paths += (*parcels.required, *(parcels.with_samples if request.n_samples else ()))
    return tuple(paths)
