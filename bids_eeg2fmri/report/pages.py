"""HTML pages from the package's templates: one file each, no script, nothing fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import __version__


def render_page(template: str, **content: Any) -> str:
    """A page from ``assets/report``; every value is escaped.

    Parameters
    ----------
    template
        File name of the template.
    **content
        What the template speaks of; version and time of making are added.
    """
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return _environment().get_template(template).render(version=__version__, made=made, **content)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bids_eeg2fmri", "assets/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["filesize"] = _file_size
    environment.filters["link"] = lambda path: quote(str(path), safe="/-_.")
    return environment


def _file_size(n_bytes: int | None) -> str:
    if n_bytes is None:
        return "not there"
    if n_bytes < 1000:
        return f"{n_bytes} B"
    if n_bytes < 1_000_000:
        return f"{n_bytes / 1000:.1f} kB"
    return f"{n_bytes / 1_000_000:.1f} MB"
