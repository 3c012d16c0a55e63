"""The files that belong to the output dataset as a whole."""

from __future__ import annotations

from pathlib import Path

from ..bids.recording_file import RecordingFile
from ..bold.grid import make_grid
from ..derivatives import dataset
from ..derivatives.names import output_names
from ..derivatives.one_model import claim_for_one_model
from ..report import person
from ..settings import Settings
from .model import Model, load_model


def check_output_model(settings: Settings, model: Model) -> None:
    """Refuse an output directory that another model wrote into.

    Raises
    ------
    UsageError
        It holds the outputs of another model.
    """
    claim_for_one_model(settings.output_dir, model.provenance)


def write_dataset_files(settings: Settings, model: Model) -> None:
    """Write ``dataset_description.json``, ``README.md``, ``logs/CITATION.md`` and their like."""
    dataset.write_dataset_files(settings.output_dir, settings.bids_dir, settings.derivatives, model.provenance)


def write_citation(settings: Settings) -> None:
    """Write the methods text alone."""
    dataset.write_citation(settings.output_dir, settings.bids_dir, load_model(settings).provenance)


def planned_outputs(file: RecordingFile, settings: Settings) -> tuple[Path, ...]:
    """Images, tables and sidecars that a recording will have."""
    grids = (make_grid(space) for space in settings.output_spaces)
    return tuple(path for grid in grids for path in output_names(settings.output_dir, file, grid).required)


def write_person_report(subject: str, settings: Settings, run_id: str) -> Path:
    """Assemble the report of one person from the figures on disk, with the crash files of this run alone."""
    return person.write_person_report(settings.output_dir, subject, run_id)
