"""Bring electrode positions of any unit, orientation and origin into the head frame.

The head frame is that of MNE-Python (Neuromag): x runs through both preauricular points to the right, y through
the nasion to the front, z upwards; metres. Positions with anatomical landmarks are carried over rigidly. Positions
without them, and idealised ones (all on one sphere), are fitted onto the standard montage by electrode name, with the
similarity transform that is closest in least squares (Umeyama 1991, doi 10.1109/34.88573).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import mne
import numpy as np
from jaxtyping import Float

from .names import biosemi_cells
from .standard_montage import standard_positions

Position = Float[np.ndarray, " 3"]

_MIN_SHARED = 8
_MOST_OF_A_CAP = 0.5
_MAX_MISFIT_M = 0.02
# Heads differ from the template's by up to 2 cm, caps slip by as much again.
_MAX_OFF_M = 0.04
_SPHERE_SPREAD = 0.01
_CAP_RADIUS_M = (0.045, 0.15)
_UNITS_M = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
_ALS_TO_RAS = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class RawPositions:
    """Electrode positions as a file gives them.

    Attributes
    ----------
    electrodes
        Finite positions by name.
    landmarks
        ``nasion``, ``lpa`` and ``rpa`` in the same coordinates, or nothing.
    unit
        ``m``, ``cm``, ``mm``, or anything else where the file does not say.
    orientation
        ``RAS``, ``ALS``, or ``""`` where the file does not say.
    """

    electrodes: Mapping[str, Position]
    landmarks: Mapping[str, Position] = field(default_factory=dict)
    unit: str = "m"
    orientation: str = ""


@dataclass(frozen=True)
class HeadPositions:
    """Positions in metres, head frame, and what a user should know; no positions where that cannot be done."""

    positions_m: Mapping[str, Position]
    warnings: tuple[str, ...] = ()


def to_head_frame(raw: RawPositions, source: str) -> HeadPositions:
    """Bring positions into the head frame.

    Parameters
    ----------
    raw
        Positions as read.
    source
        Where they come from, for the warnings.
    """
    names = list(raw.electrodes)
    points = np.array([raw.electrodes[name] for name in names]).reshape(-1, 3)
    if len(points) < _MIN_SHARED:
        return HeadPositions({}, (f"{source} places only {len(points)} electrodes.",))
    scale, warnings = _scale(points, raw.unit, source)
    points = points * scale
    template = {name.lower(): xyz for name, xyz in standard_positions("standard_1005").items()}
    cells = biosemi_cells(names)
    shared = [i for i, name in enumerate(names) if name.lower() in template and name not in cells]
    target = np.array([template[names[i].lower()] for i in shared]).reshape(-1, 3)
    # Names of a few electrodes may mean others than those of the standard montage.
    comparable = len(shared) >= max(_MIN_SHARED, _MOST_OF_A_CAP * len(names))
    found = "gives no usable landmarks"
    if raw.landmarks and not (comparable and _idealised(points)):
        moved = _by_landmarks(points, {name: xyz * scale for name, xyz in raw.landmarks.items()})
        # No number where the landmarks span no frame.
        off_m = float(np.linalg.norm(moved[shared] - target, axis=1).mean() if comparable else 0 * moved.sum())
        if off_m <= _MAX_OFF_M:
            return HeadPositions(dict(zip(names, moved, strict=True)), warnings)
        if np.isfinite(off_m):
            found = f"has landmarks that put its electrodes {100 * off_m:.1f} cm from where their names lie on an adult"
    turned = points @ _ALS_TO_RAS.T if raw.orientation == "ALS" else points
    if len(shared) >= _MIN_SHARED:
        moved, misfit_m = _fit_similarity(turned, turned[shared], target, shared)
        if misfit_m <= _MAX_MISFIT_M:
            note = f"{source} {found}: its positions are fitted to the standard montage by name."
            return HeadPositions(dict(zip(names, moved, strict=True)), (*warnings, note))
        note = (
            f"{source} contradicts the electrode names (mean distance {1e3 * misfit_m:.0f} mm after the best fit) "
            "and is not used."
        )
        return HeadPositions({}, (*warnings, note))
    if raw.orientation:
        note = f"{source} gives no landmarks: its positions are taken as they are, as head coordinates."
        return HeadPositions(dict(zip(names, turned, strict=True)), (*warnings, note))
    return HeadPositions({}, (*warnings, f"{source} says neither landmarks nor orientation and is not used."))


def _by_landmarks(
    points: Float[np.ndarray, "electrodes 3"], landmarks: Mapping[str, Position]
) -> Float[np.ndarray, "electrodes 3"]:
    # Landmarks that coincide, or lie on a line, span no frame: the result holds no numbers.
    with np.errstate(all="ignore"):
        to_head = mne.transforms.get_ras_to_neuromag_trans(landmarks["nasion"], landmarks["lpa"], landmarks["rpa"])
        return mne.transforms.apply_trans(to_head, points)


def _scale(points: Float[np.ndarray, "electrodes 3"], unit: str, source: str) -> tuple[float, tuple[str, ...]]:
    """Metres per unit, corrected where the cap would not fit a human head."""
    radius = float(np.median(np.linalg.norm(points - points.mean(axis=0), axis=1)))
    declared = _UNITS_M.get(unit)
    if declared is not None and _CAP_RADIUS_M[0] <= declared * radius <= _CAP_RADIUS_M[1]:
        return declared, ()
    fitting = [name for name, s in _UNITS_M.items() if _CAP_RADIUS_M[0] <= s * radius <= _CAP_RADIUS_M[1]]
    scale = _UNITS_M[fitting[0]] if fitting else 0.08 / max(radius, 1e-12)
    if declared is None and fitting:
        return scale, ()
    taken = f"taken to be in {fitting[0]}" if fitting else "scaled to a head of 8 cm"
    return scale, (f"The positions of {source} in {unit or 'an unknown unit'} fit no human head and are {taken}.",)


def _idealised(points: Float[np.ndarray, "electrodes 3"]) -> bool:
    """Whether all electrodes lie on one sphere: then they were drawn, not measured, and so were the landmarks."""
    # |p - c| = r is linear in the centre: |p|^2 = 2 p.c + (r^2 - |c|^2).
    design = np.column_stack([2.0 * points, np.ones(len(points))])
    centre = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0][:3]
    radii = np.linalg.norm(points - centre, axis=1)
    return float(radii.std()) < _SPHERE_SPREAD * float(radii.mean())


def _fit_similarity(
    points: Float[np.ndarray, "electrodes 3"],
    moving: Float[np.ndarray, "shared 3"],
    target: Float[np.ndarray, "shared 3"],
    shared: list[int],
) -> tuple[Float[np.ndarray, "electrodes 3"], float]:
    centre, target_centre = moving.mean(axis=0), target.mean(axis=0)
    u, singular, vt = np.linalg.svd((target - target_centre).T @ (moving - centre))
    # A mirror image is no rotation: it must show up as a misfit.
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(signs) @ vt
    # Electrodes all in one place have no extent to scale: their misfit tells.
    scale = float(singular @ signs) / max(float(((moving - centre) ** 2).sum()), 1e-12)
    moved = scale * (points - centre) @ rotation.T + target_centre
    return moved, float(np.linalg.norm(moved[shared] - target, axis=1).mean())
