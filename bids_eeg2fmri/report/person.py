"""The page of one person, assembled from what lies on disk."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from ..derivatives.atomic import write_text
from ..errors import BadDataError
from .figure_paths import SUMMARY_END, figures_folder
from .figure_sources import MOST_EMBEDDED_BYTES, FigureSources
from .pages import render_page
from .panel import FigurePanel, Panel, TextPanel
from .panels import PANELS
from .panels.errors import collect_errors
from .panels.outputs import with_late_files
from .reportlets import file_name

_ALWAYS_THERE = {panel.panel_id for panel in PANELS if panel.only_with is None}


def write_person_report(output_dir: Path, subject: str, run_id: str | None = None, *, embed: bool = False) -> Path:
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
    embed
        Put the figures into the page, as far as it stays below 15 MB; the others stay linked.

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
    sources = FigureSources(output_dir, MOST_EMBEDDED_BYTES if embed else 0)
    runs = [_run_content(sources, _read_summary(path)) for path in summaries]
    page = output_dir / f"sub-{subject}.html"
    html = render_page(
        "person.html.j2",
        subject=subject,
        runs=runs,
        simulated=any(run["simulated"] for run in runs),
        crashes=collect_errors(output_dir, subject, run_id),
        citation=_citation(output_dir),
        not_embedded=sources.n_linked if embed else 0,
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


def _run_content(sources: FigureSources, summary: dict[str, Any]) -> dict[str, Any]:
    """A recording as the template takes it: its sections, each with its panels and their data."""
    stem = summary["stem"]
    data = summary["panels"]
    data["outputs"] = with_late_files(data["outputs"], sources.output_dir)
    contents = [
        (panel.section, _panel_content(panel, stem, data[panel.panel_id], sources))
        for panel in PANELS
        if panel.panel_id in data
    ]
    sections = [
        {"name": section, "panels": [content for _, content in members]}
        for section, members in groupby(contents, key=lambda content: content[0])
    ]
    return {"stem": stem, "name": _readable(stem), "sections": sections, "simulated": data["banner"]["simulated"]}


def _panel_content(panel: Panel, stem: str, data: dict[str, Any], sources: FigureSources) -> dict[str, Any]:
    declared = {name: getattr(panel, name) for name in ("panel_id", "title", "question", "caption", "bad")}
    content = {**declared, "data": data, "template": f"panel_{panel.panel_id}.html.j2"}
    if isinstance(panel, TextPanel):
        return content
    path = figures_folder(stem) / file_name(stem, panel)
    if isinstance(panel, FigurePanel):
        content["template"] = "figure.html.j2"
    return content | {"source": sources.source(path)}


def _readable(stem: str) -> str:
    """Entities that tell a person's recordings apart: session, task, acquisition, run."""
    told = [entity for entity in stem.split("_") if entity.split("-")[0] in ("ses", "task", "acq", "run")]
    return " ".join(told) or stem
