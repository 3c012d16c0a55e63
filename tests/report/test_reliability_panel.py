"""What may be interpreted is outlined, the rest hatched or grey; models that do not know say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.report.mosaic import OVERVIEW, draw_outline, hatch
from bids_eeg2fmri.report.panels.parcels import draw_parcels
from bids_eeg2fmri.report.panels.reliability import draw_reliability
from bids_eeg2fmri.report.panels.tstd import draw_tstd
from bids_eeg2fmri.report.run import RunReport
from bids_eeg2fmri.report.style import BLUE, MUTED, report_style

Reports = Callable[..., RunReport]


def _where(run: RunReport, interpretable: np.ndarray) -> RunReport:
    lower = np.where(interpretable, 0.1, -0.1).astype(np.float32)
    return replace(run, reliability=replace(run.reliability, lower=lower))


def test_the_sentence_holds_the_share_of_grey_matter(report_of: Reports) -> None:
    run = report_of(n_volumes=20)
    left = run.grid.coordinates_mm[:, 0] < 0
    with report_style():
        described = draw_reliability(_where(run, left)).description
    share = 100 * left[run.grid.tissue == 2].mean()
    assert f"{share:.0f} % of grey matter may be interpreted" in described
    assert "62 good electrodes" in described and "20 held-out people" in described


def test_nothing_at_all_may_be_interpreted(report_of: Reports) -> None:
    run = report_of(n_volumes=20)
    with report_style():
        drawing = draw_reliability(_where(run, np.zeros(len(run.grid.tissue), bool)))
    assert "Synthetic: 0 % of grey matter" in drawing.description


def test_a_model_without_an_atlas_says_so(report_of: Reports) -> None:
    run = report_of(n_volumes=20, reliability=None)
    with report_style():
        assert "no reliability atlas" in draw_reliability(run).description
        assert "hatched" not in draw_tstd(run).figure.axes[0].get_title(loc="left")


def test_hatches_lie_on_their_voxels_only(report_of: Reports) -> None:
    grid = report_of(n_volumes=20).grid
    axes = Figure().add_subplot()
    hatch(axes, grid, grid.coordinates_mm[:, 2] > 0, OVERVIEW)
    lines = np.isfinite(np.ma.filled(axes.images[0].get_array(), np.nan))
    tiles = np.array_split(np.arange(lines.shape[1]), len(OVERVIEW))
    # The first cut lies at z = -40, the last axial one at z = 56.
    assert not lines[:, tiles[0]].any()
    assert 0.05 < lines[:, tiles[6]].mean() < 0.35


def test_an_empty_outline_is_no_error(report_of: Reports) -> None:
    grid = report_of(n_volumes=20).grid
    axes = Figure().add_subplot()
    draw_outline(axes, grid, np.zeros(len(grid.tissue), bool), OVERVIEW, BLUE)
    assert not axes.collections


def test_networks_that_may_not_be_interpreted_are_grey(report_of: Reports) -> None:
    run = report_of(n_volumes=40)
    networks = np.array(["none", *load_atlas().networks])
    visual = networks[load_atlas().labels_at(run.grid.coordinates_mm)] == "Vis"
    with report_style():
        rows = draw_parcels(_where(run, visual)).figure.axes[:4]
    colours = [axes.lines[0].get_color() for axes in rows]
    assert colours == [BLUE, MUTED, MUTED, MUTED]
    n_visual = load_atlas().networks.count("Vis")
    assert rows[0].get_title(loc="left") == f"Visual ({n_visual} parcels, {n_visual} of them may be interpreted)"
    assert ", 0 of them" in rows[1].get_title(loc="left")
