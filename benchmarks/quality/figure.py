"""Coverage curves, and r of every predictor at every cap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bids_eeg2fmri.evaluation.intervals import LEVELS

from . import conditions as c
from .baselines import CEILING, FIXED_SIGNS, SEEN_THE_SCAN, SENSOR_RIDGE, SOURCE_RIDGE
from .people_scores import PeopleScores
from .scoring import MODEL

# Okabe and Ito's colours, which people with any colour vision can tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00")
_MARKERS = "osD^vPXd"
_SHOWN = (MODEL, SOURCE_RIDGE, SENSOR_RIDGE, FIXED_SIGNS, *SEEN_THE_SCAN[1:], CEILING)
_CONTROLS = (c.TRANSFER, c.UNMODULATED, c.DECOUPLED, *c.CORRUPTIONS, c.DEEP)


def draw(scores: PeopleScores, path: Path) -> None:
    """Write the figure in the format of the file's suffix."""
    figure = Figure(figsize=(13, 8.4), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.1, 1))
    caps, controls = top.subplots(1, 2, sharey=True)
    _coverage(caps, scores, [c.on_cap(cap) for cap in c.CAPS], "Voxels, usual recordings", 2)
    _coverage(controls, scores, _CONTROLS, "Voxels, controls and corrupted EEG, 64 channels", 5)
    caps.set_ylabel("noisy values inside (%)")
    _correlations(bottom.subplots(), scores)
    figure.savefig(path, dpi=130)


def _coverage(axes: Axes, scores: PeopleScores, labels: Sequence[str], title: str, margin: float) -> None:
    """Empirical against nominal coverage, with the margin around the diagonal."""
    nominal = 100 * np.array(LEVELS)
    line = np.array([45.0, 100.0])
    axes.fill_between(line, line - margin, line + margin, color="0.9", lw=0, label=f"within {margin:g} points")
    axes.plot(line, line, color="0.5", lw=0.8)
    for label, colour, marker in zip(labels, _COLOURS, _MARKERS, strict=False):
        axes.plot(nominal, 100 * scores.coverage(label), color=colour, marker=marker, ms=5, lw=1.3, label=label)
    axes.set(title=title, xlabel="stated by the interval (%)", xticks=nominal, xlim=line)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower right", frameon=False)


def _correlations(axes: Axes, scores: PeopleScores) -> None:
    """Mean parcel r of the predictors with its confidence interval, cap by cap."""
    labels = [*(c.on_cap(cap) for cap in c.CAPS), c.TRANSFER]
    for number, name in enumerate(_SHOWN):
        reached = [scores.r(label, name) for label in labels]
        mean, low, high = (np.array([float(getattr(r, part)) for r in reached]) for part in ("mean", "low", "high"))
        places = np.arange(len(labels)) + 0.09 * (number - (len(_SHOWN) - 1) / 2)
        axes.errorbar(
            places,
            mean,
            yerr=(mean - low, high - mean),
            fmt=_MARKERS[number],
            color=_COLOURS[number],
            ms=7 if name == MODEL else 5,
            capsize=2,
            lw=1.2,
            label=f"{name} (has seen the scan)" if name in SEEN_THE_SCAN else name,
        )
    axes.axhline(0, color="0.5", lw=0.8)
    axes.set(xticks=np.arange(len(labels)), xticklabels=labels, ylabel="mean parcel r with the noise-free truth")
    axes.set_title("Correlation over time: mean over people and 95 % confidence interval")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
