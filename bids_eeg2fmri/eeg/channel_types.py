"""Tell scalp electrodes from the other channels of a file, by type and by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadDataError
from .names import ChannelName, parse_names
from .tables import MISSING, read_tsv

_BY_NAME = {
    "EOG": r"eog|^[hv]eo|\beye",
    "ECG": r"ecg|ekg|cardio",
    "EMG": r"emg|\bchin",
    "trigger or status": r"^status|trig|^sti[ m\d]|^mkr|marker|^event|annotation|^ttl|^din\d|^dc\d*$|^sync|photic",
    "another signal": (
        r"^exg\d|^aux|^bip\d|^ext\d|resp|pleth|puls|s[pa]o2|^gsr|^eda\b|^scl\b|^temp|^acc|gyro|snore|flow|thor|abdom"
        r"|photo|diode|audio|counter|battery|quality|^erg\d|^misc|^etco2"
    ),
}
_EEG_TYPES = ("EEG", *MISSING)


@dataclass(frozen=True)
class ChannelRow:
    """One row of ``channels.tsv``; absent cells are ``n/a``."""

    name: str
    type: str
    units: str
    status: str
    status_description: str


@dataclass(frozen=True)
class Electrodes:
    """The channels of a file that are scalp electrodes, and why the others are not.

    Attributes
    ----------
    names
        Names of the electrodes; no normalised name occurs twice.
    left_out
        Original name and reason of every other channel.
    warnings
        What a user should look at.
    """

    names: tuple[ChannelName, ...]
    left_out: dict[str, str]
    warnings: tuple[str, ...]


def read_channels(path: Path | None) -> dict[str, ChannelRow]:
    """Rows of ``channels.tsv`` by channel name; empty without a file.

    Raises
    ------
    BadDataError
        When the table cannot be read or names a channel twice.
    """
    if path is None:
        return {}
    rows = {}
    for cells in read_tsv(path, required=("name", "type")):
        if cells["name"] in rows:
            raise BadDataError(
                f"The table names the channel {cells['name']} twice.", path=path, remedy="Give each channel one row."
            )
        rows[cells["name"]] = ChannelRow(
            cells["name"],
            cells["type"].upper(),
            cells.get("units", "n/a"),
            cells.get("status", "n/a").lower(),
            cells.get("status_description", "n/a"),
        )
    return rows


def find_electrodes(originals: Sequence[str], file_types: Sequence[str], rows: Mapping[str, ChannelRow]) -> Electrodes:
    """Leave out every channel that is no scalp electrode.

    Parameters
    ----------
    originals
        Channel names in the file.
    file_types
        MNE's channel types, in the same order; files often call everything ``eeg``.
    rows
        Rows of ``channels.tsv``, which overrule the types in the file, but not the names.
    """
    names: dict[str, ChannelName] = {}
    left_out, warnings = {}, []
    for channel, file_type in zip(parse_names(originals), file_types, strict=True):
        row = rows.get(channel.original, rows.get(channel.original.strip()))
        reason = _reason(channel, file_type, "n/a" if row is None else row.type)
        if reason is None and channel.name in names:
            reason = f"second channel named {channel.name} (after {names[channel.name].original})"
            warnings.append(f"Channel {channel.original} is left out: {reason}.")
        elif reason is not None and channel.kind == "bipolar":
            warnings.append(f"Channel {channel.original} is left out: {reason}.")
        if reason is None:
            names[channel.name] = channel
        else:
            left_out[channel.original] = reason
    strangers = sorted(set(rows) - set(originals) - {name.strip() for name in originals})
    if strangers:
        warnings.append(f"channels.tsv names channels that the file does not have: {', '.join(strangers)}.")
    return Electrodes(tuple(names.values()), left_out, tuple(warnings))


def _reason(channel: ChannelName, file_type: str, table_type: str) -> str | None:
    if table_type not in _EEG_TYPES:
        return f"type {table_type} in channels.tsv"
    if channel.kind == "bipolar":
        return "bipolar derivation of two electrodes"
    if channel.kind == "reference pair":
        return "difference of two references"
    if channel.kind == "reference":
        return "reference, by its name"
    # MNE calls an electrode without a position in a BrainVision header "misc".
    known_electrode = channel.kind == "electrode" and file_type == "misc"
    if table_type != "EEG" and file_type != "eeg" and not known_electrode:
        return f"type {file_type} in the file"
    if channel.kind == "electrode":
        return None
    for kind, pattern in _BY_NAME.items():
        if re.search(pattern, channel.name, re.IGNORECASE):
            return f"{kind}, by its name"
    return None
