"""Panels that say how far to trust a recording: novelty, calibration, connectivity, events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.eeg.recording import Event
from bids_eeg2fmri.evaluation.intervals import LEVELS
from bids_eeg2fmri.report.comparison import Comparison
from bids_eeg2fmri.report.held_out import held_out_coverage
from bids_eeg2fmri.report.panels.calibration import draw_calibration
from bids_eeg2fmri.report.panels.connectivity import (
    decode_correlations,
    draw_connectivity,
    encode_correlations,
    parcel_correlations,
)
from bids_eeg2fmri.report.panels.eventlocked import draw_eventlocked, has_locked_events
from bids_eeg2fmri.report.panels.novelty import draw_novelty
from bids_eeg2fmri.report.panels.sderror import draw_sderror, has_errors
from bids_eeg2fmri.report.population import connectivity_of_patterns
from bids_eeg2fmri.report.run import RunReport
from bids_eeg2fmri.report.style import SYNTHETIC_RED, report_style

Reports = Callable[..., RunReport]


@pytest.fixture(scope="module")
def run(report_of: Reports) -> RunReport:
    return report_of(n_volumes=90)


def drawn(draw: Callable, run: RunReport):
    with report_style():
        return draw(run)


# --- novelty ----------------------------------------------------------------------------------------------------


def test_the_largest_distance_is_named(run: RunReport) -> None:
    parts = np.tile([10.0, 20, 30, 97, 5], (90, 1)).astype(np.float32)
    strange = replace(run, summary=replace(run.summary, novelty=parts.max(1), novelty_parts=parts))
    drawing = drawn(draw_novelty, strange)
    assert "Median novelty percentile 97; 100 % of the volumes above the 95th" in drawing.description
    assert "Largest distance: head model's fit (median percentile 97)" in drawing.description
    shown = drawing.figure.axes[1].images[0].get_array()
    np.testing.assert_allclose(shown, parts.T)


def test_a_network_that_knows_one_distance_has_one_curve(run: RunReport) -> None:
    drawing = drawn(draw_novelty, replace(run, summary=replace(run.summary, novelty_parts=None)))
    assert "does not tell in which respect" in drawing.description
    assert not any(axes.images for axes in drawing.figure.axes)


# --- calibration ------------------------------------------------------------------------------------------------


def test_the_card_of_the_nearest_cap_is_taken() -> None:
    def row(offset: float) -> dict[str, dict[str, float]]:
        return {"coverage": {str(level): level + offset for level in LEVELS}}

    metadata = {"scores": {"recordings": {"19 channels": row(0.01), "64 channels": row(-0.02), "decoupled": row(0.3)}}}
    few, many = held_out_coverage(metadata, 21), held_out_coverage(metadata, 120)
    assert few is not None and many is not None
    np.testing.assert_allclose(few.voxels, np.array(LEVELS) + 0.01)
    np.testing.assert_allclose(many.voxels, np.array(LEVELS) - 0.02)
    assert (few.people, few.parcels) == ("held-out people, 19 electrodes", None)


def test_a_model_of_ones_own_states_its_means() -> None:
    mean = {f"coverage_{100 * level:g}": level for level in LEVELS}
    found = held_out_coverage({"scores": {"n_people": 6, "mean": mean}}, 32)
    assert found is not None
    assert (found.people, found.voxels) == ("6 held-out people", LEVELS)


@pytest.mark.parametrize("scores", [None, {}, {"mean": {"coverage_50": 0.5}}, {"recordings": {"19 channels": {}}}])
def test_a_model_that_states_no_coverage(scores: object, run: RunReport) -> None:
    assert held_out_coverage({"scores": scores}, 32) is None
    drawing = drawn(draw_calibration, replace(run, held_out=None))
    assert "does not say how often its intervals hold" in drawing.description


def test_held_out_people_and_this_recording_stand_beside_each_other(
    run: RunReport, comparison_of: Callable[..., object]
) -> None:
    drawing = drawn(draw_calibration, replace(run, comparison=comparison_of(run)))
    assert "Voxels, 40 held-out people, 64 electrodes (simulated): 49.0 % for 50 %" in drawing.description
    assert "This recording against the measured BOLD: 47.0 % for 50 %" in drawing.description
    assert len(drawing.figure.axes[0].lines) == 3


def test_errors_are_held_against_their_uncertainty(run: RunReport, comparison_of: Callable[..., Comparison]) -> None:
    sd = np.full((50, 4), 0.5)
    error = np.random.default_rng(0).normal(0, 0.5, sd.shape)
    error[:, 3] = np.nan
    compared = replace(run, comparison=comparison_of(run, parcel_error_z=error, parcel_sd_z=sd))
    description = drawn(draw_sderror, compared).description
    inside = 100 * np.mean(np.abs(error[:, :3]) < 1)
    assert "error of 4 parcels in 50 volumes" in description and "stated 0.50" in description
    assert has_errors(compared) and not has_errors(run)
    assert not has_errors(replace(run, comparison=comparison_of(run, parcel_error_z=error[:3], parcel_sd_z=sd[:3])))
    assert f"{inside:.0f} % of the errors within two" in description


# --- connectivity -----------------------------------------------------------------------------------------------


def test_the_populations_connectivity_is_that_of_the_patterns() -> None:
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((5, 3))
    loadings[4] = 0
    states = rng.standard_normal((200_000, 3))
    expected = np.corrcoef((states @ loadings.T)[:, :4], rowvar=False)
    found = connectivity_of_patterns(loadings)
    np.testing.assert_allclose(found[:4, :4], expected, atol=0.02)
    assert np.isnan(found[4]).all()


def test_a_copy_of_the_population_is_warned_of(run: RunReport) -> None:
    own = parcel_correlations(run.summary.parcel_mean_z)
    fine, collapsed = drawn(draw_connectivity, run), drawn(draw_connectivity, replace(run, population_r=own))
    assert "from 0.9 on" in fine.description
    assert fine.data["similarity"] < 0.9
    assert "this connectivity is the population's" in collapsed.description
    assert collapsed.data["similarity"] == 1.0
    assert [text.get_color() for text in collapsed.figure.texts][-1] == SYNTHETIC_RED
    unknown = drawn(draw_connectivity, replace(run, population_r=None))
    assert "does not say" in unknown.description
    assert "similarity" not in unknown.data


def test_correlations_survive_the_summary(run: RunReport) -> None:
    series = run.summary.parcel_mean_z.copy()
    series[:, 3] = 7
    matrix = parcel_correlations(series)
    reference = np.delete(np.delete(matrix, 3, 0), 3, 1)
    np.testing.assert_allclose(reference, np.corrcoef(np.delete(series, 3, 1), rowvar=False), atol=1e-4)
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    text = encode_correlations(matrix)
    assert len(text) < 31_000
    np.testing.assert_allclose(decode_correlations(text), pairs, atol=0.5 / 127 + 1e-6)
    with pytest.raises(ValueError):
        decode_correlations("#")


# --- events -----------------------------------------------------------------------------------------------------


def _with_response(run: RunReport, onsets_s: list[float]) -> RunReport:
    """Visual parcels that answer to every event with a gamma-shaped response, and events of a rare type."""
    clock = run.recording.clock
    times = clock.tr_s * np.arange(90)
    response = sum(stats.gamma.pdf(times - onset, 6) for onset in onsets_s)
    series = 0.001 * np.random.default_rng(1).standard_normal(run.summary.parcel_mean_z.shape)
    series[:, np.array(load_atlas().networks) == "Vis"] += np.asarray(response)[:, None]
    events = [Event(clock.first_volume_onset_s + onset, 1.0, "flash") for onset in onsets_s]
    events += [Event(clock.first_volume_onset_s + 50, 1.0, "rare")]
    recording = replace(run.recording, events=tuple(events))
    return replace(run, recording=recording, summary=replace(run.summary, parcel_mean_z=series.astype(np.float32)))


def test_a_response_peaks_when_it_does(run: RunReport) -> None:
    drawing = drawn(draw_eventlocked, _with_response(run, [20.0, 57.0, 83.0, 131.0]))
    visual = drawing.figure.axes[0]
    (curve,) = [line for line in visual.lines if str(line.get_label()).startswith("flash")]
    times, mean = curve.get_data()
    assert times[np.argmax(mean)] == pytest.approx(5.0, abs=1.01)
    assert "events of 1 types: flash (4)" in drawing.description
    assert "visual 0 %" not in drawing.description


def test_rare_events_have_no_panel(run: RunReport) -> None:
    two = _with_response(run, [20.0, 60.0])
    assert not has_locked_events(two)
    assert has_locked_events(run)
    assert not has_locked_events(replace(run, recording=replace(run.recording, events=())))
