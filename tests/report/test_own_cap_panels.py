"""What the panels say of a network with a cap of its own, and without an epistemic uncertainty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bids_eeg2fmri.eeg.cap_match import CapMatch
from bids_eeg2fmri.eeg.leadfield import template_directions
from bids_eeg2fmri.report.panels.features import draw_features
from bids_eeg2fmri.report.panels.methods import collect_methods
from bids_eeg2fmri.report.panels.montage import draw_montage
from bids_eeg2fmri.report.panels.uncertainty import draw_uncertainty
from bids_eeg2fmri.report.run import RunReport

NAMES = ("Oz", "Fp1", "Cz", "POz", "Fz", "C3", "C4", "P3", "P4", "F3", "F4", "Pz")


@pytest.fixture(scope="module")
def run(report_of) -> RunReport:
    usual = report_of()
    cap = CapMatch(NAMES, template_directions(NAMES), {"POz": "not recorded"}, ("F1",), np.eye(len(NAMES)))
    features = np.random.default_rng(0).standard_normal((usual.recording.clock.n_volumes, len(NAMES), 3))
    features[0] = 0
    summary = replace(
        usual.summary,
        features_z=features.astype(np.float32),
        bands_hz=((1.0, 4.0), (4.0, 8.0), (8.0, 13.0)),
        resolution=None,
        cap=cap,
        epistemic_sd_z=np.zeros_like(usual.summary.epistemic_sd_z),
        epistemic_estimated=False,
    )
    return replace(usual, summary=summary)


def texts(drawing) -> list[str]:
    axes = drawing.figure.axes
    return [text.get_text() for place in axes for text in (place.title, *place.texts, *place.get_yticklabels())]


def test_features_are_those_of_the_channels(run: RunReport) -> None:
    drawing = draw_features(run)
    assert "12 channels in 3 bands" in drawing.description
    named = [text for text in texts(drawing) if text in NAMES]
    assert (named[0], named[-1]) == ("Fp1", "Oz")
    bands, channels = (place.images[0].get_array() for place in drawing.figure.axes[:2])
    np.testing.assert_allclose(channels[0], run.summary.features_z[:, NAMES.index("Fp1"), 2], rtol=1e-6)
    expected = np.sqrt(np.square(run.summary.features_z).mean(axis=1)) - 1
    np.testing.assert_allclose(np.asarray(bands)[:, 1:], expected[1:].T, atol=1e-6)
    # A volume without EEG before it is not a calm one.
    assert not np.asarray(bands)[:, 0].any()


def test_the_montage_shows_the_own_cap(run: RunReport) -> None:
    drawing = draw_montage(run)
    assert "cap has 12 channels; interpolated: POz (not recorded)" in drawing.description
    assert "POz" in texts(drawing) and "The network's own cap" in texts(drawing)


def test_the_methods_do_not_speak_of_sources(run: RunReport, tmp_path) -> None:
    paragraph = collect_methods(run, tmp_path)["paragraphs"][1]
    assert "12 channels (1 of them interpolated" in paragraph
    assert "matched filters" not in paragraph


def test_what_is_not_estimated_is_called_so(run: RunReport) -> None:
    drawing = draw_uncertainty(run)
    assert "epistemic not estimated" in drawing.description
    assert any("not estimated" in text for text in texts(drawing))
