"""Series of a few networks with their uncertainty, and their spectrum."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from scipy import signal

from ...bold.atlas import load_atlas
from ..panel import Drawing
from ..parcel_values import averaging_of
from ..run import RunReport
from ..style import BLUE, FAINT, GREEN, INK, MUTED, ORANGE, PURPLE, mark_synthetic, new_figure, top_of_axes
from ..timeaxis import LEFT, RIGHT, name_row, volume_span_s, volume_times_s

_SHOWN = {"Vis": BLUE, "SomMot": ORANGE, "Default": GREEN, "Subcortical": PURPLE}
_NAMES = {"Vis": "Visual", "SomMot": "Somatomotor", "Default": "Default mode", "Subcortical": "Subcortical"}
_LOW_HZ, _HIGH_HZ = 0.01, 0.1
_SHOWN_DB = 50.0
_WINDOW_S = 128.0
_VALUES_AT_ONCE = 2**18
# Of a parcel's voxels, and of a network's parcels.
_LEAST_SHARE = 0.5


def draw_parcels(run: RunReport) -> Drawing:
    """Draw network series with bands of two standard deviations, and the spectra of the parcels."""
    figure = new_figure(6.4)
    mark_synthetic(figure)
    top = top_of_axes(figure, 0.58)
    series = figure.add_gridspec(len(_SHOWN), 1, left=LEFT, right=RIGHT, top=top, bottom=0.42, hspace=0.35)
    rows = [figure.add_subplot(series[row]) for row in range(len(_SHOWN))]
    networks = np.array(load_atlas().networks)
    reliable = _reliable_parcels(run)
    for axes, (network, colour) in zip(rows, _SHOWN.items(), strict=True):
        members = np.flatnonzero(networks == network)
        mean, sd = run.summary.parcel_mean_z[:, members].mean(1), run.summary.parcel_sd_z[:, members].mean(1)
        times = volume_times_s(run, len(mean))
        share = None if reliable is None else float(reliable[members].mean())
        shown = colour if share is None or share >= _LEAST_SHARE else MUTED
        axes.fill_between(times, mean - 2 * sd, mean + 2 * sd, color=shown, alpha=0.22, linewidth=0)
        axes.plot(times, mean, color=shown)
        axes.axhline(0, color=FAINT, linewidth=0.7, zorder=0)
        axes.set_xlim(*volume_span_s(run))
        axes.set_ylabel("z")
        axes.tick_params(labelbottom=axes is rows[-1], labelsize=7)
        known = "" if share is None else f", {round(share * len(members))} of them may be interpreted"
        name_row(axes, f"{_NAMES[network]} ({len(members)} parcels{known})")
    rows[-1].set_xlabel("Time from the first volume (s)")
    spectrum = figure.add_gridspec(1, 1, left=LEFT, right=RIGHT, top=0.31, bottom=0.08)
    _draw_spectrum(figure.add_subplot(spectrum[0]), run, networks)
    share = run.sidecar.get("Metrics", {}).get("share_power_001_010_hz")
    power = "" if share is None else f"; {100 * share:.0f} % of the power lies between {_LOW_HZ:g} and {_HIGH_HZ:g} Hz"
    return Drawing(
        figure,
        f"Synthetic: mean series of {len(_SHOWN)} networks with bands of two predictive standard deviations, and "
        f"spectra of {run.summary.parcel_mean_z.shape[1]} parcels{power}.",
    )


def _reliable_parcels(run: RunReport) -> Bool[np.ndarray, " parcels"] | None:
    """Parcels of which at least half may be interpreted; ``None`` for a model that does not know."""
    if run.reliability is None:
        return None
    return averaging_of(run.grid) @ run.reliability.interpretable.astype(np.float32) >= _LEAST_SHARE


def _draw_spectrum(axes: Axes, run: RunReport, networks: np.ndarray) -> None:
    frequencies, power = _spectra(run)
    axes.axvspan(_LOW_HZ, _HIGH_HZ, color=FAINT, alpha=0.6, linewidth=0, label=f"{_LOW_HZ:g}-{_HIGH_HZ:g} Hz")
    inside = frequencies > 0
    if inside.sum() < 2:
        name_row(axes, "Spectrum: the run is too short")
        return
    decibels = 10 * np.log10(np.maximum(power[:, inside], 1e-12))
    low, middle, high = np.percentile(decibels, [5, 50, 95], axis=0)
    axes.fill_between(frequencies[inside], low, high, color=MUTED, alpha=0.25, linewidth=0, label="5-95 % of parcels")
    axes.plot(frequencies[inside], middle, color=INK, linewidth=1.3, label="median parcel")
    for network, colour in _SHOWN.items():
        mean = np.median(decibels[networks == network], axis=0)
        axes.plot(frequencies[inside], mean, color=colour, label=_NAMES[network])
    axes.set_xlim(0, float(frequencies.max()))
    top = float(high.max())
    axes.set_ylim(max(float(low.min()), top - _SHOWN_DB) - 3, top + 12)
    axes.set_xlabel("Frequency (Hz)")
    axes.set_ylabel("Power (dB)")
    axes.grid(color=FAINT, linewidth=0.5)
    name_row(axes, "Spectrum of the parcels' series")
    axes.legend(loc="upper right", ncols=4)


def _spectra(run: RunReport) -> tuple[Float[np.ndarray, " frequencies"], Float[np.ndarray, "parcels frequencies"]]:
    tr_s = run.recording.clock.tr_s
    series = run.summary.parcel_mean_z
    length = max(min(len(series), round(_WINDOW_S / tr_s)), 1)
    # A few parcels at a time: the windows of all of them at once are several times the series.
    pieces = np.array_split(series.T, min(max(-(-series.size // _VALUES_AT_ONCE), 1), series.shape[1]))
    spectra = [signal.welch(piece, fs=1 / tr_s, nperseg=length, axis=-1) for piece in pieces]
    return spectra[0][0], np.concatenate([power for _, power in spectra])
