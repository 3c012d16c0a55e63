"""Place the electrodes of a recording on the head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np

from ..errors import BadDataError
from .electrodes_file import read_electrodes
from .head_frame import HeadPositions, Position, RawPositions, to_head_frame
from .names import ChannelName, biosemi_cells
from .standard_montage import standard_positions, suggest_montages

MIN_ELECTRODES = 8
DEFAULT_MONTAGE = "standard_1005"
_COINCIDENT_M = 1e-3


@dataclass(frozen=True)
class Placement:
    """Where the electrodes are.

    Attributes
    ----------
    positions_m
        Position by normalised channel name, metres, head frame.
    source
        ``"electrodes.tsv"``, ``"file"`` or the name of a standard montage.
    warnings
        What a user should know.
    """

    positions_m: Mapping[str, Position]
    source: str
    warnings: tuple[str, ...]


def place_electrodes(
    channels: Sequence[ChannelName],
    raw: mne.io.BaseRaw,
    *,
    path: Path,
    electrodes_tsv: Path | None = None,
    coordsystem_json: Path | None = None,
    montage: str | None = None,
) -> Placement:
    """Find positions: the user's montage, else ``electrodes.tsv``, else the file, else the standard montage by name.

    One source serves all electrodes; it is passed over, with a warning, when it places fewer than 8.

    Parameters
    ----------
    channels
        The electrodes of the file.
    raw
        The opened file.
    path
        The file, for the messages.
    electrodes_tsv, coordsystem_json
        The measured montage, if there is one.
    montage
        A standard montage asked for by the user, which then is the only source.

    Raises
    ------
    UsageError
        When the montage asked for does not exist.
    BadDataError
        When a file of positions is broken, or no source places 8 electrodes.
    """
    sources: list[tuple[str, Callable[[], HeadPositions]]] = []
    if montage is None and electrodes_tsv is not None:
        table = read_electrodes(electrodes_tsv, coordsystem_json)
        sources.append(("electrodes.tsv", lambda: to_head_frame(_renamed(table, channels), "electrodes.tsv")))
    if montage is None and raw.get_montage() is not None:
        sources.append(("file", lambda: to_head_frame(_renamed(_in_file(raw), channels), "The signal file")))
    name = montage or DEFAULT_MONTAGE
    sources.append((name, lambda: _by_name(channels, name)))

    warnings: list[str] = []
    placed: dict[str, Position] = {}
    for source, positions in sources:
        head = positions()
        warnings += head.warnings
        placed = _place(channels, head.positions_m)
        if len(placed) >= MIN_ELECTRODES:
            return Placement(placed, source, tuple(warnings))
        if source != name and not head.warnings:
            warnings.append(f"Positions from {source} place only {len(placed)} electrodes and are not used.")
    raise _unplaced(channels, placed, path)


def _place(channels: Sequence[ChannelName], positions: Mapping[str, Position]) -> dict[str, Position]:
    """Positions of the channels, without those that sit on an electrode that is already placed."""
    by_name = {name.lower(): xyz for name, xyz in positions.items()}
    placed: dict[str, Position] = {}
    for channel in channels:
        xyz = by_name.get(channel.name.lower())
        taken = np.array(list(placed.values())).reshape(-1, 3)
        if xyz is not None and not (np.linalg.norm(taken - xyz, axis=1) < _COINCIDENT_M).any():
            placed[channel.name] = np.asarray(xyz, dtype=float)
    return placed


def _by_name(channels: Sequence[ChannelName], montage: str) -> HeadPositions:
    """Positions of a standard montage; cells of a BioSemi cap have theirs in a montage of such cells only."""
    positions = standard_positions(montage)
    strange = biosemi_cells(channel.name for channel in channels)
    if biosemi_cells(positions):
        strange = frozenset()
    return HeadPositions({name: xyz for name, xyz in positions.items() if name not in strange})


def _renamed(raw: RawPositions, channels: Sequence[ChannelName]) -> RawPositions:
    """Positions under the normalised names of the channels; others, such as a reference, are not ours to place."""
    given = {name.lower(): xyz for name, xyz in raw.electrodes.items()}
    electrodes = {}
    for channel in channels:
        xyz = given.get(channel.original.strip().lower(), given.get(channel.name.lower()))
        if xyz is not None:
            electrodes[channel.name] = xyz
    return RawPositions(electrodes, raw.landmarks, raw.unit, raw.orientation)


def _in_file(raw: mne.io.BaseRaw) -> RawPositions:
    given = raw.get_montage().get_positions()
    landmarks = {name: given[name] for name in ("nasion", "lpa", "rpa") if given[name] is not None}
    electrodes = {name: xyz for name, xyz in given["ch_pos"].items() if np.isfinite(xyz).all() and np.any(xyz)}
    orientation = "RAS" if given["coord_frame"] == "head" else ""
    return RawPositions(electrodes, landmarks if len(landmarks) == 3 else {}, "m", orientation)


def _unplaced(channels: Sequence[ChannelName], placed: Mapping[str, Position], path: Path) -> BadDataError:
    names = [channel.name for channel in channels if channel.name not in placed]
    suggestions = suggest_montages(names)
    if not names:
        remedy = "Check the types of the others, in channels.tsv or in the file, and their names."
    elif suggestions:
        known = ", ".join(suggestions)
        remedy = f"Name the cap with --montage (these know the names: {known}) or add an electrodes.tsv."
    else:
        remedy = "Add an electrodes.tsv and a coordsystem.json, or name the cap with --montage."
    return BadDataError(
        f"Only {len(placed)} electrodes can be placed on the head, {MIN_ELECTRODES} are needed; "
        f"not placed: {', '.join(names) or 'none, the file has no more EEG channels'}.",
        path=path,
        remedy=remedy,
    )
