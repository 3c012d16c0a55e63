"""Events of the output: the source's events on the clock of the volumes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ..bids.content import read_json_object
from ..bids.recording_file import RecordingFile
from ..eeg.recording import Recording
from ..eeg.tables import read_tsv
from ..errors import Eeg2fmriError
from .atomic import write_bytes, write_json, writing
from .names import OutputNames, sidecar

# A stimulus file would have to lie in this dataset's own stimuli folder.
_NOT_CARRIED_OVER = ["stim_file"]
_COLUMNS = {
    "duration": {"Description": "Duration of the event", "Units": "s"},
    "trial_type": {"Description": "Name of the event in the EEG dataset"},
    "sample": {"Description": "Onset in samples of the EEG recording, from its first sample"},
}


def write_events(names: OutputNames, file: RecordingFile, recording: Recording) -> bool:
    """Write ``_events.tsv`` and ``.json`` of a recording; without events there is no file.

    Onsets count from the first volume. The table is the source's, byte for byte, when nothing has to
    change: the first volume starts with the EEG, and no row is a volume or slice marker.

    Returns
    -------
    bool
        Whether there are events.

    Raises
    ------
    BadDataError, MissingInputError
        The source table cannot be read.
    WriteError, OutputError
        The files cannot be written.
    """
    if not recording.events:
        for stale in (names.events, sidecar(names.events)):
            with writing(stale):
                stale.unlink(missing_ok=True)
        return False
    rows = [] if file.events_tsv is None else read_tsv(file.events_tsv, ("onset",))
    source = pd.DataFrame(rows) if rows else None
    table = _of_events(recording) if source is None else _of_source(source, recording)
    unchanged = source is not None and source.equals(table) and recording.clock.first_volume_onset_s == 0
    if unchanged and file.events_tsv is not None:
        content = file.events_tsv.read_bytes()
    else:
        content = table.to_csv(sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE).encode()
    write_bytes(names.events, content)
    write_json(sidecar(names.events), _description(table, file, recording))
    return True


def _of_events(recording: Recording) -> pd.DataFrame:
    rows = [
        (_seconds(event.onset_s - recording.clock.first_volume_onset_s), _seconds(event.duration_s), event.trial_type)
        for event in recording.events
    ]
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])


def _of_source(source: pd.DataFrame, recording: Recording) -> pd.DataFrame:
    """Rows of the source table that are events, on the clock of the volumes, with their other columns.

    A duration that is none, such as a negative one, becomes ``n/a``.
    """
    kept = _rows_of_events(source, recording)
    table = source[kept].drop(columns=_NOT_CARRIED_OVER, errors="ignore")
    if not kept.any():
        return _of_events(recording)
    if recording.clock.first_volume_onset_s != 0:
        onsets_s = table["onset"].astype(float) - recording.clock.first_volume_onset_s
        table = table.assign(onset=[_seconds(onset_s) for onset_s in onsets_s])
    if "duration" not in table:
        table.insert(1, "duration", "n/a")
    is_one = pd.to_numeric(table["duration"], errors="coerce").between(0, np.inf, inclusive="left")
    return table.assign(duration=table["duration"].where(is_one, "n/a")).reset_index(drop=True)


def _rows_of_events(source: pd.DataFrame, recording: Recording) -> Bool[np.ndarray, " rows"]:
    """Rows at an event's onset; where several rows share it, those that carry its name, if any do."""
    onsets_s = pd.to_numeric(source["onset"], errors="coerce").to_numpy(float)
    cells = source.to_numpy(str)
    order = np.argsort(onsets_s, kind="stable")
    tolerance_s = 1 / recording.sfreq_hz
    kept = np.zeros(len(source), bool)
    for event in recording.events:
        limits = (event.onset_s - tolerance_s, event.onset_s + tolerance_s)
        first, last = np.searchsorted(onsets_s, limits, sorter=order)
        simultaneous = order[first:last]
        # mne-bids joins by slashes the values that it needs to tell event types apart.
        parts = [event.trial_type, *event.trial_type.split("/")]
        named = simultaneous[np.isin(cells[simultaneous], parts).any(axis=1)]
        kept[named if named.size else simultaneous] = True
    return kept


def _description(table: pd.DataFrame, file: RecordingFile, recording: Recording) -> dict[str, Any]:
    """The source's own description of its columns, and what onsets mean here."""
    described = {} if file.events_tsv is None else _source_description(file.events_tsv)
    described = {column: text for column, text in described.items() if column in table.columns}
    onset = recording.clock.first_volume_onset_s
    described["onset"] = {
        "Description": f"Onset from the first volume, which starts {_seconds(onset)} s into the EEG",
        "Units": "s",
    }
    return {column: text for column, text in _COLUMNS.items() if column in table.columns} | described


def _source_description(path: Path) -> dict[str, Any]:
    try:
        return read_json_object(path.with_suffix(".json"))
    except Eeg2fmriError:
        return {}


def _seconds(value_s: float) -> str:
    rounded_s = round(value_s, 6) + 0.0  # the sum turns -0.0 into 0.0
    return f"{rounded_s:.6f}".rstrip("0").rstrip(".")
