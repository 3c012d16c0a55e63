"""Mean synthetic BOLD around the events of the most frequent types, in a few networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...bold.atlas import load_atlas
from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, FAINT, GREEN, MUTED, ORANGE, mark_synthetic, new_figure, shortened, top_of_axes
from ..timeaxis import name_row

_SHOWN = {"Vis": "Visual", "SomMot": "Somatomotor", "Default": "Default mode"}
_LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."))
_BEFORE_S, _AFTER_S = 6.0, 20.0
_LEAST_EVENTS = 3
_N_SHIFTS = 200
_SEED = 15


def has_locked_events(run: RunReport) -> bool:
    """Whether a type of event occurs often enough to be averaged."""
    return bool(_frequent(run))


def draw_eventlocked(run: RunReport) -> Drawing:
    """Draw the means of up to three types of events in three networks, beside those of shifted events."""
    types = _frequent(run)
    figure = new_figure(3.5)
    mark_synthetic(figure)
    grid = figure.add_gridspec(
        1, len(_SHOWN), left=0.06, right=0.985, top=top_of_axes(figure, 0.62), bottom=0.235, wspace=0.12
    )
    places = np.asarray(grid.subplots(sharey=True))
    times_s = _times_s(run)
    networks = np.array(load_atlas().networks)
    strongest = []
    for axes, (network, name) in zip(places, _SHOWN.items(), strict=True):
        series = run.summary.parcel_mean_z[:, networks == network].mean(axis=1)
        means = {kind: _locked(series, onsets, times_s, run) for kind, onsets in types.items()}
        low, high = _chance(series, types, times_s, run)
        axes.fill_between(times_s, low, high, color=FAINT, linewidth=0, label="95 % of shifted events")
        for (kind, mean), (colour, style) in zip(means.items(), _LOOKS, strict=False):
            label = f"{shortened(kind, 18)} ({len(types[kind])})"
            axes.plot(times_s, mean, color=colour, linestyle=style, linewidth=1.5, label=label)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.axhline(0, color=MUTED, linewidth=0.5)
        axes.set_xlim(times_s[0], times_s[-1])
        axes.set_xlabel("Time from the event (s)")
        name_row(axes, name)
        strongest.append(f"{name.lower()} {_beyond(means, low, high)}")
    places[0].set_ylabel("z")
    figure.legend(*places[0].get_legend_handles_labels(), loc="lower center", ncols=len(types) + 1)
    listed = ", ".join(f"{shortened(kind)} ({len(onsets)})" for kind, onsets in types.items())
    return Drawing(
        figure,
        f"Synthetic: mean around events of {len(types)} types: {listed}. Share of the time after the event beyond what "
        f"shifted events reach: {'; '.join(strongest)}.",
    )


def _frequent(run: RunReport) -> dict[str, list[float]]:
    """Onsets in seconds from volume 0 of the most frequent types that have a whole stretch around them."""
    clock = run.recording.clock
    first_s = _start_s(run)
    last_s = first_s + clock.tr_s * (len(run.summary.parcel_mean_z) - 1)
    found: dict[str, list[float]] = {}
    for event in run.recording.events:
        onset_s = event.onset_s - clock.first_volume_onset_s
        if first_s + _BEFORE_S <= onset_s <= last_s - _AFTER_S:
            found.setdefault(event.trial_type, []).append(onset_s)
    often = sorted((kind for kind in found if len(found[kind]) >= _LEAST_EVENTS), key=lambda kind: -len(found[kind]))
    return {kind: found[kind] for kind in often[: len(_LOOKS)]}


def _start_s(run: RunReport) -> float:
    """Instant that the first volume stands for, in seconds from its start."""
    return float(run.sidecar.get("StartTime", 0.0))


def _times_s(run: RunReport) -> Float[np.ndarray, " times"]:
    step_s = min(run.recording.clock.tr_s / 2, 1.0)
    return np.arange(-_BEFORE_S, _AFTER_S + step_s / 2, step_s)


def _locked(
    series: Float[np.ndarray, " volumes"],
    onsets_s: Sequence[float] | np.ndarray,
    times_s: Float[np.ndarray, " times"],
    run: RunReport,
) -> Float[np.ndarray, " times"]:
    """Mean around the onsets, less its own mean before them."""
    at = _start_s(run) + run.recording.clock.tr_s * np.arange(len(series))
    around = np.interp(np.asarray(onsets_s)[:, None] + times_s, at, series)
    mean = around.mean(axis=0)
    return mean - mean[times_s <= 0].mean()


def _chance(
    series: np.ndarray, types: dict[str, list[float]], times_s: np.ndarray, run: RunReport
) -> tuple[np.ndarray, np.ndarray]:
    """What 95 % of means reach when the events of the rarest type are shifted together around the recording."""
    onsets_s = np.array(min(types.values(), key=len))
    last_s = run.recording.clock.tr_s * (len(series) - 1)
    room_s = last_s - _BEFORE_S - _AFTER_S
    shifts = np.random.default_rng(_SEED).uniform(0, 1, _N_SHIFTS) * max(room_s, 1e-6)
    earliest_s = _start_s(run) + _BEFORE_S
    moved = earliest_s + (onsets_s - earliest_s + shifts[:, None]) % max(room_s, 1e-6)
    means = np.array([_locked(series, onsets, times_s, run) for onsets in moved])
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high


def _beyond(means: dict[str, np.ndarray], low: np.ndarray, high: np.ndarray) -> str:
    shares = [f"{100 * np.mean((mean < low) | (mean > high)):.0f} %" for mean in means.values()]
    return ", ".join(shares)
