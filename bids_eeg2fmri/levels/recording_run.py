"""The story of one recording: read, project, synthesise, write, look."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from ..bids.recording_file import RecordingFile
from ..derivatives.names import sidecar
from ..derivatives.sidecars import RunFacts
from ..report.late_outputs import list_late_outputs
from ..settings import Settings
from ..synthesis.start import Maps
from .model import Model
from .parcel_request import requested_parcels
from .parcels import write_parcel_series
from .recording_job import Job, read_job
from .recording_state import grid_state
from .recording_volumes import write_grid


@dataclass(frozen=True)
class RecordingResult:
    """What a finished recording leaves for the summary.

    Attributes
    ----------
    label
        Entities of the recording.
    outputs
        Files written.
    warnings
        What the reader should know.
    seconds
        Wall time.
    """

    label: str
    outputs: tuple[Path, ...]
    warnings: tuple[str, ...]
    seconds: float


def run_recording(
    file: RecordingFile, settings: Settings, model: Model, logger: logging.Logger, command: str
) -> RecordingResult:
    """Make every output of one recording that is not there.

    Where only parcels are missing, only they are made.

    Raises
    ------
    Eeg2fmriError
        The recording cannot be used, or an output cannot be written.
    """
    job = read_job(file, settings, model, logger, command)
    outputs: list[Path] = []
    for index, ((space, grid), maps) in enumerate(zip(model.grids, model.maps, strict=True)):
        outputs += _write_missing(job, job.facts(space, grid), maps, primary=index == 0)
    logger.info("%s: %s", file.label, ", ".join(f"{stage} {spent:.1f} s" for stage, spent in job.clock.seconds.items()))
    return RecordingResult(file.label, tuple(outputs), job.recording.warnings, job.clock.total)


def _write_missing(job: Job, facts: RunFacts, maps: Maps, *, primary: bool) -> list[Path]:
    request = requested_parcels(job.settings)
    there = grid_state(facts.names, facts.hashes, job.settings, request)
    if there.volumes != "done" or job.settings.overwrite:
        return write_grid(job, facts, maps, primary=primary)
    if there.parcels or request is None:
        return []
    with job.clock("parcels"):
        description = json.loads(sidecar(facts.names.bold).read_text(encoding="utf-8"))
        tables = write_parcel_series(facts, request, job.synthesis(maps), description)
        tables.complete()
        list_late_outputs(facts.names.stem, facts.names.output_dir, tables.paths)
    return list(tables.paths)
