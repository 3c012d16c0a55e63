"""``group --classify``: classes told apart through the synthesised view, with tables, maps and a report."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..bids.content import read_json_object
from ..bold.grid import Grid, make_grid
from ..classification.analysis import Classification, classify
from ..classification.tables import (
    pattern_definitions,
    pattern_table,
    predictions_definitions,
    predictions_table,
    scores_definitions,
    scores_table,
)
from ..classification.view import View, coarsest, read_view
from ..classification.view_features import AMPLITUDE, RESPONSE
from ..derivatives.classification import map_labels, remove_maps, table_path, write_parcel_map, write_table
from ..errors import Eeg2fmriError, MissingInputError
from ..report.group_classification import classification_section
from ..report.group_section import GroupSection
from ..settings import RESOLUTIONS, OutputSpace, Settings

logger = logging.getLogger(__name__)


def classify_people(settings: Settings, sidecars: Sequence[Path]) -> GroupSection:
    """Classify, write what comes out, and return it for the group page.

    Parameters
    ----------
    settings
        The column, the unit, folds, permutations, and where everything lies.
    sidecars
        BOLD sidecars of the selected recordings.

    Raises
    ------
    Eeg2fmriError
        There are no images or labels, not two classes of enough people, or a file could not be written.
    """
    views = _read_views(settings, sidecars)
    result = classify(views, settings, str(settings.classify))
    _write_tables(settings.output_dir, result)
    _write_maps(settings.output_dir, _grid(views), result)
    for scored in result.scored:
        logger.info(
            "classification of %s: %s on %s, balanced accuracy %.2f, AUC %.2f",
            result.column,
            scored.classifier,
            scored.features,
            scored.scores["balanced_accuracy"],
            scored.scores["auc"],
        )
    return classification_section(result)


def _read_views(settings: Settings, sidecars: Sequence[Path]) -> list[View]:
    """The recordings that can be read; as in the table of metrics, the others do not stop them."""
    images = [path for path in sidecars if path.with_name(path.name.removesuffix(".json") + ".nii.gz").is_file()]
    views, failures = [], []
    for path in coarsest(images):
        try:
            views += [read_view(path)] if read_json_object(path).get("Synthetic") is True else []
        except Eeg2fmriError as error:
            logger.error("--classify: %s", error)
            failures.append(error)
    if views:
        return views
    raise (
        failures[0]
        if failures
        else MissingInputError(
            "--classify: there are no synthetic BOLD images to classify.",
            path=settings.output_dir,
            remedy="Run the participant level without --parcels-only first.",
        )
    )


def _write_tables(output_dir: Path, result: Classification) -> None:
    write_table(table_path(output_dir), scores_table(result), scores_definitions(result))
    write_table(table_path(output_dir, "predictions"), predictions_table(result), predictions_definitions(result))
    write_table(table_path(output_dir, "pattern"), pattern_table(result), pattern_definitions(result))


def _write_maps(output_dir: Path, grid: Grid, result: Classification) -> None:
    """Maps of the decision's pattern and of the classes' means, of amplitude or of responses to events."""
    remove_maps(output_dir)
    pattern, names = result.pattern, result.problem.class_names
    labels = dict(zip(names, map_labels(names), strict=True))
    events = RESPONSE in pattern.blocks
    of_parcels = np.array(pattern.blocks) == (RESPONSE if events else AMPLITUDE)
    what = "response to events" if events else "amplitude (sd over time)"
    for name, values in zip(pattern.classes, pattern.correlation, strict=True):
        write_parcel_map(
            output_dir,
            grid,
            values[of_parcels],
            statistic="pattern",
            label=labels[name],
            description=f"Correlation over units of the {what} of synthetic BOLD with the decision for {name} of the "
            "linear classifier fitted to everybody (Haufe et al. 2014, doi 10.1016/j.neuroimage.2013.10.067)",
            units="1",
        )
    for name, values in zip(names, pattern.means, strict=True):
        write_parcel_map(
            output_dir,
            grid,
            values[of_parcels] if events else np.exp(values[of_parcels]),
            statistic="mean",
            label=labels[name],
            description=f"Mean over the people of {name}: {what} of synthetic BOLD, in standard deviations z",
            units="z",
        )


def _grid(views: Sequence[View]) -> Grid:
    """The coarsest named grid of the recordings, else that of 2 mm."""
    named = [view.resolution for view in views if view.resolution in RESOLUTIONS]
    return make_grid(OutputSpace(resolution=max(named, default="2")))
