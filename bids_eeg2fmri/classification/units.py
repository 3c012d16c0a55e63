"""What is classified: people, recordings or events, with their labels and features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..bold.atlas import load_atlas
from ..eeg.recording import Recording
from ..errors import BadDataError, Eeg2fmriError
from ..settings import Settings
from .band_power import BAND_POWER, BandPower, eeg_files, event_power, power_table, read_eeg, recording_power
from .features import Features
from .labels import LabelledEvent, event_labels, people_labels, recording_labels
from .view import View
from .view_features import RESPONSE, event_features, recording_features, recording_names

MIN_VOLUMES = 15

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unit:
    """A person, a recording or an event.

    Attributes
    ----------
    name, person
        Name in the table of predictions, and whose it is.
    label
        What it is to be classified as.
    views
        Numbers of its recordings.
    event
        The event, if it is one.
    """

    name: str
    person: str
    label: str
    views: tuple[int, ...]
    event: LabelledEvent | None = None


@dataclass(frozen=True)
class Units:
    """All units, where their labels come from, and their synthesised view.

    Attributes
    ----------
    units, source
        The units, and the origin of their labels in words.
    views
        The recordings that the units speak of.
    synthetic
        Features of the synthetic BOLD.
    window_s
        Length of the windows that amplitudes and connectivity were computed in; ``None`` for events.
    """

    units: tuple[Unit, ...]
    source: str
    views: tuple[View, ...]
    synthetic: Features
    window_s: float | None


def make_units(views: Sequence[View], settings: Settings, column: str) -> Units:
    """The labelled units of recordings and the features of their synthetic BOLD.

    Parameters
    ----------
    views
        The recordings.
    settings
        ``bids_dir`` and ``classify_unit``.
    column
        Where the labels are.

    Raises
    ------
    BadDataError, MissingInputError, UsageError
        There are no labels, or recordings are too short.
    """
    if settings.classify_unit == "event":
        return _event_units(tuple(views), column)
    views = _long_enough(views)
    if settings.classify_unit == "participant":
        labels = people_labels(settings.bids_dir, column)
        people = sorted({view.person for view in views} & set(labels))
        units = tuple(Unit(person, person, labels[person], _recordings_of(person, views)) for person in people)
        source = f"{column} of participants.tsv"
    else:
        of_recordings, source = recording_labels(settings.bids_dir, views, column)
        units = tuple(
            Unit(view.label, view.person, of_recordings[view.key], (number,))
            for number, view in enumerate(views)
            if view.key in of_recordings
        )
    _report_unlabelled(views, units, source)
    window_s = min(len(views[number].complete_z) * views[number].tr_s for unit in units for number in unit.views)
    of_views = {number: recording_features(views[number], window_s) for unit in units for number in unit.views}
    names, blocks = recording_names()
    values = np.stack([np.mean([of_views[number] for number in unit.views], axis=0) for unit in units])
    return Units(units, source, views, Features(values, names, blocks), window_s)


def band_power_features(units: Units, settings: Settings) -> Features | None:
    """Band power of the EEG of the same units; ``None``, with a warning, where the EEG cannot be read any more."""
    needed = sorted({number for unit in units.units for number in unit.views})
    files = eeg_files([units.views[number] for number in needed], settings)
    if not files:
        return None
    rows: list[BandPower] = []
    owners: list[int] = []
    for number in needed:
        view = units.views[number]
        try:
            recording = read_eeg(files[view.key], view, settings)
        except Eeg2fmriError as error:
            logger.warning("Classification is not compared with EEG: %s", error)
            return None
        for index, unit in enumerate(units.units):
            if number in unit.views:
                rows.append(_power(unit, recording, view))
                owners.append(index)
    table, names = power_table(rows)
    values = np.stack([_mean(table[np.array(owners) == index]) for index in range(len(units.units))])
    return Features(values, names, (BAND_POWER,) * len(names))


def _event_units(views: tuple[View, ...], column: str) -> Units:
    units: list[Unit] = []
    rows = []
    for number, view in enumerate(views):
        for count, event in enumerate(event_labels(view, column), start=1):
            values = event_features(view, event.onset_s, event.duration_s)
            if values is not None:
                units.append(Unit(f"{view.label}_event-{count}", view.person, event.label, (number,), event))
                rows.append(values)
    source = f"{column} of events.tsv"
    _report_unlabelled(views, units, source)
    names = load_atlas().names
    return Units(tuple(units), source, views, Features(np.stack(rows), names, (RESPONSE,) * len(names)), None)


def _long_enough(views: Sequence[View]) -> tuple[View, ...]:
    kept = tuple(view for view in views if len(view.complete_z) >= MIN_VOLUMES)
    if short := [view.label for view in views if len(view.complete_z) < MIN_VOLUMES]:
        logger.warning(
            "Classification leaves out recordings of fewer than %d volumes with complete EEG before them: %s.",
            MIN_VOLUMES,
            ", ".join(short),
        )
    return kept


def _report_unlabelled(views: Sequence[View], units: Sequence[Unit], source: str) -> None:
    if not units:
        raise BadDataError(
            f"no selected recording has a label ({source}).",
            remedy="Check the column's values, and that the participant level has run on these people.",
        )
    used = {number for unit in units for number in unit.views}
    if left := [view.label for number, view in enumerate(views) if number not in used]:
        logger.warning("Classification leaves out recordings without a label (%s): %s.", source, ", ".join(left))


def _recordings_of(person: str, views: Sequence[View]) -> tuple[int, ...]:
    return tuple(number for number, view in enumerate(views) if view.person == person)


def _power(unit: Unit, recording: Recording, view: View) -> BandPower:
    if unit.event is None:
        return recording_power(recording)
    return event_power(recording, unit.event, view.first_volume_onset_s)


def _mean(rows: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, " features"]:
    """Mean of what is known; NaN where nothing is."""
    known = np.isfinite(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
