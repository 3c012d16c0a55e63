"""HTML pages from the package's templates.

One file each; a policy at the top lets the browser run the package's own script only, and fetch nothing but pictures
that lie beside the page.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

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
    environment = _environment()
    return environment.get_template(template).render(
        version=__version__, made=made, style=_inline("style.css"), script=_inline("viewer.js"), **content
    )


class Inline(NamedTuple):
    """A file that pages hold as it is.

    Attributes
    ----------
    text
        Its content.
    source
        Its digest, as a content security policy names it.
    """

    text: Markup
    source: str


@lru_cache(maxsize=2)
def _inline(name: str) -> Inline:
    text = (files("bids_eeg2fmri") / "assets" / "report" / name).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    # The package's own file: nothing in it comes from a recording.
    return Inline(Markup(text), f"sha256-{digest}")  # noqa: S704


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
