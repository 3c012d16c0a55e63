"""One thing is computed while the one before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

_Dispatched = TypeVar("_Dispatched")


def one_ahead(computed: Iterable[_Dispatched]) -> Iterator[_Dispatched]:
    """The same, each given out when the next one is already being computed; no more than these two are held."""
    last: list[_Dispatched] = []
    for present in computed:
        yield from last
        last = [present]
    yield from last
