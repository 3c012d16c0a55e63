"""The ``group`` level: every recording's metrics in one table and one page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

from ..bids.bids_name import parse_name
from ..bids.filter_file import same_run
from ..derivatives.atomic import sweep, write_json, write_text
from ..derivatives.parcel_names import FOLDER
from ..errors import BadDataError, Eeg2fmriError, NothingSelectedError
from ..report.group_page import render_group_page
from ..report.group_search import search_section
from ..report.group_section import GroupSection
from ..report.group_table import GroupRow, column_definitions, table_text
from ..settings import Settings

_STEM = "group_eeg2fmri"
_BOLD_END, _PARCELS_END = "_desc-preproc_bold.json", "_stat-mean_timeseries.json"

logger = logging.getLogger(__name__)


def run_group(settings: Settings, command: str) -> int:
    """Gather the metrics of the selected recordings under the output directory.

    Writes ``group_eeg2fmri.tsv``, ``group_eeg2fmri.json`` (every column defined) and ``group.html``.

    Parameters
    ----------
    settings
        Output directory and selection of participants, sessions, tasks and runs.
    command
        The command line, for the page.

    Returns
    -------
    int
        0, or the exit code of the first sidecar that could not be used; the other recordings are in the table.

    Raises
    ------
    NothingSelectedError
        No synthetic recording is selected.
    WriteError, OutputError
        An output could not be written.
    Eeg2fmriError
        A classification or a comparison that was asked for cannot be made; the table and the page are there.
    """
    rows: list[GroupRow] = []
    failures: list[Eeg2fmriError] = []
    sidecars = _selected_sidecars(settings)
    for sidecar in sidecars:
        try:
            row = _read_row(sidecar)
        except Eeg2fmriError as error:
            logger.error("%s", error)
            failures.append(error)
        else:
            rows += [row] if row.sidecar.get("Synthetic") is True else []
    if not rows:
        raise failures[0] if failures else _nothing(settings)
    _warn_about_absent(settings, rows)
    sweep(settings.output_dir)
    write_text(settings.output_dir / f"{_STEM}.tsv", table_text(rows))
    write_json(settings.output_dir / f"{_STEM}.json", column_definitions(rows))
    page = settings.output_dir / "group.html"
    sections, refused = _sections(settings, sidecars)
    messages = [_relative(failure, settings.output_dir) for failure in (*failures, *refused)]
    write_text(page, render_group_page(rows, messages, command, settings.output_dir, sections))
    logger.info("group: %d recordings, report in %s", len(rows), page)
    if refused:
        raise refused[0]
    return failures[0].exit_code if failures else 0


def _sections(settings: Settings, sidecars: list[Path]) -> tuple[list[GroupSection], list[Eeg2fmriError]]:
    """What was asked for besides the metrics, and why some of it cannot be had."""
    asked: list[Callable[[Settings, list[Path]], GroupSection]] = []
    if settings.classify is not None:
        from .classify import classify_people

        asked.append(classify_people)
    if settings.contrast is not None:
        from .contrast import compare_people

        asked.append(compare_people)
    searched = search_section(Path(settings.model))
    sections = [] if searched is None else [searched]
    refused: list[Eeg2fmriError] = []
    for make in asked:
        try:
            sections.append(make(settings, [path for path in sidecars if path.name.endswith(_BOLD_END)]))
        except Eeg2fmriError as error:
            refused.append(error)
    return sections, refused


def _selected_sidecars(settings: Settings) -> list[Path]:
    """Sidecars of the recordings that pass the filters, sorted by name: of the BOLD, else of one table of parcels."""
    found: dict[str, Path] = {}
    for root, ending in ((settings.output_dir, _BOLD_END), (settings.output_dir / FOLDER, _PARCELS_END)):
        paths = [path for folder in ("sub-*/func", "sub-*/ses-*/func") for path in root.glob(f"{folder}/sub-*{ending}")]
        for path in sorted(paths, key=lambda path: path.name):
            recording = path.name.removesuffix(ending).partition("_seg-")[0]
            found.setdefault(recording, path)
    return sorted((path for path in found.values() if _is_selected(path, settings)), key=lambda path: path.name)


def _is_selected(sidecar: Path, settings: Settings) -> bool:
    name = parse_name(sidecar.name)
    if name is None:
        return False
    entities, run = name.entities, name.entities.get("run")
    return (
        (not settings.participant_label or entities.get("sub") in settings.participant_label)
        and entities.get("sub") not in settings.exclude_participant_label
        and (not settings.session_label or entities.get("ses") in settings.session_label)
        and (not settings.task_id or entities.get("task") in settings.task_id)
        and (not settings.run_id or (run is not None and any(same_run(run, wanted) for wanted in settings.run_id)))
    )


def _read_row(sidecar: Path) -> GroupRow:
    name = parse_name(sidecar.name)
    try:
        content = json.loads(sidecar.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise _unusable(sidecar, f"cannot be read as JSON ({error})") from error
    if name is None or not isinstance(content, dict) or not isinstance(content.get("Metrics", {}), dict):
        raise _unusable(sidecar, "is not the sidecar of a synthetic recording")
    return GroupRow(sidecar.name.partition("_space-")[0], name.entities, content)


def _unusable(sidecar: Path, reason: str) -> BadDataError:
    return BadDataError(f"the sidecar {reason}.", path=sidecar, remedy="Run this recording again with --overwrite.")


def _nothing(settings: Settings) -> NothingSelectedError:
    return NothingSelectedError(
        "no synthetic recording passes the filters.",
        path=settings.output_dir,
        remedy="Run the participant level into this folder first, or widen the selection.",
    )


def _warn_about_absent(settings: Settings, rows: list[GroupRow]) -> None:
    present = {row.entities["sub"] for row in rows}
    for label in settings.participant_label:
        if label not in present and label not in settings.exclude_participant_label:
            logger.warning("participant %s has no synthetic recording that passes the filters.", label)


def _relative(failure: Eeg2fmriError, output_dir: Path) -> str:
    """The message with its path relative to the output directory: the page may be copied elsewhere."""
    return str(failure).replace(f"{output_dir}/", "")
