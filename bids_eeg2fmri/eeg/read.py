"""Read one EEG recording of a BIDS dataset: placed on the head, cleaned, with its events and its volume clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
from jaxtyping import Float

from ..bids.recording_file import RecordingFile
from ..errors import BadDataError
from ..settings import Settings
from .channel_types import ChannelRow, find_electrodes, read_channels
from .cleaning import Known, clean_in_place
from .clock import find_clock
from .declared import check_declared
from .discontinuity import check_continuous, marked_bad
from .events import believed_table, stray_events, task_events
from .formats import open_raw
from .gradient_artefact import has_gradient_artefact
from .header import require_rate_and_length
from .line_noise import declared_line_hz
from .markers import native_markers, table_markers
from .montage import place_electrodes
from .names import ChannelName
from .recording import Recording
from .samples import Samples, read_samples
from .units import find_units

_NO_POSITION = "no position of its own on the head"


def read_recording(file: RecordingFile, settings: Settings, work_dir: Path | None = None) -> Recording:
    """Read, place and clean one recording and find its volumes.

    Parameters
    ----------
    file
        The signal file and its sidecars.
    settings
        ``tr_s``, ``volume_marker``, ``montage`` and ``allow_gradient_artefact`` are looked at.
    work_dir
        Where the samples may be kept in a file that vanishes with them; ``None`` keeps them in memory.

    Raises
    ------
    MissingInputError
        When a file is not there.
    BadDataError
        When the recording cannot be used: damaged, discontinuous, below 100 Hz, shorter than 60 s, less than
        45 s of clean signal, fewer than 8 usable electrodes, impossible amplitudes, uncorrected gradient artefact,
        irregular volume markers.
    UsageError
        When montage, volume marker or repetition time contradict the file.
    WriteError
        When the work directory has no room.
    """
    raw = open_raw(file.path)
    sfreq_hz, duration_s = float(raw.info["sfreq"]), raw.n_times / float(raw.info["sfreq"])
    rows = read_channels(file.channels_tsv)
    disagreements = check_declared(file, raw, len(rows))
    require_rate_and_length(sfreq_hz, duration_s, file.path)
    native = native_markers(raw)
    events_table, events_warnings = believed_table(file, native)
    table = table_markers(events_table)
    markers = (*native, *(table or ()))
    check_continuous(file.path, file.sidecar, markers, sfreq_hz, duration_s)
    finding = find_clock(
        native,
        table,
        sfreq_hz=sfreq_hz,
        n_samples=raw.n_times,
        tr_s=settings.tr_s,
        volume_marker=settings.volume_marker,
        path=file.path,
    )
    cap = _find_cap(raw, file, rows, settings.montage)
    units = find_units(raw, cap.originals, rows)
    samples = read_samples(raw, cap.originals, units.to_volts, file.path, work_dir)
    if not settings.allow_gradient_artefact:
        _refuse_gradient_artefact(samples, file.path)
    known = Known(
        _known_bad(cap.channels, rows, raw),
        marked_bad(markers, duration_s),
        declared_line_hz(file.sidecar.get("PowerLineFrequency")),
    )
    good, cleaning = clean_in_place(samples, cap.names, cap.positions_m, known, file.path)
    return Recording(
        signals_v=samples.signals_v,
        sfreq_hz=samples.sfreq_hz,
        source_sfreq_hz=sfreq_hz,
        channel_names=cap.names,
        positions_m=cap.positions_m,
        positions_source=cap.positions_source,
        good=good,
        left_out=cap.left_out,
        events=task_events(native, table, finding.volume_key, duration_s),
        clock=finding.clock,
        cleaning=cleaning,
        reference=str(file.sidecar.get("EEGReference", "n/a")),
        source=file.path,
        events_table=events_table,
        warnings=(
            *finding.warnings,
            *events_warnings,
            *cap.warnings,
            *units.warnings,
            *disagreements,
            *stray_events(native, table, finding.volume_key, duration_s),
        ),
    )


@dataclass(frozen=True)
class _Cap:
    """The electrodes that have a place on the head, and what became of the other channels."""

    channels: tuple[ChannelName, ...]
    positions_m: Float[np.ndarray, "channels 3"]
    positions_source: str
    left_out: dict[str, str]
    warnings: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(channel.name for channel in self.channels)

    @property
    def originals(self) -> tuple[str, ...]:
        return tuple(channel.original for channel in self.channels)


def _find_cap(raw: mne.io.BaseRaw, file: RecordingFile, rows: Mapping[str, ChannelRow], montage: str | None) -> _Cap:
    electrodes = find_electrodes(raw.ch_names, raw.get_channel_types(), rows)
    placement = place_electrodes(
        electrodes.names,
        raw,
        path=file.path,
        electrodes_tsv=file.electrodes_tsv,
        coordsystem_json=file.coordsystem_json,
        montage=montage,
    )
    placed = tuple(channel for channel in electrodes.names if channel.name in placement.positions_m)
    unplaced = [channel.original for channel in electrodes.names if channel.name not in placement.positions_m]
    warnings = (*electrodes.warnings, *placement.warnings)
    if unplaced:
        warnings += (f"Left out, since they have no position of their own: {', '.join(unplaced)}.",)
    return _Cap(
        placed,
        np.array([placement.positions_m[channel.name] for channel in placed]),
        placement.source,
        electrodes.left_out | dict.fromkeys(unplaced, _NO_POSITION),
        warnings,
    )


def _refuse_gradient_artefact(samples: Samples, path: Path) -> None:
    if has_gradient_artefact(samples.signals_v, samples.sfreq_hz):
        raise BadDataError(
            "The recording holds uncorrected MR gradient artefact.",
            path=path,
            remedy="Correct it first (average artefact subtraction, FASTR) and give the corrected recording by "
            "--derivatives clean=PATH, or insist with --allow-gradient-artefact.",
        )


def _known_bad(placed: Sequence[ChannelName], rows: Mapping[str, ChannelRow], raw: mne.io.BaseRaw) -> dict[str, str]:
    bad = {}
    for channel in placed:
        row = rows.get(channel.original)
        if row is not None and row.status == "bad":
            said = row.status_description
            bad[channel.name] = "bad in channels.tsv" + ("" if said.lower() == "n/a" else f": {said}")
        elif channel.original in raw.info["bads"]:
            bad[channel.name] = "bad in the file"
    return bad
