"""Tables in Markdown, and numbers as they stand in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with its first column to the left and the others to the right.

    Floats get three significant digits; ``None`` leaves a cell empty.
    """
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, and without an exponent."""
    if value == 0:
        return "0"
    decimals = digits - 1 - floor(log10(abs(value)))
    return f"{round(value, decimals):.{max(decimals, 0)}f}"


def ratio(one: float, other: float) -> str:
    """How many times the other the one is."""
    return f"{one / other:.2f}x"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else str(value)
