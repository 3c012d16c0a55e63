"""The figures of one recording, and what is needed to assemble its page again without computing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..derivatives.atomic import write_bytes, write_json, writing
from .panel import FigurePanel
from .panels import PANELS
from .run import RunReport
from .style import report_style, svg_bytes

SUMMARY_END = "_desc-summary_bold.json"


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
        Files written, relative to ``output_dir``: one SVG per figure, and last the JSON that holds the text panels
        and the text alternatives of the figures.

    Raises
    ------
    WriteError, OutputError
        A file could not be written.
    """
    folder = figures_folder(run.stem)
    written: list[Path] = []
    panels: dict[str, Any] = {}
    for panel in PANELS:
        path = folder / figure_name(run.stem, panel.panel_id)
        if panel.needs_comparison and run.comparison is None:
            _remove(output_dir / path)
        elif isinstance(panel, FigurePanel):
            with report_style():
                drawing = panel.draw(run)
                svg = svg_bytes(drawing.figure, f"{panel.title}: {run.stem}", drawing.description)
            write_bytes(output_dir / path, svg)
            panels[panel.panel_id] = {"description": drawing.description}
            written.append(path)
        else:
            panels[panel.panel_id] = panel.collect(run, output_dir)
    summary = folder / f"{run.stem}{SUMMARY_END}"
    write_json(output_dir / summary, {"stem": run.stem, "panels": panels})
    return (*written, summary)


def _remove(figure: Path) -> None:
    """Remove the figure that an earlier run, which had more to show, may have left."""
    with writing(figure):
        figure.unlink(missing_ok=True)


def figures_folder(stem: str) -> Path:
    """Folder of a recording's figures, relative to the output directory."""
    return Path(stem.split("_")[0]) / "figures"


def figure_name(stem: str, panel_id: str) -> str:
    """File name of a panel's figure."""
    return f"{stem}_desc-{panel_id}_bold.svg"
