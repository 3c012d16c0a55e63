"""What a panel is: a declared piece of a recording's report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from .run import RunReport


@dataclass(frozen=True)
class Drawing:
    """A figure and what is said of it.

    Attributes
    ----------
    figure
        The figure.
    description
        What it shows in one or two sentences with the numbers (its text alternative).
    data
        Numbers that the group page takes from the recording's summary, as JSON can hold them.
    """

    figure: Figure
    description: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Declared:
    """What every panel declares.

    Attributes
    ----------
    section
        Heading under which the panel stands.
    panel_id
        Value of the ``desc`` entity of its file.
    title
        Heading of the panel.
    question
        The question that it answers, in one sentence.
    caption
        How to read it.
    bad
        What a bad picture looks like, in one sentence.
    only_with
        Tells whether a recording has the panel; ``None``: every recording.
    """

    section: str
    panel_id: str
    title: str
    question: str
    caption: str
    bad: str
    only_with: Callable[[RunReport], bool] | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class FigurePanel(_Declared):
    """A panel that is a figure.

    Attributes
    ----------
    section, panel_id, title, question, caption, bad, only_with
        As every panel's.
    draw
        Makes the figure of a recording.
    """

    draw: Callable[[RunReport], Drawing]


@dataclass(frozen=True)
class TextPanel(_Declared):
    """A panel that is text or a table, from a template named ``panel_<panel_id>.html.j2``.

    Attributes
    ----------
    section, panel_id, title, question, caption, bad, only_with
        As every panel's.
    collect
        Takes what the template needs out of a recording and the output directory, as JSON can hold it.
    """

    collect: Callable[[RunReport, Path], dict[str, Any]]


@dataclass(frozen=True)
class Interactive:
    """What a panel needs that the page's script brings to life.

    Attributes
    ----------
    data
        Numbers and texts for the template, as JSON can hold them.
    png
        A picture that the script shows parts of.
    """

    data: Mapping[str, Any]
    png: bytes


@dataclass(frozen=True)
class InteractivePanel(_Declared):
    """A panel with controls, from a template named ``panel_<panel_id>.html.j2``.

    Attributes
    ----------
    section, panel_id, title, question, caption, bad, only_with
        As every panel's.
    make
        Makes data and picture of a recording.
    """

    make: Callable[[RunReport], Interactive]


Panel = FigurePanel | TextPanel | InteractivePanel


def has(panel: Panel, run: RunReport) -> bool:
    """Whether a recording has a panel."""
    return panel.only_with is None or panel.only_with(run)
