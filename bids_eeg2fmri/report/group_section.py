"""A part of the group page, from whoever has something to show there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from .figure_sources import data_uri
from .style import report_style, svg_bytes

FIGURES_TEMPLATE = "section_figures.html.j2"


@dataclass(frozen=True)
class GroupSection:
    """A section of the group page.

    Attributes
    ----------
    title
        Its heading.
    html_template
        File name of a template of ``assets/report``; it finds ``content`` as ``data``. :data:`FIGURES_TEMPLATE` shows
        ``caption``, ``warning`` (or ``None``), ``figures`` (from :func:`group_figure`) and ``table`` (``None``, or
        ``columns`` and ``rows`` of texts).
    content
        What the template needs.
    """

    title: str
    html_template: str
    content: Mapping[str, Any]


def group_figure(figure: Figure, title: str, description: str) -> dict[str, str]:
    """A figure as the group page holds it: inside the page, with its text alternative.

    Parameters
    ----------
    figure
        Any figure.
    title, description
        Title of the picture, and what it shows with the numbers.
    """
    with report_style():
        svg = svg_bytes(figure, title, description)
    return {"address": data_uri(svg, ".svg"), "description": description}


def figures_section(
    title: str,
    caption: str,
    figures: list[dict[str, str]],
    *,
    warning: str | None = None,
    table: Mapping[str, Any] | None = None,
) -> GroupSection:
    """A section of figures and, below them, a table.

    Parameters
    ----------
    title, caption
        Heading, and how to read the section.
    figures
        From :func:`group_figure`.
    warning
        What the reader must know first.
    table
        ``columns``, a list of texts, and ``rows``, a list of lists of texts.
    """
    content = {"caption": caption, "figures": figures, "warning": warning, "table": table}
    return GroupSection(title, FIGURES_TEMPLATE, content)
