"""The spherical head: electrodes of any cap and MNI sources in one frame, and the leadfield between them.

The frame is that of the template: RAS axes parallel to MNI's, origin at the centre of the sphere fitted to the
standard 10-05 electrodes. The head is a ball of 90 mm with four shells (brain, CSF, skull, scalp).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import mne
import numpy as np
from jaxtyping import Float

from ..errors import BadDataError

HEAD_RADIUS_M = 0.09
RELATIVE_RADII = (0.90, 0.92, 0.97, 1.0)
CONDUCTIVITIES_S_PER_M = (0.33, 1.0, 0.004, 0.33)

# Sources nearer than this to the skull are drawn in: the true head is no sphere, and a dipole in the
# CSF would be seen by one electrode alone.
DEEPEST_SKULL_FRACTION = 0.98

_MONTAGES = ("colin27_1005", "standard_1005")  # MNE renamed it in 1.13
_MIN_NAMES = 5
_WORST_FIT_M = 0.02
_PLAUSIBLE_RADIUS_M = (0.05, 0.14)
_HEAD_FRAME_CENTRE_M = (0.0, 0.0, 0.04)
_SERIES_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Template:
    """The 10-05 electrodes on the Colin27 head, in MNI-like coordinates, and their sphere.

    Attributes
    ----------
    positions_m
        Position of every electrode, by lower-case name.
    centre_m, radius_m
        Sphere fitted to all of them.
    head_to_mni
        Rotation from the head frame (nasion, LPA, RPA) to the MNI-like axes.
    head_origin_m
        Origin of the head frame in MNI-like coordinates.
    landmarks_m
        ``nasion``, ``lpa`` and ``rpa`` in the head frame.
    """

    positions_m: dict[str, Float[np.ndarray, " xyz"]]
    centre_m: Float[np.ndarray, " xyz"]
    radius_m: float
    head_to_mni: Float[np.ndarray, "3 3"]
    head_origin_m: Float[np.ndarray, " xyz"]
    landmarks_m: dict[str, Float[np.ndarray, " xyz"]]


@lru_cache(maxsize=1)
def load_template() -> Template:
    """The template electrodes: MNE's 10-05 montage, unscaled, whose coordinates are Colin27's."""
    known = mne.channels.get_builtin_montages()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        montage = mne.channels.make_standard_montage(next(n for n in _MONTAGES if n in known), head_size=None)
    placed = montage.get_positions()
    positions = {name.lower(): np.asarray(xyz, float) for name, xyz in placed["ch_pos"].items()}
    centre, radius = fit_sphere(np.stack(list(positions.values())))
    landmarks = {name: np.asarray(placed[name], float) for name in ("nasion", "lpa", "rpa")}
    nasion, lpa, rpa = landmarks.values()
    right = (rpa - lpa) / np.linalg.norm(rpa - lpa)
    origin = lpa + right * (right @ (nasion - lpa))
    front = (nasion - origin) / np.linalg.norm(nasion - origin)
    axes = np.stack([right, front, np.cross(right, front)], axis=1)
    in_head_frame = {name: (point - origin) @ axes for name, point in landmarks.items()}
    return Template(positions, centre, radius, axes, origin, in_head_frame)


def fit_sphere(points_m: Float[np.ndarray, "points 3"]) -> tuple[Float[np.ndarray, " xyz"], float]:
    """Centre and radius of the least-squares sphere through points."""
    design = np.column_stack([2 * points_m, np.ones(len(points_m))])
    solution = np.linalg.lstsq(design, (points_m**2).sum(1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(max(solution[3] + centre @ centre, 0.0)))


def template_directions(names: Sequence[str]) -> Float[np.ndarray, "channels 3"]:
    """Unit vectors of standard 10-05 electrodes from the template sphere's centre.

    Raises
    ------
    BadDataError
        A name is not in the 10-05 system.
    """
    template = load_template()
    return _unit(_template_points(names) - template.centre_m)


def template_positions_m(names: Sequence[str]) -> Float[np.ndarray, "channels 3"]:
    """Positions of standard 10-05 electrodes in metres in the head frame (RAS, from nasion, LPA and RPA).

    Raises
    ------
    BadDataError
        A name is not in the 10-05 system.
    """
    template = load_template()
    return (_template_points(names) - template.head_origin_m) @ template.head_to_mni


def sphere_directions(
    positions_m: Float[np.ndarray, "channels 3"], names: Sequence[str]
) -> Float[np.ndarray, "channels 3"]:
    """Unit vectors of a cap's electrodes in the template's frame.

    With at least five electrodes of the 10-05 system, the cap is moved, turned and scaled onto the same-named
    template electrodes (Umeyama's least-squares similarity) and looked at from the template sphere's centre, so
    that a standard cap lands exactly on the template whichever part of the head it covers. Otherwise a sphere is
    fitted to the electrodes and the head frame's axes are turned to the template's.

    Parameters
    ----------
    positions_m
        Electrode positions in metres, head frame (RAS).
    names
        Channel names.

    References
    ----------
    S. Umeyama, IEEE Trans. Pattern Anal. Mach. Intell. 13 (1991) 376-380.
    """
    template = load_template()
    positions_m = np.asarray(positions_m, float)
    known = [index for index, name in enumerate(names) if name.lower() in template.positions_m]
    if len(known) >= _MIN_NAMES:
        target = _template_points([names[index] for index in known])
        rotation, scale, shift = _similarity(positions_m[known], target)
        placed = scale * positions_m @ rotation.T + shift
        # Other systems use some of the same names for other places (BioSemi's A1, C3, ...): then nothing fits.
        if np.median(np.linalg.norm(placed[known] - target, axis=1)) <= _WORST_FIT_M:
            return _unit(placed - template.centre_m)
    centre, radius = fit_sphere(positions_m)
    if not _PLAUSIBLE_RADIUS_M[0] <= radius <= _PLAUSIBLE_RADIUS_M[1]:
        centre = np.asarray(_HEAD_FRAME_CENTRE_M)
    return _unit(positions_m - centre) @ template.head_to_mni.T


def sources_in_sphere(coordinates_mm: Float[np.ndarray, "sources 3"]) -> Float[np.ndarray, "sources 3"]:
    """MNI coordinates (mm) as positions (m) in the 90 mm ball.

    The template sphere's centre is subtracted and its radius scaled to 90 mm; what then lies beyond 0.98 of the
    brain shell's radius is drawn in along its ray, because the brain is no ball.
    """
    template = load_template()
    placed = (np.asarray(coordinates_mm, float) / 1000 - template.centre_m) * (HEAD_RADIUS_M / template.radius_m)
    limit = DEEPEST_SKULL_FRACTION * RELATIVE_RADII[0] * HEAD_RADIUS_M
    distance = np.linalg.norm(placed, axis=1, keepdims=True)
    return placed * np.minimum(1.0, limit / np.maximum(distance, 1e-12))


def leadfield(
    directions: Float[np.ndarray, "channels 3"],
    source_positions_m: Float[np.ndarray, "sources 3"],
    conductivities: Sequence[float] = CONDUCTIVITIES_S_PER_M,
    relative_radii: Sequence[float] = RELATIVE_RADII,
) -> Float[np.ndarray, "channels sources 3"]:
    """Scalp potentials of unit dipoles in concentric shells, summed as a Legendre series.

    Parameters
    ----------
    directions
        Unit vectors of the electrodes in the template's frame.
    source_positions_m
        Dipole positions from the sphere's centre, inside the innermost shell.
    conductivities
        S/m, from the innermost shell outwards.
    relative_radii
        Outer radius of each shell as a fraction of the head's 90 mm.

    Returns
    -------
    ndarray
        V per A m along the RAS axes; the potential's mean over the whole sphere is zero (no reference).

    Raises
    ------
    ValueError
        A source lies outside the innermost shell.

    References
    ----------
    Z. Zhang, Phys. Med. Biol. 40 (1995) 335-349.
    """
    positions = np.asarray(source_positions_m, float) / HEAD_RADIUS_M
    eccentricity = np.linalg.norm(positions, axis=1)
    if eccentricity.max() >= relative_radii[0]:
        raise ValueError("a source lies outside the innermost shell")
    radial = positions / np.maximum(eccentricity, 1e-12)[:, None]
    electrodes = np.asarray(directions, float)
    cosine = np.clip(electrodes @ radial.T, -1.0, 1.0)
    n_terms = int(np.ceil(np.log(_SERIES_TOLERANCE) / np.log(max(eccentricity.max(), 0.5))))
    gains = _shell_gains(n_terms, conductivities, relative_radii)

    along, across = np.zeros_like(cosine), np.zeros_like(cosine)
    previous, legendre = np.ones_like(cosine), cosine.copy()
    slope_previous, slope = np.zeros_like(cosine), np.ones_like(cosine)
    power = np.ones_like(eccentricity)
    for n, gain in enumerate(gains, start=1):
        along += (gain * n * power) * legendre
        across += (gain * power) * slope
        # P'_{n+1} = P'_{n-1} + (2n+1) P_n, before P_n itself is replaced.
        slope_previous, slope = slope, slope_previous + (2 * n + 1) * legendre
        previous, legendre = legendre, ((2 * n + 1) * cosine * legendre - n * previous) / (n + 1)
        power = power * eccentricity
    along -= across * cosine
    scale = 1.0 / (4 * np.pi * conductivities[0] * HEAD_RADIUS_M**2)
    return scale * (along[..., None] * radial + across[..., None] * electrodes[:, None, :])


def _shell_gains(
    n_terms: int, conductivities: Sequence[float], relative_radii: Sequence[float]
) -> Float[np.ndarray, " terms"]:
    """Surface potential of each Legendre order over that of the same dipole's outgoing field in the unbounded brain.

    The coefficients of the two radial solutions are carried from the scalp, through which no current leaves, to the
    brain: the potential and the radial current are continuous at every boundary.
    """
    n = np.arange(1, n_terms + 1, dtype=float)
    inward, outward = (n + 1) / n, np.ones(n_terms)
    for shell in range(len(relative_radii) - 2, -1, -1):
        radius = relative_radii[shell]
        rising, falling = inward * radius**n, outward * radius ** -(n + 1)
        potential = rising + falling
        current = conductivities[shell + 1] / conductivities[shell] * (n * rising - (n + 1) * falling)
        inward = ((n + 1) * potential + current) / (2 * n + 1) * radius**-n
        outward = (n * potential - current) / (2 * n + 1) * radius ** (n + 1)
    return (2 * n + 1) / (n * outward)


def _similarity(
    moving: Float[np.ndarray, "points 3"], fixed: Float[np.ndarray, "points 3"]
) -> tuple[Float[np.ndarray, "3 3"], float, Float[np.ndarray, " xyz"]]:
    """Rotation, scale and shift that carry ``moving`` onto ``fixed`` with the least squared error."""
    a, b = moving - moving.mean(0), fixed - fixed.mean(0)
    left, singular, right = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float((singular * signs).sum() / (a**2).sum())
    return rotation, scale, fixed.mean(0) - scale * rotation @ moving.mean(0)


def _template_points(names: Sequence[str]) -> Float[np.ndarray, "channels 3"]:
    positions = load_template().positions_m
    unknown = [name for name in names if name.lower() not in positions]
    if unknown:
        raise BadDataError(
            f"no standard position is known for {', '.join(unknown)}.", remedy="Use names of the 10-05 system."
        )
    return np.stack([positions[name.lower()] for name in names])


def _unit(vectors: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
