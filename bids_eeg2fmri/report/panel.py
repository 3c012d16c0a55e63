"""What a panel is: a declared piece of a recording's report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from .run import RunReport


@dataclass(frozen=True)
class Drawing:
    """A figure and, in one or two sentences with the numbers, what it shows (its text alternative)."""

    figure: Figure
    description: str


@dataclass(frozen=True)
class FigurePanel:
    """A panel that is a figure.

    Attributes
    ----------
    section
        Heading under which the panel stands.
    panel_id
        Value of the ``desc`` entity of its file.
    title
        Heading of the panel.
    caption
        How to read it.
    draw
        Makes the figure of a recording.
    needs_comparison
        Whether only recordings have the panel that were compared with a scanner's BOLD.
    """

    section: str
    panel_id: str
    title: str
    caption: str
    draw: Callable[[RunReport], Drawing]
    needs_comparison: bool = False


@dataclass(frozen=True)
class TextPanel:
    """A panel that is text or a table, from a template named ``panel_<panel_id>.html.j2``.

    Attributes
    ----------
    section, panel_id, title, caption, needs_comparison
        As in :class:`FigurePanel`.
    collect
        Takes what the template needs out of a recording and the output directory, as JSON can hold it.
    """

    section: str
    panel_id: str
    title: str
    caption: str
    collect: Callable[[RunReport, Path], dict[str, Any]]
    needs_comparison: bool = False


Panel = FigurePanel | TextPanel
