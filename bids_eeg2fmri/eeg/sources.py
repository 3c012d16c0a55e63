"""The minimum-norm operator that maps any cap to the same grey-matter parcels.

Power is taken after the projection, so that the phase relations between electrodes are used. Bad
channels leave the operator, the rest is referenced to its average, and the inverse is regularised on
the rank that is left (channels - 1).

References
----------
Hämäläinen & Ilmoniemi 1994, Med Biol Eng Comput 32:35 (minimum norm); Lin et al. 2006, NeuroImage 31:160
(depth weighting).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from .leadfield import leadfield, sources_in_sphere, sphere_directions

SNR = 3.0
DEPTH_EXPONENT = 0.8
COMPONENTS_PER_PARCEL = 3
CHANNEL_WIDTHS = (32, 64, 96, 128, 192, 256, 384, 512)


@dataclass(frozen=True)
class SourceProjection:
    """Virtual channels of the parcels.

    Attributes
    ----------
    operator
        Rows are the virtual channels (``COMPONENTS_PER_PARCEL`` per parcel, parcel by parcel), columns the
        electrodes, zero for channels that are not used.
    resolution
        Share of a parcel's estimated power that comes from the parcel itself when all sources are equally
        strong and independent (0-1): how well this cap sees it.
    """

    operator: Float[np.ndarray, "virtual channels"]
    resolution: Float[np.ndarray, " parcels"]


def padded_width(n_channels: int) -> int:
    """The smallest of a few fixed channel counts that holds ``n_channels``, so that few shapes are compiled."""
    return next((width for width in CHANNEL_WIDTHS if width >= n_channels), n_channels)


def make_projection(
    positions_m: Float[np.ndarray, "channels 3"],
    channel_names: tuple[str, ...],
    good: Bool[np.ndarray, " channels"],
    source_coordinates_mm: Float[np.ndarray, "sources 3"],
    source_parcel: Int[np.ndarray, " sources"],
) -> SourceProjection:
    """Build the projection of one cap.

    Parameters
    ----------
    positions_m, channel_names, good
        Electrodes in the head frame (metres), their names, and which of them to use.
    source_coordinates_mm, source_parcel
        Points of the source space in MNI coordinates and the parcel (0, 1, ...) each lies in.

    Returns
    -------
    SourceProjection
        Operator with one column per channel of the recording.
    """
    gain = referenced_gain(positions_m, channel_names, good, source_coordinates_mm)
    return project_gain(gain, good, source_parcel)


def referenced_gain(
    positions_m: Float[np.ndarray, "channels 3"],
    channel_names: tuple[str, ...],
    good: Bool[np.ndarray, " channels"],
    source_coordinates_mm: Float[np.ndarray, "sources 3"],
) -> Float[np.ndarray, "good orientations"]:
    """Average-referenced leadfield of the good channels, three orientations per source."""
    directions = sphere_directions(positions_m[good], [n for n, keep in zip(channel_names, good, strict=True) if keep])
    gain = leadfield(directions, sources_in_sphere(source_coordinates_mm))
    return (gain - gain.mean(axis=0)).reshape(len(directions), -1)


def project_gain(
    gain: Float[np.ndarray, "good orientations"],
    good: Bool[np.ndarray, " channels"],
    source_parcel: Int[np.ndarray, " sources"],
) -> SourceProjection:
    """As :func:`make_projection`, from the average-referenced leadfield."""
    inverse = _minimum_norm(gain)
    n_parcels = int(source_parcel.max()) + 1
    rows = np.zeros((n_parcels, COMPONENTS_PER_PARCEL, len(good)), np.float32)
    resolution = np.zeros(n_parcels, np.float32)
    orientation_parcel = np.repeat(source_parcel, 3)
    for parcel in range(n_parcels):
        inside = orientation_parcel == parcel
        # The parcel's power is a quadratic form of the electrodes; its leading axes hold nearly all of it.
        _, strength, axes = np.linalg.svd(inverse[inside], full_matrices=False)
        virtual = (strength[:, None] * axes)[:COMPONENTS_PER_PARCEL]
        seen = np.square(virtual @ gain).sum(axis=0)
        resolution[parcel] = seen[inside].sum() / seen.sum()
        rows[parcel, : len(virtual), good] = virtual.T
    rows /= np.abs(rows).max()
    return SourceProjection(rows.reshape(-1, len(good)), resolution)


def _minimum_norm(gain: Float[np.ndarray, "good orientations"]) -> Float[np.ndarray, "orientations good"]:
    """Depth-weighted regularised inverse of an average-referenced gain matrix."""
    per_source = np.square(gain).reshape(len(gain), -1, 3).sum(axis=(0, 2))
    weight = np.repeat(per_source**-DEPTH_EXPONENT, 3)
    covariance = (gain * weight) @ gain.T
    values, vectors = np.linalg.eigh(covariance)
    rank = len(gain) - 1
    values, vectors = values[-rank:], vectors[:, -rank:]
    regularised = vectors / (values + values.mean() / SNR**2) @ vectors.T
    return weight[:, None] * gain.T @ regularised
