"""The recording in numbers, each with a traffic light."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...eeg.recording import Recording
from ..run import RunReport

Light = Literal["ok", "look", "poor", "info"]
_NAMES_SHOWN = 40


def collect_inputs(run: RunReport, output_dir: Path) -> dict[str, Any]:
    """Rows of the inputs table, the cleaning steps and the warnings."""
    recording = run.recording
    rows = [
        _row("Source", recording.source.name, "info"),
        *_time_rows(recording),
        *_channel_rows(recording),
        _events_row(recording),
        _novelty_row(run),
        *_output_rows(run),
    ]
    return {
        "rows": rows,
        "steps": list(recording.cleaning.steps),
        "warnings": list(dict.fromkeys([*recording.warnings, *map(str, run.sidecar.get("Warnings", []))])),
    }


def _row(name: str, value: str, light: Light, rule: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "light": light, "rule": rule}


def _graded(value: float, look: float, poor: float) -> Light:
    """Traffic light of a value that should be small, or large when ``look`` is above ``poor``."""
    sign = 1.0 if look < poor else -1.0
    if sign * value >= sign * poor:
        return "poor"
    return "look" if sign * value >= sign * look else "ok"


def _time_rows(recording: Recording) -> list[dict[str, str]]:
    bad_s = sum(stop - start for start, stop in recording.cleaning.bad_segments_s)
    share = 100 * bad_s / max(recording.duration_s, 1e-9)
    clock = recording.clock
    missing = f"; {len(clock.missing)} markers missing" if clock.missing else ""
    rate = f"{recording.source_sfreq_hz:g} Hz"
    if recording.sfreq_hz != recording.source_sfreq_hz:
        rate += f", used at {recording.sfreq_hz:g} Hz"
    assumed = clock.source.startswith("assumed") or bool(clock.missing)
    return [
        _row("Duration", f"{recording.duration_s:.1f} s", _graded(recording.duration_s, 300, 120),
             "ok from 300 s, poor below 120 s"),
        _row("Sampling rate", rate, "info"),
        _row("Bad time", f"{bad_s:.1f} s ({share:.1f} %) in {len(recording.cleaning.bad_segments_s)} segments",
             _graded(share, 10, 30), "ok below 10 %, poor from 30 %"),
        _row("Volume clock", f"{clock.n_volumes} volumes, TR {clock.tr_s:g} s, first at "
             f"{clock.first_volume_onset_s:.3f} s ({clock.source}{missing})", "look" if assumed else "ok",
             "ok when every volume has its marker"),
    ]  # fmt: skip


def _channel_rows(recording: Recording) -> list[dict[str, str]]:
    n_channels = len(recording.channel_names)
    used = int(np.sum(recording.good))
    bad = recording.cleaning.bad_channels
    share = 100 * (n_channels - used) / max(n_channels, 1)
    line_hz = recording.cleaning.line_frequency_hz
    return [
        _row("Channels used", f"{used} of {n_channels}", _graded(used, 31.5, 15.5), "ok from 32, poor below 16"),
        _row("Bad channels", _listed(bad), _graded(share, 10, 25), "ok below 10 %, poor from 25 % of the channels"),
        _row("Left out", _listed(recording.left_out), "info"),
        _row("Electrode positions", recording.positions_source,
             "ok" if recording.positions_source in ("electrodes.tsv", "file") else "look",
             "ok when measured positions come with the data"),
        _row("Reference", recording.reference or "n/a", "info"),
        _row("Line noise", "not removed" if line_hz is None else f"{line_hz:g} Hz, removed", "info"),
    ]  # fmt: skip


def _events_row(recording: Recording) -> dict[str, str]:
    counts: dict[str, int] = {}
    for event in recording.events:
        counts[event.trial_type] = counts.get(event.trial_type, 0) + 1
    shown = [f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return _row("Events", f"{len(recording.events)}: {_shortlist(shown)}" if shown else "none", "info")


def _novelty_row(run: RunReport) -> dict[str, str]:
    novelty = run.summary.novelty
    if not np.isfinite(novelty).any():
        return _row("Novelty", "n/a", "info")
    median = float(np.nanmedian(novelty))
    return _row("Novelty", f"median percentile {median:.0f} of the training features", _graded(median, 95, 99),
                "ok below 95, poor from 99: the model extrapolates")  # fmt: skip


def _output_rows(run: RunReport) -> list[dict[str, str]]:
    """What the sidecar says of values that are less sure or were cut off."""
    rows = []
    history = run.sidecar.get("IncompleteHistory")
    if history is not None:
        rows.append(
            _row("Incomplete history", f"first {history['Seconds']:g} s ({history['Volumes']} volumes)", "info")
        )
    clipped = run.sidecar.get("ClippedVoxels")
    if clipped is not None:
        rows.append(_row("Clipped values", str(clipped), "look" if clipped else "ok", "ok when none"))
    return rows


def _listed(reasons: dict[str, str]) -> str:
    if not reasons:
        return "none"
    return f"{len(reasons)}: " + _shortlist([f"{name} ({reason})" for name, reason in reasons.items()])


def _shortlist(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
