"""The channels of one cap from a recording on another: matched by name, a few of them interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mne
import numpy as np
from jaxtyping import Float

from ..errors import BadDataError
from .leadfield import sphere_directions
from .recording import Recording

MAX_INTERPOLATED_SHARE = 0.1
_NAMES_SHOWN = 12
_SPHERE_RADIUS_M = 0.09
# Older names of the 10-20 system.
_RENAMED = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}


@dataclass(frozen=True)
class CapMatch:
    """How the channels of a network's cap are made of a recording's.

    Attributes
    ----------
    channel_names
        The cap's channels.
    directions
        Unit vectors of the cap's channels in the template's frame.
    interpolated
        Those that the recording has not, or has as bad, with the reason.
    unused
        Good channels of the recording that the cap has not; they serve interpolation only.
    operator
        Rows give the cap's channels as weights of the recording's, average-referenced over the cap.
    """

    channel_names: tuple[str, ...]
    directions: Float[np.ndarray, "channels 3"]
    interpolated: dict[str, str]
    unused: tuple[str, ...]
    operator: Float[np.ndarray, "channels recorded"]


def match_cap(
    recording: Recording, channel_names: Sequence[str], positions_m: Float[np.ndarray, "channels 3"]
) -> CapMatch:
    """Make a cap's channels of a recording's.

    Channels that are missing or bad are interpolated with spherical splines (Perrin et al. 1989, doi
    10.1016/0013-4694(89)90180-6) from all good channels of the recording, at its own electrode positions.

    Parameters
    ----------
    recording
        The recording.
    channel_names, positions_m
        The cap: normalised names, and positions in metres, head frame.

    Raises
    ------
    BadDataError
        More than a tenth of the cap's channels would have to be interpolated.
    """
    row = {_key(name): index for index, name in enumerate(recording.channel_names)}
    found = [row.get(_key(name)) for name in channel_names]
    interpolated = {
        name: "not recorded" if index is None else "bad"
        for name, index in zip(channel_names, found, strict=True)
        if index is None or not recording.good[index]
    }
    if len(interpolated) > MAX_INTERPOLATED_SHARE * len(channel_names):
        raise _refusal(recording, len(channel_names), interpolated)
    directions = sphere_directions(positions_m, channel_names)
    operator = np.zeros((len(channel_names), len(recording.channel_names)))
    used = set()
    for channel, index in enumerate(found):
        if index is not None and recording.good[index]:
            operator[channel, index] = 1
            used.add(recording.channel_names[index])
    if interpolated:
        absent = np.flatnonzero(~operator.any(axis=1))
        recorded = sphere_directions(recording.positions_m, recording.channel_names)
        wanted = directions.copy()
        for channel, index in enumerate(found):
            wanted[channel] = directions[channel] if index is None else recorded[index]
        operator[np.ix_(absent, recording.good)] = _spline_weights(recorded[recording.good], wanted[absent])
    good = [name for name, is_good in zip(recording.channel_names, recording.good, strict=True) if is_good]
    return CapMatch(
        channel_names=tuple(channel_names),
        directions=directions,
        interpolated=interpolated,
        unused=tuple(name for name in good if name not in used),
        operator=(operator - operator.mean(axis=0)).astype(np.float32),
    )


def _key(name: str) -> str:
    lowered = name.lower()
    return _RENAMED.get(lowered, lowered)


def _spline_weights(
    known: Float[np.ndarray, "known 3"], wanted: Float[np.ndarray, "wanted 3"]
) -> Float[np.ndarray, "wanted known"]:
    """Weights of spherical-spline interpolation on the unit sphere, read off its answer to unit impulses."""
    places = _SPHERE_RADIUS_M * np.concatenate([known, wanted])
    names = [f"{index}" for index in range(len(places))]
    info = mne.create_info(names, sfreq=1.0, ch_types="eeg")
    montage = mne.channels.make_dig_montage(dict(zip(names, places, strict=True)), coord_frame="head")
    impulses = np.concatenate([np.eye(len(known)), np.zeros((len(wanted), len(known)))])
    evoked = mne.EvokedArray(impulses, info, verbose="error").set_montage(montage, verbose="error")
    evoked.info["bads"] = names[len(known) :]
    evoked.interpolate_bads(origin=(0.0, 0.0, 0.0), verbose="error")
    return np.asarray(evoked.data[len(known) :])


def _refusal(recording: Recording, n_channels: int, interpolated: dict[str, str]) -> BadDataError:
    shown = [f"{name} ({reason})" for name, reason in interpolated.items()]
    more = f" and {len(shown) - _NAMES_SHOWN} more" if len(shown) > _NAMES_SHOWN else ""
    return BadDataError(
        f"{len(interpolated)} of the {n_channels} channels of the model's cap would have to be interpolated, more than "
        f"{100 * MAX_INTERPOLATED_SHARE:g} %: {', '.join(shown[:_NAMES_SHOWN])}{more}.",
        path=recording.source,
        remedy="This model serves the cap it was trained on. The default model, neuralfield-sim, takes any cap: "
        "leave out --model.",
    )
