"""The page of one person, assembled from what lies on disk."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from ..derivatives.atomic import write_text
from ..errors import BadDataError
from .pages import render_page
from .panel import FigurePanel, Panel
from .panels import PANELS
from .panels.errors import collect_errors
from .panels.outputs import with_late_files
from .reportlets import SUMMARY_END, figure_name, figures_folder

_ALWAYS_THERE = {panel.panel_id for panel in PANELS if not panel.needs_comparison}


def write_person_report(output_dir: Path, subject: str, run_id: str | None = None) -> Path:
    """Assemble ``sub-<label>.html`` from the figures of all recordings of a person.

    Nothing is computed: it can be called again at any time, and after recordings were added.

    Parameters
    ----------
    output_dir
        Root of the derivatives.
    subject
        Label without ``sub-``.
    run_id
        Show the crash files of this run of the program only (``logs/<run_id>``); ``None``: of all runs.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BadDataError
        A summary of a recording cannot be read.
    WriteError, OutputError
        The page could not be written.
    """
    summaries = sorted((output_dir / figures_folder(f"sub-{subject}")).glob(f"sub-{subject}_*{SUMMARY_END}"))
    runs = [_run_content(output_dir, _read_summary(path)) for path in summaries]
    page = output_dir / f"sub-{subject}.html"
    html = render_page(
        "person.html.j2",
        subject=subject,
        runs=runs,
        simulated=any(run["simulated"] for run in runs),
        crashes=collect_errors(output_dir, subject, run_id),
        citation=_citation(output_dir),
    )
    write_text(page, html)
    return page


def _citation(output_dir: Path) -> str | None:
    path = output_dir / "logs" / "CITATION.md"
    return path.read_text("utf-8", errors="replace") if path.is_file() else None


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_text("utf-8"))
        known = {"stem", "panels"} <= set(summary) and set(summary["panels"]) >= _ALWAYS_THERE
    except (ValueError, TypeError) as error:
        raise _unusable(path, f"it is not readable as JSON ({error})") from error
    if not known:
        raise _unusable(path, "panels are missing from it")
    return dict(summary)


def _unusable(path: Path, reason: str) -> BadDataError:
    return BadDataError(
        f"the report's summary of a recording cannot be used: {reason}.",
        path=path,
        remedy="Run this recording again with --overwrite.",
    )


def _run_content(output_dir: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """A recording as the template takes it: its sections, each with its panels and their data."""
    stem = summary["stem"]
    data = summary["panels"]
    data["outputs"] = with_late_files(data["outputs"], output_dir)
    contents = [
        (panel.section, _panel_content(panel, stem, data[panel.panel_id], output_dir))
        for panel in PANELS
        if panel.panel_id in data
    ]
    sections = [
        {"name": section, "panels": [content for _, content in members]}
        for section, members in groupby(contents, key=lambda content: content[0])
    ]
    return {"stem": stem, "name": _readable(stem), "sections": sections, "simulated": data["banner"]["simulated"]}


def _panel_content(panel: Panel, stem: str, data: dict[str, Any], output_dir: Path) -> dict[str, Any]:
    content = {"panel_id": panel.panel_id, "title": panel.title, "caption": panel.caption, "data": data}
    if isinstance(panel, FigurePanel):
        figure = figures_folder(stem) / figure_name(stem, panel.panel_id)
        return content | {"figure": figure.as_posix(), "is_there": (output_dir / figure).is_file()}
    return content | {"template": f"panel_{panel.panel_id}.html.j2"}


def _readable(stem: str) -> str:
    """Entities that tell a person's recordings apart: session, task, acquisition, run."""
    told = [entity for entity in stem.split("_") if entity.split("-")[0] in ("ses", "task", "acq", "run")]
    return " ".join(told) or stem
