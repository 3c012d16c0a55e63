"""Sections of the group page: outliers, maps, connectivity of people, and those of other analyses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.report.figure_paths import summary_path
from bids_eeg2fmri.report.figures.similarity import plot_similarity
from bids_eeg2fmri.report.group_connectivity import connectivity_section
from bids_eeg2fmri.report.group_maps import map_section
from bids_eeg2fmri.report.group_outliers import modified_z, outlier_section
from bids_eeg2fmri.report.group_page import render_group_page
from bids_eeg2fmri.report.group_search import search_section
from bids_eeg2fmri.report.group_section import figures_section, group_figure
from bids_eeg2fmri.report.group_summaries import read_summaries
from bids_eeg2fmri.report.group_table import GroupRow
from bids_eeg2fmri.report.panels.connectivity import encode_correlations
from bids_eeg2fmri.report.parcel_values import as_parcels, on_template, parcel_means
from bids_eeg2fmri.report.style import new_figure
from bids_eeg2fmri.settings import OutputSpace

N_PARCELS = len(load_atlas())


def row(person: str, run: int = 1, **metrics: float) -> GroupRow:
    return GroupRow(f"sub-{person}_task-rest_rec-eeg2fmri_run-{run}", {"sub": person}, {"Metrics": metrics})


def write_summary(folder: Path, of: GroupRow, panels: dict[str, Any]) -> None:
    path = folder / summary_path(of.stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"stem": of.stem, "panels": panels}), "utf-8")


def correlations(seed: int, share: float) -> str:
    """A matrix that shares a part of its structure with all others."""
    common = np.random.default_rng(99).standard_normal((N_PARCELS, 60))
    own = np.random.default_rng(seed).standard_normal((N_PARCELS, 60))
    return encode_correlations(np.corrcoef(share * common + (1 - share) * own))


@pytest.fixture
def recordings() -> list[GroupRow]:
    return [row("01"), row("01", 2), row("02"), row("03")]


# --- outliers ---------------------------------------------------------------------------------------------------


def test_outliers_are_named_by_the_robust_z() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.05, 0.95, 3.0])
    spread = np.median(np.abs(values - np.median(values)))
    np.testing.assert_allclose(modified_z(values), 0.6745 * (values - np.median(values)) / spread)
    rows = [row(f"{index:02}", tsnr_median=value, n_volumes=90) for index, value in enumerate(values)]
    entries = outlier_section(rows).content["entries"]
    assert [(entry["page"], entry["metric"], entry["value"]) for entry in entries] == [("sub-05.html", "tSNR", "3")]


def test_few_recordings_have_no_outliers() -> None:
    content = outlier_section([row("01", tsnr_median=1), row("02", tsnr_median=99)]).content
    assert not content["enough"] and not content["entries"]
    assert not modified_z(np.array([1.0, 1, 1, 1, 1, 9])).any()


# --- maps -------------------------------------------------------------------------------------------------------


def test_a_map_survives_its_way_through_the_parcels() -> None:
    grid = make_grid(OutputSpace(resolution="4"))
    values = grid.coordinates_mm[:, 1].astype(np.float32).copy()
    values[::50] = np.nan
    parcels = as_parcels(parcel_means(grid, values))
    assert parcels is not None
    np.testing.assert_allclose(parcels, load_atlas().centres_mm[:, 1], atol=3.5)
    painted = on_template(parcels).get_fdata()
    labels = load_atlas().labels
    np.testing.assert_allclose(painted[labels == 7], parcels[6])
    assert np.isnan(painted[labels == 0]).all()
    assert as_parcels(parcel_means(grid, np.full(len(values), np.nan)))[0] != as_parcels([1.0] * N_PARCELS)[0]
    assert as_parcels([1.0]) is None and as_parcels("text") is None


def test_people_weigh_the_same_however_many_recordings_they_have(recordings: list[GroupRow], tmp_path: Path) -> None:
    for each, value in zip(recordings, (0.1, 0.3, 0.5, 0.8), strict=True):
        write_summary(tmp_path, each, {"tstd": {"parcel_tstd": [value] * N_PARCELS}, "reliability": {}})
    section = map_section(read_summaries(recordings, tmp_path))
    assert section is not None
    (figure,) = section.content["figures"]
    assert f"mean over 3 people: median parcel {(0.2 + 0.5 + 0.8) / 3:.3g} BOLD units" in figure["description"]


def test_recordings_without_a_usable_summary_are_left_out(recordings: list[GroupRow], tmp_path: Path) -> None:
    write_summary(tmp_path, recordings[0], {"tstd": {"parcel_tstd": [0.2] * 3}})
    broken = tmp_path / summary_path(recordings[2].stem)
    broken.parent.mkdir(parents=True)
    broken.write_text("{", "utf-8")
    summaries = read_summaries(recordings, tmp_path)
    assert list(summaries) == ["01"]
    assert map_section(summaries) is None
    assert connectivity_section(summaries) is None


# --- connectivity -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "collapsed"), [(0.3, False), (0.95, True)])
def test_a_model_that_tells_everyone_the_same_is_warned_of(
    share: float, collapsed: bool, recordings: list[GroupRow], tmp_path: Path
) -> None:
    for seed, each in enumerate(recordings):
        write_summary(tmp_path, each, {"connectivity": {"parcel_r": correlations(seed, share)}})
    section = connectivity_section(read_summaries(recordings, tmp_path))
    assert section is not None
    warning = section.content["warning"]
    assert (warning is not None and "tells of the model" in warning) == collapsed
    description = section.content["figures"][0]["description"]
    assert "between 3 people" in description and "two recordings of one person" in description


def test_one_person_cannot_be_compared(recordings: list[GroupRow], tmp_path: Path) -> None:
    write_summary(tmp_path, recordings[0], {"connectivity": {"parcel_r": correlations(0, 0.5)}})
    write_summary(tmp_path, recordings[2], {"connectivity": {"parcel_r": "not base64!"}})
    assert connectivity_section(read_summaries(recordings, tmp_path)) is None


def test_the_diagonal_of_a_similarity_does_not_count() -> None:
    figure = plot_similarity(np.array([[1, 0.4, 0.6], [0.4, 1, 0.5], [0.6, 0.5, 1]]), ("a", "b", "c"), collapsed=0.9)
    assert np.ma.getmaskarray(figure.axes[0].images[0].get_array()).diagonal().all()
    labels = [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]
    assert labels == ["mean 0.50", "collapse: 0.9 or more"]
    with pytest.raises(ValueError, match="at least two"):
        plot_similarity(np.eye(1), ("a",))


# --- the page ---------------------------------------------------------------------------------------------------


def test_sections_stand_in_their_order_below_our_own(recordings: list[GroupRow], tmp_path: Path) -> None:
    figure = group_figure(new_figure(1.0), "Empty", "Nothing <at> all")
    table = {"columns": ["Row", "Value"], "rows": [["<b>", "1"]]}
    sections = [
        figures_section("Classes", "How to read", [figure], warning="Careful", table=table),
        figures_section("Contrast", "Other", []),
    ]
    page = render_group_page(recordings, [], "cmd", tmp_path, sections)
    headings = re.findall(r"<h2>(.+?)</h2>", page)
    assert headings == ["Outliers", "Classes", "Contrast", "Table"]
    assert 'alt="Nothing &lt;at&gt; all"' in page
    assert "&lt;b&gt;" in page and "Careful" in page
    assert 'src="data:image/svg+xml;base64,' in page


# --- architecture search ----------------------------------------------------------------------------------------


def test_a_model_that_was_searched_for_brings_its_leaderboard(tmp_path: Path, recordings: list[GroupRow]) -> None:
    assert search_section(tmp_path) is None
    columns = ("rank", "candidate", "state", "validation_error", "eeg_kernels", "style")
    lines = [
        columns,
        ("1", "4", "trained", "0.3125", "5x3x2 4x3x2", "prior"),
        ("2", "1", "stopped", "0.5", "9x9x3", "none"),
    ]
    (tmp_path / "leaderboard.tsv").write_text("".join("\t".join(line) + "\n" for line in lines), "utf-8")
    (tmp_path / "leaderboard.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", "utf-8")
    section = search_section(tmp_path)
    assert section is not None
    page = render_group_page(recordings, [], "bids-eeg2fmri", tmp_path, [section])
    assert "Architecture search" in page
    assert "2 architectures were tried; the lowest error is 0.3125." in page
    assert page.index("5x3x2 4x3x2") < page.index("9x9x3")
    # Other leaderboards have further columns, or fewer.
    assert section.content["table"]["rows"][0][:3] == ["1", "trained", "0.3125"]
    assert "n/a" in section.content["table"]["rows"][0]
