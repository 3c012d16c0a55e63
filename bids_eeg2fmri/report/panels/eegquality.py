"""Spectra before and after cleaning, and where the EEG is bad."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, FAINT, INK, MUTED, ORANGE, new_figure
from ..timeaxis import LEFT, RIGHT, draw_bad_segments, name_row, volume_span_s

_HIGHEST_HZ = 100.0


def draw_eegquality(run: RunReport) -> Drawing:
    """Draw the spectra of all channels and the bad segments."""
    figure = new_figure(4.6)
    spectra = figure.add_gridspec(1, 2, left=LEFT, right=RIGHT, top=0.92, bottom=0.42, wspace=0.06)
    before = figure.add_subplot(spectra[0])
    after = figure.add_subplot(spectra[1], sharey=before)
    cleaning = run.recording.cleaning
    _draw_spectra(before, run, cleaning.psd_before, "Before cleaning")
    _draw_spectra(after, run, cleaning.psd_after, "After cleaning")
    before.set_ylabel("Power (dB re 1 µV²/Hz)")
    after.tick_params(labelleft=False)
    _scale(before, run)
    time = figure.add_gridspec(2, 1, left=LEFT, right=RIGHT, top=0.26, bottom=0.11, hspace=1.5)
    _draw_extent(figure.add_subplot(time[0]), figure.add_subplot(time[1]), run)
    bad_s = sum(stop - start for start, stop in cleaning.bad_segments_s)
    return Drawing(
        figure,
        f"Power spectra of {len(run.recording.channel_names)} channels before and after cleaning; "
        f"{len(cleaning.bad_channels)} bad channels; {len(cleaning.bad_segments_s)} bad segments, {bad_s:.1f} s of "
        f"{run.recording.duration_s:.0f} s.",
    )


def _decibels(power: Float[np.ndarray, "channels frequencies"]) -> Float[np.ndarray, "channels frequencies"]:
    return 10 * np.log10(np.maximum(np.asarray(power, float) * 1e12, 1e-8))


def _draw_spectra(axes: Axes, run: RunReport, power: Float[np.ndarray, "channels frequencies"], title: str) -> None:
    frequencies = run.recording.cleaning.psd_freqs_hz
    shown = (frequencies > 0) & (frequencies <= _HIGHEST_HZ)
    curves = _decibels(power)
    is_bad = np.array([name in run.recording.cleaning.bad_channels for name in run.recording.channel_names], bool)
    for subset, colour, width in ((~is_bad, BLUE, 0.5), (is_bad, ORANGE, 1.0)):
        lines = [np.column_stack([frequencies[shown], curve[shown]]) for curve in curves[subset]]
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, alpha=0.55 if colour == BLUE else 1, rasterized=True)
        )
    if (~is_bad).any():
        axes.plot(frequencies[shown], np.median(curves[~is_bad], axis=0)[shown], color=INK, linewidth=1.4)
    line_hz = run.recording.cleaning.line_frequency_hz
    if line_hz is not None:
        axes.axvline(line_hz, color=MUTED, linestyle=":", zorder=0)
    axes.set_xlim(0, float(frequencies[shown].max()) if shown.any() else _HIGHEST_HZ)
    axes.grid(color=FAINT, linewidth=0.5)
    axes.set_xlabel("Frequency (Hz)")
    axes.set_title(title)
    handles = [Line2D([], [], color=BLUE), Line2D([], [], color=ORANGE), Line2D([], [], color=INK)]
    labels = ["channel", "bad channel", "median of good"]
    if line_hz is not None:
        handles.append(Line2D([], [], color=MUTED, linestyle=":"))
        labels.append(f"line, {line_hz:g} Hz")
    axes.legend(handles, labels, loc="upper right", ncols=2, handlelength=1.4)


def _scale(axes: Axes, run: RunReport) -> None:
    """Fit the axis to the good channels, with room above for wild ones; a flat channel may fall out below."""
    cleaning = run.recording.cleaning
    good = run.recording.good if run.recording.good.any() else np.ones_like(run.recording.good)
    both = np.concatenate([cleaning.psd_before[good], cleaning.psd_after[good]])
    low, high = np.percentile(_decibels(both[:, cleaning.psd_freqs_hz > 0]), [1, 99.7])
    axes.set_ylim(low - 15, high + 25)


def _draw_extent(segments: Axes, volumes: Axes, run: RunReport) -> None:
    """Bad segments over the whole EEG, and the stretch that has volumes under it."""
    start_s = -run.recording.clock.first_volume_onset_s
    stop_s = start_s + run.recording.duration_s
    first, last = volume_span_s(run)
    draw_bad_segments(segments, run)
    volumes.broken_barh([(first, last - first)], (0, 1), facecolors=BLUE, alpha=0.5)
    missing = [run.recording.clock.tr_s * index for index in run.recording.clock.missing]
    volumes.vlines(missing, 0, 1, color=ORANGE, linewidth=0.8)
    name_row(volumes, "Volumes" if not missing else f"Volumes (markers missing: {len(missing)})")
    for axes in (segments, volumes):
        axes.set_xlim(min(start_s, first), max(stop_s, last))
        axes.set_ylim(0, 1)
        axes.set_yticks([])
    segments.tick_params(labelbottom=False)
    volumes.set_xlabel("Time from the first volume (s)")
