"""The figures of one recording, and what is needed to assemble its page again without computing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..derivatives.atomic import write_bytes, write_json, writing
from .figure_paths import figures_folder, summary_path
from .panel import FigurePanel, InteractivePanel, Panel, TextPanel, has
from .panels import PANELS
from .run import RunReport
from .style import report_style, svg_bytes


def write_reportlets(run: RunReport, output_dir: Path) -> tuple[Path, ...]:
    """Draw every panel of a recording into ``sub-<label>/figures``.

    Parameters
    ----------
    run
        The recording's material.
    output_dir
        Root of the derivatives.

    Returns
    -------
    tuple of Path
        Files written, relative to ``output_dir``: one file per figure, and last the JSON that holds the text
        panels, the text alternatives of the figures and the numbers that the group page takes.

    Raises
    ------
    WriteError, OutputError
        A file could not be written.
    """
    folder = figures_folder(run.stem)
    written: list[Path] = []
    panels: dict[str, Any] = {}
    for panel in PANELS:
        path = folder / file_name(run.stem, panel)
        if not has(panel, run):
            _remove(output_dir / path)
        elif isinstance(panel, TextPanel):
            panels[panel.panel_id] = panel.collect(run, output_dir)
        else:
            content, panels[panel.panel_id] = _make(panel, run)
            write_bytes(output_dir / path, content)
            written.append(path)
    summary = summary_path(run.stem)
    write_json(output_dir / summary, {"stem": run.stem, "panels": panels})
    return (*written, summary)


def _make(panel: FigurePanel | InteractivePanel, run: RunReport) -> tuple[bytes, dict[str, Any]]:
    """A panel's file, and what the summary keeps of it."""
    if isinstance(panel, InteractivePanel):
        made = panel.make(run)
        return made.png, dict(made.data)
    with report_style():
        drawing = panel.draw(run)
        svg = svg_bytes(drawing.figure, f"{panel.title}: {run.stem}", drawing.description)
    return svg, {"description": drawing.description, **drawing.data}


def _remove(figure: Path) -> None:
    """Remove the figure that an earlier run, which had more to show, may have left."""
    with writing(figure):
        figure.unlink(missing_ok=True)


def file_name(stem: str, panel: Panel) -> str:
    """File name of a panel's figure."""
    ending = "png" if isinstance(panel, InteractivePanel) else "svg"
    return f"{stem}_desc-{panel.panel_id}_bold.{ending}"
