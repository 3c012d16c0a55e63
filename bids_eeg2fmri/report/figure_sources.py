"""Where a page takes its figures from: files beside it, or itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_MIME_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
# A page that embeds its figures stays below 15 MB with its own text.
MOST_EMBEDDED_BYTES = 14_000_000


@dataclass(frozen=True)
class FigureSource:
    """A figure as the page names it.

    Attributes
    ----------
    address
        Relative link, or a data URI.
    link
        Relative link of a figure that is not in the page.
    """

    address: str
    link: str | None


class FigureSources:
    """Hands out the sources of figures, and embeds as many as may be.

    Parameters
    ----------
    output_dir
        Root of the derivatives, where the page lies.
    most_bytes
        Of all data URIs together; 0 for a page that embeds nothing.
    """

    def __init__(self, output_dir: Path, most_bytes: int) -> None:
        self.output_dir = output_dir
        self.n_linked = 0
        self._left_bytes = most_bytes

    def source(self, figure: Path) -> FigureSource | None:
        """The source of a figure, relative to the output directory; ``None`` when it is not on disk."""
        path = self.output_dir / figure
        if not path.is_file():
            return None
        if path.stat().st_size * 4 // 3 < self._left_bytes:
            address = data_uri(path.read_bytes(), path.suffix)
            self._left_bytes -= len(address)
            return FigureSource(address, None)
        self.n_linked += 1
        link = "./" + quote(figure.as_posix(), safe="/-_.")
        return FigureSource(link, link)


def data_uri(content: bytes, suffix: str) -> str:
    """A picture as an address that holds it; ``suffix`` is ``.svg`` or ``.png``."""
    return f"data:{_MIME_TYPES[suffix]};base64,{base64.b64encode(content).decode('ascii')}"
