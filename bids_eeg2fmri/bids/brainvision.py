"""BrainVision headers as readers take them: blanks around the equals sign, and sections and names in any case."""

from __future__ import annotations

import re

from .bids_name import is_file_name

_FIELD = re.compile(r"^(\w+)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
_SECTION = re.compile(r"^\[([^\]\n]+)\].*$", re.MULTILINE)


def header_sections(text: str) -> dict[str, str]:
    """Content of the sections of a header, by their names in lower case; comments at its end are left out."""
    # Cleaned files repeat the header of the file that they come from as a comment.
    _, *parts = _SECTION.split(text.partition("\n[Comment]")[0])
    return {name.strip().lower(): content for name, content in zip(parts[::2], parts[1::2], strict=True)}


def header_fields(text: str) -> list[tuple[str, str]]:
    """Names, in lower case, and values of a header's fields, in their order, without the blanks around them."""
    return [(name.lower(), value.strip()) for name, value in _FIELD.findall(text)]


def file_beside(value: str, stem: str) -> str | None:
    """Name of the file that a header of this stem mentions; ``None`` where it does not lie beside the header."""
    name = value.replace("$b", stem).removeprefix("./")
    return name if is_file_name(name) else None
