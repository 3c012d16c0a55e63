"""Make the pictures of docs/gallery.md from simulated data: ``python tools/make_gallery.py [NAME ...]``.

The data are drawn at random with a fixed seed and a few planted facts, so that every figure has something to show;
no EEG and no BOLD is read.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mne
import nibabel as nib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import GREY_MATTER, Grid, make_grid
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.report.figures.connectivity import plot_connectivity
from bids_eeg2fmri.report.figures.electrode_graph import plot_electrode_graph
from bids_eeg2fmri.report.figures.latent_circle import plot_latent_circle
from bids_eeg2fmri.report.figures.mosaics import plot_comparison, plot_volume
from bids_eeg2fmri.report.figures.relevance import (
    Dimension,
    plot_lag_curve,
    plot_relevance_dimension,
    plot_relevance_pair,
    plot_relevance_topography,
)
from bids_eeg2fmri.report.figures.similarity import plot_similarity
from bids_eeg2fmri.report.figures.training import plot_training_curves
from bids_eeg2fmri.report.figures.uncertainty import plot_uncertainties, plot_uncertainty_against_error
from bids_eeg2fmri.report.style import report_style
from bids_eeg2fmri.settings import OutputSpace

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
DPI = 80
N_COLOURS = 256
MARK = "SIMULATED DATA: random numbers with a planted effect"
BANDS = ("1-4 Hz", "4-8 Hz", "8-13 Hz", "13-20 Hz", "20-30 Hz", "30-45 Hz")
LAGS_S = np.arange(0.0, 16.5, 0.5)


class _Volumes(NamedTuple):
    truth: nib.Nifti1Image
    prediction: nib.Nifti1Image
    aleatoric: nib.Nifti1Image
    epistemic: nib.Nifti1Image
    p_value: nib.Nifti1Image


def _smooth(rng: np.random.Generator, grid: Grid, fwhm_mm: float) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.standard_normal(grid.shape), fwhm_mm / 2.3548 / grid.voxel_size_mm[0])
    return noise[grid.mask] / noise[grid.mask].std()


@cache
def _volumes() -> _Volumes:
    """A truth, a prediction that misses more where it says so, and both parts of its uncertainty."""
    rng, grid = np.random.default_rng(5), make_grid(OutputSpace(resolution="3"))
    depth = np.linalg.norm(grid.coordinates_mm - grid.coordinates_mm.mean(0), axis=1) / 80
    truth = _smooth(rng, grid, 24) * np.where(grid.tissue == GREY_MATTER, 1.2, 0.6)
    aleatoric = 0.35 + 0.5 * (1 - depth).clip(0) + 0.05 * _smooth(rng, grid, 18)
    epistemic = 0.15 + 0.04 * _smooth(rng, grid, 12)
    error = _smooth(rng, grid, 8) * np.hypot(aleatoric, epistemic)
    p_value = 10 ** -np.clip(np.abs(error / aleatoric) ** 2, 0, 4)
    images = [grid.image(values.clip(1e-3)) for values in (aleatoric, epistemic, p_value)]
    return _Volumes(grid.image(truth), grid.image(truth - error), *images)


@cache
def _cap() -> tuple[tuple[str, ...], np.ndarray]:
    names = tuple(mne.channels.make_standard_montage("biosemi32").ch_names)
    return names, template_positions_m(names)


@cache
def _relevance() -> np.ndarray:
    """Electrodes x bands x lags: occipital alpha, six seconds before the volume, speaks against the prediction."""
    rng = np.random.default_rng(2)
    _, positions = _cap()
    behind = np.exp(-(((positions[:, 1] + 0.09) / 0.04) ** 2))
    lag = np.exp(-(((LAGS_S - 6) / 2.2) ** 2))
    relevance = 0.04 * rng.standard_normal((len(positions), len(BANDS), len(LAGS_S)))
    relevance[:, 2] -= behind[:, None] * lag
    relevance[:, 5] += 0.35 * behind[:, None] * lag
    return ndimage.gaussian_filter1d(relevance, 1.0, axis=2) / np.abs(relevance).sum()


def _volume() -> Figure:
    return plot_volume(_volumes().prediction, title="A predicted volume", unit="z", diverging=True, mark=MARK)


def _comparison() -> Figure:
    made = _volumes()
    return plot_comparison(made.truth, made.prediction, p_value=made.p_value, mark=MARK)


def _uncertainties() -> Figure:
    made = _volumes()
    parts = {"Aleatoric": made.aleatoric, "Epistemic": made.epistemic}
    return plot_uncertainties(parts, prediction=made.prediction, truth=made.truth, mark=MARK)


def _uncertainty_against_error() -> Figure:
    made = _volumes()
    inside = made.aleatoric.get_fdata() > 0
    truth, prediction, aleatoric, epistemic, _ = (image.get_fdata()[inside] for image in made)
    return plot_uncertainty_against_error(0.8 * np.hypot(aleatoric, epistemic), truth - prediction, mark=MARK)


def _relevance_electrodes() -> Figure:
    names, _ = _cap()
    electrodes = Dimension("Electrode", "", names)
    return plot_relevance_dimension(
        _relevance().sum((1, 2)), electrodes, unit="share of all relevance", title="By electrode", mark=MARK
    )


def _relevance_pair() -> Figure:
    rows, columns = Dimension("Band", "", BANDS), Dimension("Lag before the volume", "s", LAGS_S)
    return plot_relevance_pair(
        _relevance().sum(0), rows, columns, unit="share of all relevance", title="By band and lag", mark=MARK
    )


def _relevance_topography() -> Figure:
    names, positions = _cap()
    return plot_relevance_topography(
        _relevance().sum(2), positions, names, BANDS, unit="share of all relevance", mark=MARK
    )


def _lag_curve() -> Figure:
    return plot_lag_curve(_relevance().sum(0), LAGS_S, BANDS, unit="share of all relevance", title="By lag", mark=MARK)


def _electrode_graph() -> Figure:
    names, positions = _cap()
    rng = np.random.default_rng(4)
    near = np.exp(-np.linalg.norm(positions[:, None] - positions[None], axis=2) / 0.05)
    sends = np.exp(-(((positions[:, 1] + 0.08) / 0.05) ** 2))
    logits = 2 * near + 2.5 * sends[None] + 0.5 * rng.standard_normal(near.shape)
    weights = np.exp(logits)
    return plot_electrode_graph(weights / weights.sum(1, keepdims=True), positions, names, mark=MARK)


def _training_curves() -> Figure:
    rng, epochs = np.random.default_rng(1), np.arange(40)
    training, validation = {}, {}
    for name, floor, rise in (("default", 0.62, 0.0002), ("twice as wide", 0.55, 0.0011)):
        training[name] = floor + 0.5 * np.exp(-epochs / 6) + 0.006 * rng.standard_normal(40)
        validation[name] = floor + 0.06 + 0.45 * np.exp(-epochs / 7) + rise * epochs**1.5 / 2
    return plot_training_curves(training, validation, quantity="Loss (negative log likelihood)", mark=MARK)


def _latent_circle() -> Figure:
    rng = np.random.default_rng(8)
    classes = ["rest"] * 24 + ["arithmetic"] * 24
    centre = np.outer([0.0] * 24 + [1.0] * 24, [2.6, 1.4, 0.5, 0.1]) + np.array([0.4, 2.0, 4.0, 5.5])
    return plot_latent_circle(centre + rng.normal(0, [0.5, 0.7, 1.0, 1.6], (48, 4)), classes, mark=MARK)


def _connectivity() -> Figure:
    rng, atlas = np.random.default_rng(9), load_atlas()
    members = np.unique(atlas.networks, return_inverse=True)[1]

    def correlations(share: float) -> np.ndarray:
        common = rng.standard_normal((8, 300))[members]
        return np.corrcoef(share * common + rng.standard_normal((len(members), 300)))

    return plot_connectivity({"One person": correlations(0.9), "Population": correlations(0.6)}, atlas.networks,
                             mark=MARK)  # fmt: skip


def _similarity() -> Figure:
    rng = np.random.default_rng(6)
    common, own = rng.standard_normal(2000), rng.standard_normal((14, 2000))
    own[1] = own[0] + 0.5 * own[1]
    names = [f"sub-{number:02}" for number in range(1, 15)]
    return plot_similarity(np.corrcoef(common + 0.9 * own), names, collapsed=0.9, mark=MARK)


MADE: dict[str, Callable[[], Figure]] = {
    "volume": _volume,
    "comparison": _comparison,
    "uncertainties": _uncertainties,
    "uncertainty_against_error": _uncertainty_against_error,
    "relevance_electrodes": _relevance_electrodes,
    "relevance_pair": _relevance_pair,
    "relevance_topography": _relevance_topography,
    "lag_curve": _lag_curve,
    "electrode_graph": _electrode_graph,
    "training_curves": _training_curves,
    "latent_circle": _latent_circle,
    "connectivity": _connectivity,
    "similarity": _similarity,
}


def make_pictures(folder: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """Write the pictures (all, or those that are named) and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names or MADE:
        buffer = io.BytesIO()
        with report_style():
            MADE[name]().savefig(buffer, dpi=DPI)
        path = folder / f"{name}.png"
        Image.open(buffer).convert("RGB").quantize(N_COLOURS).save(path, optimize=True)
        written.append(path)
    return written


if __name__ == "__main__":
    for picture in make_pictures(PICTURES, tuple(sys.argv[1:])):
        print(picture)
