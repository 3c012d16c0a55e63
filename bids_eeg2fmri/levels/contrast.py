"""``group --contrast``: people's maps compared over a column of ``participants.tsv``."""

from __future__ import annotations

import logging
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from jaxtyping import Float
from nibabel.filebasedimages import ImageFileError
from nilearn.glm import threshold_stats_img
from nilearn.reporting import get_clusters_table

from ..bids.bids_name import parse_name
from ..derivatives.contrast import ContrastNames, write_contrast_texts, write_statistic
from ..eeg.tables import read_tsv
from ..errors import BadDataError, MissingInputError, UsageError
from ..evaluation.second_level import Design, SecondLevel, fit_second_level, is_known, make_design
from ..report.group_contrast import ContrastResult, contrast_section
from ..report.group_section import GroupSection
from ..settings import Settings
from .contrast_maps import PersonMaps, person_maps

FALSE_DISCOVERY_RATE, CLUSTER_VOXELS = 0.05, 10
# Those of nilearn's table.
_CLUSTER_COLUMNS = ("Cluster ID", "X", "Y", "Z", "Peak Stat", "Cluster Size (mm3)")

logger = logging.getLogger(__name__)


def compare_people(settings: Settings, sidecars: Sequence[Path]) -> GroupSection:
    """Compare people's maps, write what comes out, and return it for the group page.

    Parameters
    ----------
    settings
        The column, whether people weigh by their uncertainty, and where everything lies.
    sidecars
        BOLD sidecars of the selected recordings.

    Raises
    ------
    UsageError, BadDataError, MissingInputError
        The table, its column or the recordings do not permit it.
    WriteError, OutputError
        A map could not be written.
    """
    column = str(settings.contrast)
    values = _values(settings.bids_dir / "participants.tsv", column)
    space, by_person = _recordings(sidecars)
    known = [person for person in sorted(by_person) if is_known(values.get(person, ""))]
    for person in sorted(set(by_person) - set(known)):
        logger.warning("--contrast: sub-%s has no %s in participants.tsv and is left out.", person, column)
    make_design([values[person] for person in known], column)
    people = {person: _maps_of(by_person[person]) for person in known}
    mask = _common_mask(people)
    results, question, n_people = [], "", 0
    for measure in _measures(people):
        having = [person for person in known if measure in people[person].maps]
        design = make_design([values[person] for person in having], column)
        chosen = [people[person] for person in having]
        fitted = fit_second_level([person.image(measure) for person in chosen], mask, design, _own_sd(settings, chosen))
        names = ContrastNames(settings.output_dir, column, measure, space)
        results.append(_write(names, fitted, mask, design, having, settings))
        question, n_people = design.question, max(n_people, len(having))
    weighted = settings.contrast_weights == "uncertainty"
    logger.info("--contrast %s: %s, %d people, %d maps", column, question, n_people, len(results))
    return contrast_section(column, question, n_people, weighted, CLUSTER_VOXELS, results)


def _maps_of(sidecars: Sequence[Path]) -> PersonMaps:
    """A person's maps.

    Raises
    ------
    BadDataError
        An image or a sidecar is damaged.
    """
    try:
        return person_maps(sidecars)
    except (ImageFileError, OSError, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise BadDataError(
            f"--contrast: an image or sidecar of the recording cannot be used ({type(error).__name__}: {error}).",
            path=sidecars[0],
            remedy="Run this recording again with --overwrite.",
        ) from error


def _values(table: Path, column: str) -> dict[str, str]:
    """The column's cell of every person."""
    rows = read_tsv(table, ("participant_id",))
    if rows and column not in rows[0]:
        raise UsageError(
            f"--contrast: participants.tsv has no column {column!r}.",
            path=table,
            remedy=f"Its columns: {', '.join(name for name in rows[0] if name != 'participant_id')}.",
        )
    return {row["participant_id"].removeprefix("sub-"): row[column] for row in rows}


def _recordings(sidecars: Sequence[Path]) -> tuple[str, dict[str, list[Path]]]:
    """Sidecars with an image by person, on the grid that most have; its entities come first."""
    found: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    tasks = set()
    for path in sidecars:
        name = parse_name(path.name)
        if name is not None and path.with_name(path.name.removesuffix(".json") + ".nii.gz").is_file():
            space = "_".join(f"{key}-{name.entities[key]}" for key in ("space", "res") if key in name.entities)
            found[space].append((name.entities["sub"], path))
            tasks.add(name.entities.get("task", ""))
    if not found:
        raise MissingInputError(
            "--contrast: there are no synthetic BOLD images to compare.",
            remedy="Run the participant level without --parcels-only first.",
        )
    if len(tasks) > 1:
        logger.warning("--contrast: maps are averaged over the tasks %s; choose with --task-id.", ", ".join(tasks))
    space = Counter({space: len(paths) for space, paths in sorted(found.items())}).most_common(1)[0][0]
    by_person: dict[str, list[Path]] = defaultdict(list)
    for person, path in found[space]:
        by_person[person].append(path)
    return space, dict(by_person)


def _common_mask(people: dict[str, PersonMaps]) -> nib.Nifti1Image:
    first, *others = people.values()
    if any(person.mask.shape != first.mask.shape or (person.mask != first.mask).any() for person in others):
        raise BadDataError(
            "--contrast: the recordings do not lie on one grid.", remedy="Compare recordings of one --reference-image."
        )
    return nib.Nifti1Image(first.mask.astype(np.uint8), first.affine)


def _measures(people: dict[str, PersonMaps]) -> list[str]:
    """What everybody has; other maps are named and left out."""
    names = {name for person in people.values() for name in person.maps}
    shared = sorted(name for name in names if all(name in person.maps for person in people.values()))
    for name in sorted(names.difference(shared)):
        logger.warning("--contrast: not everybody has the map %s; it is left out.", name)
    return shared


def _own_sd(settings: Settings, people: Sequence[PersonMaps]) -> Float[np.ndarray, " people"] | None:
    if settings.contrast_weights == "none":
        return None
    return np.array([person.own_sd for person in people])


def _write(
    names: ContrastNames,
    fitted: SecondLevel,
    mask: nib.Nifti1Image,
    design: Design,
    people: Sequence[str],
    settings: Settings,
) -> ContrastResult:
    thresholded, threshold = threshold_stats_img(
        fitted.z,
        mask_img=mask,
        alpha=FALSE_DISCOVERY_RATE,
        height_control="fdr",
        cluster_threshold=CLUSTER_VOXELS,
        two_sided=design.statistic == "t",
    )
    clusters = pd.DataFrame(columns=_CLUSTER_COLUMNS)
    if np.isfinite(threshold) and np.any(thresholded.get_fdata()):
        clusters = get_clusters_table(
            fitted.z, threshold, cluster_threshold=CLUSTER_VOXELS, two_sided=design.statistic == "t"
        )
    threshold = float(threshold) if len(clusters) else float("inf")
    images = {"z": fitted.z, "p": fitted.p, "zThresholded": thresholded}
    for statistic, image in (images | ({} if fitted.effect is None else {"effect": fitted.effect})).items():
        write_statistic(names.image(statistic), image)
    write_contrast_texts(names, clusters, _description(names, fitted, design, people, threshold, settings))
    return ContrastResult(names.measure, fitted.z, threshold, clusters)


def _description(
    names: ContrastNames,
    fitted: SecondLevel,
    design: Design,
    people: Sequence[str],
    threshold: float,
    settings: Settings,
) -> dict[str, Any]:
    return {
        "Description": f"People compared by {names.column}: {design.question}; maps of synthetic BOLD predicted from "
        "EEG, not of measurements",
        "Synthetic": True,
        "Measure": names.measure,
        "Statistic": design.statistic,
        "People": [f"sub-{person}" for person in people],
        "Design": {column: design.matrix[column].tolist() for column in design.matrix},
        "Weighting": settings.contrast_weights,
        "Weights": fitted.weights,
        "BetweenPeopleSd": fitted.between_sd,
        "FalseDiscoveryRate": FALSE_DISCOVERY_RATE,
        "ClusterVoxels": CLUSTER_VOXELS,
        "Threshold": threshold if np.isfinite(threshold) else None,
    }
