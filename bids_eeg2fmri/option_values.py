"""Option values from text, with a message that says what is expected."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from .settings import RESOLUTIONS, SPACE, OutputSpace

_MEMORY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:([KMGT])(i?)B?|B)", re.IGNORECASE | re.ASCII)
_LABEL = re.compile(r"[^\W_]+")


def memory_bytes(text: str) -> int:
    """Bytes of a size such as ``16G``, ``16GB``, ``4.5G``, ``16000M`` or ``16GiB``.

    ``G`` and ``GB`` are powers of 1000, ``GiB`` of 1024: never more than was meant.
    """
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        raise ArgumentTypeError(f"{text!r} is not a size with a unit; write for example 16G, 4.5GB or 16000M")
    number, prefix, binary = match.groups()
    exponent = 0 if prefix is None else "KMGT".index(prefix.upper()) + 1
    size = float(number) * (1024 if binary else 1000) ** exponent
    if not 1 <= size < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no memory at all, or more than there is")
    return int(size)


def label(entity: str) -> Callable[[str], str]:
    """A converter that strips ``entity-`` and checks that the rest is a BIDS label."""

    def convert(text: str) -> str:
        value = text.removeprefix(f"{entity}-")
        if not _LABEL.fullmatch(value):
            raise ArgumentTypeError(f"{text!r} is not a BIDS label: letters and digits only, such as {entity}-01")
        return value

    return convert


def derivative(text: str) -> tuple[str, Path]:
    """Name and folder of ``NAME=DIR`` or ``DIR``, which is named after the folder."""
    name, equals, folder = text.partition("=")
    if not equals or "/" in name:
        return Path(text).absolute().name, Path(text)
    if not name or not folder:
        raise ArgumentTypeError(f"{text!r} is not NAME=DIR")
    return name, Path(folder)


def output_space(text: str) -> OutputSpace:
    """An output grid from ``SPACE[:res-R]``."""
    known = f"known: {', '.join(f'{SPACE}:res-{resolution}' for resolution in RESOLUTIONS)}"
    space, *modifiers = text.split(":")
    if space != SPACE:
        raise ArgumentTypeError(f"unknown output space {text!r}; {known}")
    if not modifiers:
        return OutputSpace()
    resolution = modifiers[0].removeprefix("res-")
    if len(modifiers) > 1 or modifiers[0] == resolution or resolution not in RESOLUTIONS:
        raise ArgumentTypeError(f"unknown resolution in {text!r}; {known}")
    return OutputSpace(resolution=resolution)


def number_above_zero(text: str) -> float:
    """A finite number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return number


def whole_number(text: str) -> int:
    """A whole number, zero or above."""
    number = _decimal(text)
    if number is None:
        raise ArgumentTypeError(f"{text!r} is not a whole number below 2^32")
    return number


def whole_number_above_zero(text: str) -> int:
    """A whole number, one or above."""
    number = _decimal(text)
    if not number:
        raise ArgumentTypeError(f"{text!r} is not a whole number above zero (and below 2^32)")
    return number


def folds(text: str) -> int | Literal["loso"]:
    """The number of parts of a cross-validation, or ``loso``: leave one person out."""
    if text == "loso":
        return "loso"
    number = _decimal(text)
    if number is None or number < 2:
        raise ArgumentTypeError(f"{text!r} is neither loso nor a whole number of at least 2")
    return number


def _decimal(text: str) -> int | None:
    """The number that decimal digits spell, if it is one of 32 bits (what seeds of random numbers may be)."""
    number = int(text) if text.isdecimal() and len(text) <= 10 else None
    return number if number is not None and number < 2**32 else None
