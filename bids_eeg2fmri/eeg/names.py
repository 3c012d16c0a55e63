"""Find the electrode that a channel name means, where that is unambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .standard_montage import standard_positions

Kind = Literal["electrode", "reference", "reference pair", "bipolar", "other"]

REFERENCES = frozenset(
    [
        "a1",
        "a2",
        "a1a2",
        "a12",
        "aa",
        "m1",
        "m2",
        "m1m2",
        "lm",
        "rm",
        "le",
        "re",
        "lea",
        "rea",
        "ler",
        "ref",
        "reference",
        "avg",
        "av",
        "ar",
        "car",
        "ave",
        "average",
        "gnd",
        "ground",
        "nose",
        "mastoid",
        "mastoids",
        "linked",
        "link",
        "ears",
    ]
)
_PREFIX = re.compile(r"^(eeg|pol)(?=[\s_:\-]|$)[\s_:\-]*", re.IGNORECASE)
# Files that hold one name twice come out of the readers with a running number.
_RUNNING_NUMBER = re.compile(r"-\d+$")
_COMMON_REFERENCE_CHANNELS = 8
_CELL = re.compile(r"[A-H]\d{1,2}")
_FIRST_CELLS = frozenset(["A3", "A4", "B1", "B2"])


@dataclass(frozen=True)
class ChannelName:
    """What a channel name says.

    Attributes
    ----------
    original
        The name in the file.
    name
        The normalised name: that of the 10-05 system where it is one, else the original, stripped.
    kind
        What the channel is, judged by its name alone.
    """

    original: str
    name: str
    kind: Kind


def parse_names(originals: Sequence[str]) -> list[ChannelName]:
    """Normalise the channel names of a file.

    Prefixes (``EEG Fp1``), trailing dots (``Fp1.``), case (``FP1``) and named references (``Fp1-A1``, ``Fp1-REF``)
    are taken away when a 10-05 electrode remains; everything else keeps its name. A second electrode
    (``F3-C3``) makes a bipolar channel, unless all such channels of the file share it: then it is their reference.

    Parameters
    ----------
    originals
        Channel names as they stand in the file, in its order.
    """
    cells = biosemi_cells(originals)
    pairs = [_split(name) for name in originals]
    seconds = Counter(second for first, second in pairs if _electrode(first) and _electrode(second))
    common = next(iter(seconds)) if len(seconds) == 1 and seconds.total() >= _COMMON_REFERENCE_CHANNELS else ""
    return [_judge(name, *pair, common, cells) for name, pair in zip(originals, pairs, strict=True)]


def biosemi_cells(names: Iterable[str]) -> frozenset[str]:
    """Names that are cells of a BioSemi cap of 128 or more electrodes, where A1 is no ear and C3 not the motor cortex.

    Parameters
    ----------
    names
        All names of a cap: one alone may be a cell or an electrode of the 10-05 system.
    """
    stripped = frozenset(" ".join(name.split()) for name in names)
    cells = frozenset(name for name in stripped if _CELL.fullmatch(name))
    return cells if cells >= _FIRST_CELLS else frozenset()


def _split(original: str) -> tuple[str, str]:
    text = _PREFIX.sub("", original.strip()).strip(" .")
    text = _RUNNING_NUMBER.sub("", text)
    first, _, second = text.partition("-")
    return first.strip(" ."), second.strip(" .")


def _judge(original: str, first: str, second: str, common: str, cells: frozenset[str]) -> ChannelName:
    stripped = " ".join(original.split())
    electrode = _electrode(first)
    if stripped in cells:
        return ChannelName(original, stripped, "other")
    if electrode and (not second or second.lower() in REFERENCES or second == common):
        return ChannelName(original, electrode, "electrode")
    if electrode and _electrode(second):
        return ChannelName(original, f"{electrode}-{_electrode(second)}", "bipolar")
    if first.lower() in REFERENCES:
        kind: Kind = "reference pair" if second.lower() in REFERENCES and first != second else "reference"
        return ChannelName(original, f"{first}-{second}" if second else first, kind)
    return ChannelName(original, stripped, "other")


def _electrode(text: str) -> str:
    return _electrodes().get(text.lower(), "")


@lru_cache(maxsize=1)
def _electrodes() -> dict[str, str]:
    positions = standard_positions("standard_1005")
    return {name.lower(): name for name in positions if name.lower() not in REFERENCES}
