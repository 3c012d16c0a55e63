"""The files that belong to the output dataset as a whole."""

from __future__ import annotations

from pathlib import Path

from ..derivatives import dataset
from ..derivatives.one_model import claim_for_one_model
from ..derivatives.parcels_dataset import write_parcels_dataset
from ..report import person
from ..settings import Settings
from .model import Model, load_model
from .parcel_request import requested_parcels


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
    request = requested_parcels(settings)
    if request is not None:
        write_parcels_dataset(
            settings.output_dir, settings.bids_dir, settings.derivatives, model.provenance, request.parcellation
        )


def write_citation(settings: Settings) -> None:
    """Write the methods text alone."""
    dataset.write_citation(settings.output_dir, settings.bids_dir, load_model(settings).provenance)


def write_person_report(subject: str, settings: Settings, run_id: str) -> Path:
    """Assemble the report of one person from the figures on disk, with the crash files of this run alone."""
    return person.write_person_report(settings.output_dir, subject, run_id, embed=settings.embed_report)
