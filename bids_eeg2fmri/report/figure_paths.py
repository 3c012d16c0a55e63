"""Where a recording's figures and their summary lie, relative to the output directory."""

from __future__ import annotations

from pathlib import Path

SUMMARY_END = "_desc-summary_bold.json"


def figures_folder(stem: str) -> Path:
    """Folder of a recording's figures."""
    return Path(stem.split("_")[0]) / "figures"


def summary_path(stem: str) -> Path:
    """A recording's summary: text panels, text alternatives of the figures, and numbers for the group page."""
    return figures_folder(stem) / f"{stem}{SUMMARY_END}"
