"""Electrode positions from ``electrodes.tsv`` and ``coordsystem.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..bids.content import read_json_object
from ..errors import BadDataError
from .head_frame import Position, RawPositions
from .tables import number, read_tsv

# Orientations of the coordinate systems that BIDS names for EEG and MEG (its appendix "Coordinate systems").
_ORIENTATION = {"captrak": "RAS", "elektaneuromag": "RAS", "eeglab": "ALS", "eeglab-hj": "ALS", "ctf": "ALS"}
# In any unit that heads are measured in.
_FARTHEST = 1e6
_LANDMARKS = {
    "nas": "nasion",
    "nasion": "nasion",
    "nz": "nasion",
    "lpa": "lpa",
    "lhj": "lpa",
    "rpa": "rpa",
    "rhj": "rpa",
}


def read_electrodes(electrodes_tsv: Path, coordsystem_json: Path | None) -> RawPositions:
    """Positions, landmarks, unit and orientation as the two files give them.

    Parameters
    ----------
    electrodes_tsv
        Table with the columns ``name``, ``x``, ``y`` and ``z``; rows without coordinates are passed over.
    coordsystem_json
        Its coordinate system; without it the unit is guessed and the positions are fitted by name.

    Raises
    ------
    BadDataError
        When one of the files is broken: a montage that somebody measured is not silently replaced.
    """
    positions: dict[str, Position] = {}
    for row in read_tsv(electrodes_tsv, required=("name", "x", "y", "z")):
        xyz = [number(row[axis]) for axis in "xyz"]
        if any(value is None or abs(value) > _FARTHEST for value in xyz) or not any(xyz):
            continue
        if row["name"] in positions:
            raise BadDataError(
                f"The table names the electrode {row['name']} twice.",
                path=electrodes_tsv,
                remedy="Give each electrode one row.",
            )
        positions[row["name"]] = np.array(xyz, dtype=float)
    system = {} if coordsystem_json is None else read_json_object(coordsystem_json)
    unit = _text(system, "EEGCoordinateUnits")
    in_table = {_LANDMARKS[name.lower()]: positions.pop(name) for name in list(positions) if name.lower() in _LANDMARKS}
    landmarks = _landmarks(system, unit) or in_table
    return RawPositions(
        positions,
        landmarks if len(landmarks) == 3 else {},
        unit,
        _ORIENTATION.get(_text(system, "EEGCoordinateSystem"), ""),
    )


def _landmarks(system: Mapping[str, Any], unit: str) -> dict[str, Position]:
    """Anatomical landmarks, when they are given in the coordinates of the electrodes."""
    for stem in ("AnatomicalLandmark", "Fiducials"):
        given = system.get(f"{stem}Coordinates")
        same_system = _text(system, f"{stem}CoordinateSystem") in (_text(system, "EEGCoordinateSystem"), "")
        same_unit = _text(system, f"{stem}CoordinateUnits") in (unit, "")
        if not isinstance(given, Mapping) or not (same_system and same_unit):
            continue
        found = {}
        for name, xyz in given.items():
            point = [number(str(value)) for value in xyz] if isinstance(xyz, list) else []
            if name.lower() in _LANDMARKS and len(point) == 3 and None not in point:
                found[_LANDMARKS[name.lower()]] = np.array(point, dtype=float)
        if len(found) == 3:
            return found
    return {}


def _text(system: Mapping[str, Any], field: str) -> str:
    value = system.get(field, "")
    return value.strip().lower() if isinstance(value, str) and value.lower() != "n/a" else ""
