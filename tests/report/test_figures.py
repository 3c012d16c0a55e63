"""The public figures: what they draw is what they were given, and what they refuse."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import NETWORKS
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.report.figures.connectivity import network_order, plot_connectivity
from bids_eeg2fmri.report.figures.electrode_graph import plot_electrode_graph, strongest_edges
from bids_eeg2fmri.report.figures.head import flatten, places_on_head
from bids_eeg2fmri.report.figures.latent_circle import mean_directions, plot_latent_circle
from bids_eeg2fmri.report.figures.mosaics import plot_comparison, plot_volume
from bids_eeg2fmri.report.figures.relevance import (
    Dimension,
    plot_lag_curve,
    plot_relevance_dimension,
    plot_relevance_pair,
    plot_relevance_topography,
)
from bids_eeg2fmri.report.figures.slices import axial_slices, values_of
from bids_eeg2fmri.report.figures.training import plot_training_curves
from bids_eeg2fmri.report.figures.uncertainty import plot_uncertainties, plot_uncertainty_against_error

NAMES = ("Fp1", "Fp2", "C3", "Cz", "C4", "O1", "O2", "Oz")
MARK = "made up"


def words(figure) -> list[str]:
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [axes.get_title(), axes.get_title("left"), axes.get_xlabel(), axes.get_ylabel()]
        texts += [text.get_text() for text in axes.texts]
    return texts


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    """A ball that rises from left to right, in the middle of nothing."""
    index = np.indices((12, 14, 10)).astype(float)
    inside = sum((axis - size / 2) ** 2 for axis, size in zip(index, (12, 14, 10), strict=True)) < 16
    return np.where(inside, index[0] - 3.2, 0.0)


# --- volumes ----------------------------------------------------------------------------------------------------


def test_left_is_left_whatever_the_orientation(volume: np.ndarray) -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    turned = np.diag([-4.0, 4.0, 4.0, 1.0])
    turned[0, 3] = 4.0 * (len(volume) - 1)
    rows = []
    for image in (nib.Nifti1Image(volume, affine), nib.Nifti1Image(volume[::-1], turned)):
        rows.append(axial_slices(image, n_slices=3).row(values_of(image)))
    np.testing.assert_allclose(rows[0], rows[1])
    tile = rows[0][:, : rows[0].shape[1] // 3]
    columns = np.nanmean(tile[:, np.isfinite(tile).any(axis=0)], axis=0)
    assert (np.diff(columns) > 0).all()


def test_slices_are_named_by_millimetres_or_by_index(volume: np.ndarray) -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[2, 3] = -20
    slices = axial_slices(nib.Nifti1Image(volume, affine), n_slices=3)
    assert slices.names == tuple(f"z = {4 * index - 20} mm" for index in slices.indices)
    assert axial_slices(volume, n_slices=3).names == tuple(f"slice {index}" for index in slices.indices)


def test_a_comparison_shares_colours_and_shows_the_difference(volume: np.ndarray) -> None:
    prediction = np.where(volume != 0, 0.5 * volume, 0)
    figure = plot_comparison(volume, prediction, p_value=np.full(volume.shape, 0.01), unit="%", mark=MARK)
    pictures = [axes.images[0] for axes in figure.axes if axes.images]
    truth, predicted, residual, evidence = pictures
    assert truth.get_clim() == predicted.get_clim()
    np.testing.assert_allclose(residual.get_array(), truth.get_array() - predicted.get_array(), atol=1e-6)
    np.testing.assert_allclose(evidence.get_array().compressed(), 2.0, rtol=1e-6)
    assert {"%", "p", MARK} <= set(words(figure))


def test_outside_the_mask_nothing_is_shown(volume: np.ndarray) -> None:
    half = (volume != 0) & (np.indices(volume.shape)[1] < 7)
    figure = plot_volume(volume + 100, mask=half.astype(np.uint8), n_slices=2)
    shown = np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)
    assert np.nanmin(shown) > 90
    # A tile's upper half, towards the front, is empty.
    assert not np.isfinite(shown[shown.shape[0] // 2 + 2 :]).any()


def test_volumes_that_cannot_be_shown_are_refused(volume: np.ndarray) -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        plot_volume(np.zeros((4, 4, 4)))
    with pytest.raises(ValueError, match="three axes"):
        plot_volume(np.ones((4, 4)))
    with pytest.raises(ValueError, match="prediction has shape"):
        plot_comparison(volume, volume[1:])
    with pytest.raises(ValueError, match="Epistemic: shape"):
        plot_uncertainties({"Aleatoric": volume, "Epistemic": volume[1:]})
    with pytest.raises(ValueError, match="no uncertainty"):
        plot_uncertainties({})


# --- uncertainty ------------------------------------------------------------------------------------------------


def test_uncertainties_share_their_colours(volume: np.ndarray) -> None:
    sd = np.abs(volume) + (volume != 0)
    figure = plot_uncertainties({"Aleatoric": sd, "Epistemic": sd / 4}, prediction=volume)
    limits = [axes.images[0].get_clim() for axes in figure.axes if axes.images]
    assert limits[1] == limits[2]
    assert limits[1][0] == 0
    assert "Epistemic standard deviation" in words(figure)


@pytest.mark.parametrize(("factor", "position"), [(1.0, 0.0), (0.5, 1.0)])
def test_a_right_uncertainty_lies_on_the_diagonal(factor: float, position: float) -> None:
    rng = np.random.default_rng(0)
    sd = rng.uniform(0.5, 2, 20000)
    figure = plot_uncertainty_against_error(factor * sd, rng.normal(0, sd), mark=MARK)
    groups = next(line for line in figure.axes[0].lines if line.get_marker() == "o")
    stated, found = groups.get_data()
    np.testing.assert_allclose(np.log2(found / stated).mean(), position, atol=0.03)


def test_values_without_uncertainty_do_not_count() -> None:
    with pytest.raises(ValueError, match="fewer than 20 values"):
        plot_uncertainty_against_error(np.r_[np.ones(10), np.zeros(50)], np.ones(60))
    with pytest.raises(ValueError, match="shape"):
        plot_uncertainty_against_error(np.ones(30), np.ones(31))


# --- relevance and electrodes -----------------------------------------------------------------------------------


def test_electrodes_stand_where_they_are() -> None:
    places = dict(zip(NAMES, places_on_head(template_positions_m(NAMES), NAMES), strict=True))
    np.testing.assert_allclose(places["Cz"], 0, atol=0.01)
    assert places["Fp1"][0] < 0 < places["Fp2"][0]
    assert places["Oz"][1] < 0 < places["Fp1"][1]
    assert np.linalg.norm(flatten(np.array([[1.0, 0, 0]]))) > 0.8


def test_relevance_along_and_over_dimensions() -> None:
    electrodes, lags = Dimension("Electrode", "", NAMES), Dimension("Lag", "s", np.arange(0, 6, 0.5))
    relevance = np.outer(np.arange(8) - 3.5, np.hanning(12))
    bars = plot_relevance_dimension(relevance.sum(1), electrodes, sd=np.ones(8), mark=MARK).axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], relevance.sum(1))
    line = plot_relevance_dimension(relevance[0], lags, sd=np.ones(12)).axes[0].lines[1]
    np.testing.assert_allclose(line.get_data(), (lags.values, relevance[0]))
    figure = plot_relevance_pair(relevance, electrodes, lags, unit="share", mark=MARK)
    middle, above, beside = figure.axes[:3]
    np.testing.assert_allclose(middle.collections[0].get_array(), relevance)
    np.testing.assert_allclose(above.lines[0].get_ydata(), relevance.sum(0))
    np.testing.assert_allclose(beside.lines[0].get_xdata(), relevance.sum(1))
    assert {"Lag (s)", "Electrode", "share", MARK} <= set(words(figure))
    with pytest.raises(ValueError, match="electrode x lag"):
        plot_relevance_pair(relevance.T, electrodes, lags)


def test_a_topography_is_strongest_where_the_relevance_is() -> None:
    relevance = np.zeros((8, 2))
    relevance[NAMES.index("Oz"), 1] = -1.0
    figure = plot_relevance_topography(relevance, template_positions_m(NAMES), NAMES, ("alpha", "beta"))
    alpha, beta = (axes.images[0].get_array() for axes in figure.axes[:2])
    np.testing.assert_allclose(alpha, 0, atol=1e-6)
    rows, columns = beta.shape
    row, column = np.unravel_index(np.argmin(beta), beta.shape)
    assert row < rows / 4
    assert abs(column - columns / 2) < columns / 10
    with pytest.raises(ValueError, match="at least four"):
        plot_relevance_topography(relevance[:3], template_positions_m(NAMES[:3]), NAMES[:3], ("alpha", "beta"))


def test_a_lag_curve_ends_at_the_volume() -> None:
    lags = np.arange(0.0, 10.0)
    axes = plot_lag_curve(np.ones((2, 10)), lags, ("alpha", "beta"), sd=np.full((2, 10), 0.1)).axes[0]
    assert axes.get_xlim() == (9.0, 0.0)
    assert len({line.get_linestyle() for line in axes.lines[1:]}) == 2


def test_the_strongest_edges_are_drawn_once_where_weights_are_symmetric() -> None:
    weights = np.eye(8) * 9
    weights[1, 2], weights[2, 1], weights[3, 4] = 3, 1, 2
    assert strongest_edges(weights, 2) == ((3, 4, 2.0), (1, 2, 3.0))
    symmetric = weights + weights.T
    assert [edge[:2] for edge in strongest_edges(symmetric, 2)] == [(3, 4), (1, 2)]
    figure = plot_electrode_graph(weights, template_positions_m(NAMES), NAMES, n_edges=3, mark=MARK)
    assert {"Sender", "Receiver", "Oz", MARK} <= set(words(figure))
    with pytest.raises(ValueError, match="8 electrodes"):
        plot_electrode_graph(weights[:4], template_positions_m(NAMES), NAMES)


# --- training, latent, connectivity -----------------------------------------------------------------------------


def test_the_best_epoch_is_that_of_the_validation() -> None:
    figure = plot_training_curves({"a": np.array([3.0, 2, 1, 0.5])}, {"a": np.array([3.0, np.nan, 2.5, 4])})
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "best: epoch 3, 2.5" in labels
    assert plot_training_curves({"a": np.ones(3)}, quantity="r", lower_is_better=False)
    with pytest.raises(ValueError, match="validations"):
        plot_training_curves({"a": np.ones(3)}, {"b": np.ones(3)})


def test_circles_show_the_dimensions_that_part_the_classes() -> None:
    angles = np.zeros((6, 3))
    angles[3:, 1] = 3 * np.pi
    angles[:, 2] = np.linspace(0, 2 * np.pi, 7)[:6]
    figure = plot_latent_circle(angles, ["a", "a", "a", "b", "b", "b"], n_circles=2)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "Dimension 1: classes 2.00 apart"
    np.testing.assert_allclose(mean_directions(angles)[2], 0, atol=1e-12)
    with pytest.raises(ValueError, match="6 samples, 5 classes"):
        plot_latent_circle(angles, ["a"] * 5)


def test_parcels_are_ordered_by_network() -> None:
    networks = (NETWORKS[1], NETWORKS[0], NETWORKS[1], NETWORKS[0])
    order, borders, middles, names = network_order(networks)
    assert order == [1, 3, 0, 2]
    assert borders == [1.5]
    assert middles == [0.5, 2.5]
    assert len(names) == 2
    one, other = np.eye(4), np.full((4, 4), 0.5)
    figure = plot_connectivity({"One": one, "Other": other}, networks)
    shown = [axes.images[0].get_array() for axes in figure.axes[:3]]
    np.testing.assert_allclose(shown[2], shown[0] - shown[1])
    assert "One less other" in words(figure)
    with pytest.raises(ValueError, match="4 parcels"):
        plot_connectivity({"One": np.eye(3)}, networks)
