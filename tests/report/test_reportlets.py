"""The figures of a recording: complete, valid, marked, and drawn whatever the recording lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from defusedxml import ElementTree

from bids_eeg2fmri.bold import thinning
from bids_eeg2fmri.eeg.recording import Event, Recording, VolumeClock
from bids_eeg2fmri.report.comparison import Comparison
from bids_eeg2fmri.report.mosaic import OVERVIEW, map_strip, partial_map_strip
from bids_eeg2fmri.report.panel import FigurePanel, InteractivePanel, Panel, has
from bids_eeg2fmri.report.panels import BOLD, PANELS, VERSUS
from bids_eeg2fmri.report.panels.carpet import draw_carpet
from bids_eeg2fmri.report.panels.confounds import motion_statement
from bids_eeg2fmri.report.panels.features import draw_features
from bids_eeg2fmri.report.panels.outputs import collect_outputs
from bids_eeg2fmri.report.panels.uncertainty import share_of_grey_below
from bids_eeg2fmri.report.panels.versus import draw_versus
from bids_eeg2fmri.report.reportlets import file_name, write_reportlets
from bids_eeg2fmri.report.run import RunReport
from bids_eeg2fmri.report.style import SYNTHETIC_TEXT, report_style, svg_bytes

# Nobody asked for explanations here.
FIGURES = [
    panel for panel in PANELS if isinstance(panel, FigurePanel) and panel.panel_id not in ("relevance", "attention")
]
OF_EVERYONE = [panel for panel in FIGURES if panel.only_with is None]
Reports = Callable[..., RunReport]
Recordings = Callable[..., Recording]
Comparisons = Callable[..., Comparison]
Writer = Callable[[RunReport, Path], tuple[Path, ...]]
Written = tuple[Path, RunReport, tuple[Path, ...]]


@pytest.fixture(scope="module")
def written(report_of: Reports, comparison_of: Comparisons, tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("out")
    run = report_of()
    run = replace(run, comparison=comparison_of(run))
    return folder, run, write_reportlets(run, folder)


def test_panels_of_the_conventions_are_declared() -> None:
    expected = ["banner", "inputs", "montage", "eegquality", "features", "novelty", "reliability", "boldref", "tstd"]
    expected += ["carpet", "viewer", "uncertainty", "calibration", "parcels", "connectivity", "eventlocked"]
    expected += ["confounds", "relevance", "attention", "scores", "versus", "sderror", "outputs", "methods"]
    assert [panel.panel_id for panel in PANELS] == expected
    some = [panel.panel_id for panel in PANELS if panel.only_with is not None]
    assert some == ["viewer", "eventlocked", "relevance", "attention", "scores", "versus", "sderror"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.panel_id)
def test_every_panel_asks_a_question_and_says_what_is_bad(panel: Panel) -> None:
    assert panel.question[0].isupper() and panel.question.endswith("?") and panel.question.count("?") == 1
    assert len(panel.caption) > 20
    assert panel.bad.endswith(".")
    assert len({panel.question, panel.caption, panel.bad}) == 3


def test_one_file_per_figure_under_its_name(written: Written) -> None:
    folder, run, files = written
    shown = [panel for panel in PANELS if isinstance(panel, FigurePanel | InteractivePanel) and has(panel, run)]
    names = [file_name(run.stem, panel) for panel in shown]
    assert [path.name for path in files] == [*names, f"{run.stem}_desc-summary_bold.json"]
    assert {path.parent.as_posix() for path in files} == {"sub-01/figures"}
    assert sorted(path.name for path in (folder / "sub-01" / "figures").iterdir()) == sorted(p.name for p in files)


@pytest.mark.parametrize("panel", FIGURES, ids=lambda panel: panel.panel_id)
def test_figures_are_valid_svg_of_the_report_width(written: Written, panel: FigurePanel) -> None:
    folder, run, _ = written
    root = ElementTree.parse(folder / "sub-01/figures" / file_name(run.stem, panel)).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("width") == "792pt"
    images = [node.get("{http://www.w3.org/1999/xlink}href") for node in root.iter("{http://www.w3.org/2000/svg}image")]
    assert all(href.startswith("data:image/png;base64,") for href in images)


@pytest.mark.parametrize("panel", FIGURES, ids=lambda panel: panel.panel_id)
def test_bold_figures_say_synthetic_and_eeg_figures_do_not(written: Written, panel: FigurePanel) -> None:
    folder, run, _ = written
    svg = (folder / "sub-01/figures" / file_name(run.stem, panel)).read_text("utf-8")
    assert (f"<!-- {SYNTHETIC_TEXT} -->" in svg) == (panel.section in (BOLD, VERSUS))


def test_the_set_is_small(written: Written) -> None:
    folder, _, files = written
    assert sum((folder / path).stat().st_size for path in files) < 6e6


def test_same_recording_gives_the_same_bytes(written: Written) -> None:
    folder, run, _ = written
    for panel in FIGURES:
        if panel.panel_id in ("montage", "carpet"):
            with report_style():
                drawing = panel.draw(run)
                again = svg_bytes(drawing.figure, f"{panel.title}: {run.stem}", drawing.description)
            assert again == (folder / "sub-01/figures" / file_name(run.stem, panel)).read_bytes()


def test_text_alternatives_hold_the_numbers(written: Written) -> None:
    folder, _, files = written
    panels = json.loads((folder / files[-1]).read_text("utf-8"))["panels"]
    assert all(re.search(r"\d", panels[panel.panel_id]["description"]) for panel in FIGURES)
    assert "62 electrodes used, 2 bad, 3 channels left out" in panels["montage"]["description"]
    of_bold = [panel for panel in FIGURES if panel.section in (BOLD, VERSUS)]
    assert all(panels[panel.panel_id]["description"].startswith("Synthetic") for panel in of_bold)
    assert "212 parcels 0.340, where circular shifts reach 0.080" in panels["versus"]["description"]
    assert "62 % of the parcels above chance" in panels["versus"]["description"]
    assert "47.0 % for 50 %" in panels["calibration"]["description"]


def test_outputs_have_size_and_hash(report_of: Reports, tmp_path: Path) -> None:
    output = Path("sub-01/func/sub-01_task-rest_rec-eeg2fmri_bold.nii.gz")
    (tmp_path / output).parent.mkdir(parents=True)
    (tmp_path / output).write_bytes(b"abc")
    run = report_of(n_volumes=20, outputs=(output, Path("sub-01/func/later.json")))
    there, later = collect_outputs(run, tmp_path)["files"]
    assert there["bytes"] == 3
    assert there["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert later["sha256"] is None


def test_relative_uncertainty_against_its_definition(report_of: Reports) -> None:
    run = report_of(n_volumes=20)
    grey = run.grid.tissue == 2
    expected = np.mean([total < 0.9 * sd for total, sd in zip(run.total_sd_map[grey], run.tstd_map[grey], strict=True)])
    assert share_of_grey_below(run, 0.9) == pytest.approx(expected)


def _bare(recording: Recording) -> Recording:
    cleaning = replace(recording.cleaning, steps=(), bad_channels={}, bad_segments_s=(), line_frequency_hz=None)
    everything_good = np.ones(len(recording.channel_names), bool)
    return replace(
        recording, events=(), left_out={}, warnings=(), cleaning=cleaning, good=everything_good, reference=""
    )


def test_a_recording_without_events_bad_channels_or_left_out_channels(
    report_of: Reports, recording_of: Recordings, tmp_path: Path
) -> None:
    run = report_of(recording=_bare(recording_of(60)), n_volumes=60, seconds={}, sidecar={}, confounds=pd.DataFrame())
    summary = json.loads((tmp_path / write_reportlets(run, tmp_path)[-1]).read_text("utf-8"))["panels"]
    rows = {row["name"]: row["value"] for row in summary["inputs"]["rows"]}
    assert (rows["Events"], rows["Left out"], rows["Bad channels"]) == ("none", "none", "none")
    assert summary["banner"]["facts"]["Model"] == "n/a"
    assert summary["banner"]["simulated"] is False


def test_series_one_volume_short_and_undefined_values(report_of: Reports, tmp_path: Path) -> None:
    run = report_of(n_volumes=40)
    tstd = run.tstd_map.copy()
    tstd[:500] = 0
    run = replace(
        run,
        tstd_map=tstd,
        mean_sd_z=run.mean_sd_z[:-1],
        confounds=run.confounds.iloc[:-1].astype(object).where(run.confounds.iloc[:-1].notna(), "n/a"),
    )
    assert len(write_reportlets(run, tmp_path)) == len(OF_EVERYONE) + 2


def test_a_single_volume(report_of: Reports, recording_of: Recordings, tmp_path: Path) -> None:
    recording = replace(recording_of(30), clock=VolumeClock(0.0, 2.0, 1, "assumed: no volume markers"))
    run = report_of(recording=recording, n_volumes=1)
    assert len(write_reportlets(run, tmp_path)) == len(OF_EVERYONE) + 2


def test_labels_are_text_not_markup(report_of: Reports, recording_of: Recordings, tmp_path: Path) -> None:
    recording = recording_of(30)
    odd = ["$\\frac{1}{", "</svg><script>alert(1)</script>", "--> <b>", "\x00\x07", "日本", "a" * 500]
    events = tuple(Event(20.0 + index, 1.0, name) for index, name in enumerate(odd * 2))
    names = ("<i>$x$", *recording.channel_names[1:])
    write_reportlets(
        report_of(recording=replace(recording, events=events, channel_names=names), n_volumes=30), tmp_path
    )
    for path in (tmp_path / "sub-01/figures").glob("*.svg"):
        tags = {node.tag for node in ElementTree.parse(path).iter() if isinstance(node.tag, str)}
        assert not any(tag.endswith(("script", "}b", "}i")) for tag in tags)


def test_many_event_types_share_the_last_lane(report_of: Reports, recording_of: Recordings) -> None:
    events = tuple(Event(15.0 + index, 0.0, f"type {index % 12}") for index in range(60))
    run = report_of(recording=replace(recording_of(60), events=events), n_volumes=60)
    with report_style():
        svg = svg_bytes(draw_carpet(run).figure, "", "").decode()
    assert "<!-- 5 other types -->" in svg
    assert len(re.findall(r"<!-- type \d+ -->", svg)) == 7


def test_thinned_series_span_the_whole_run(report_of: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    run = report_of(n_volumes=61)
    monkeypatch.setattr(thinning, "MOST_COLUMNS", 31)
    run = replace(
        run,
        carpet_z=run.carpet_z[:, ::2],
        summary=replace(run.summary, features_z=run.summary.features_z[::2]),
    )
    last_s = run.recording.clock.tr_s * 62
    for draw, words in (
        (draw_carpet, "over 61 volumes"),
        (draw_features, "over 61 volumes, of which one in 2 is shown"),
    ):
        with report_style():
            drawing = draw(run)
        images = [image for axes in drawing.figure.axes for image in axes.get_images()]
        wide = [image.get_extent()[1] for image in images if image.get_array().shape[1] == 31]
        assert wide and set(wide) == {last_s}
        assert words in drawing.description


def test_motion_that_is_not_zero_is_not_called_zero(report_of: Reports) -> None:
    run = report_of(n_volumes=30)
    assert motion_statement(run).startswith("Motion is zero by construction: all 6 motion columns")
    assert "not zero" in motion_statement(replace(run, confounds=run.confounds.assign(trans_x=0.1)))
    assert "no motion columns" in motion_statement(replace(run, confounds=pd.DataFrame()))


def test_scores_stand_above_baselines_and_chance(written: Written) -> None:
    folder, _, files = written
    table = json.loads((folder / files[-1]).read_text("utf-8"))["panels"]["scores"]["table"]
    columns = [column["label"] for column in table["columns"]]
    assert columns == ["Parcel r", "Voxel r", "Spatial r", "FC similarity", "Skill", "CRPS / climatology"]
    rows = {row["label"]: row["cells"] for row in table["rows"]}
    assert rows["This model"] == ["0.340", "0.210", "0.180", "0.410", "0.045", "0.977"]
    assert rows["Mean volume"] == ["0.000", "0.000", "0.000", "", "0.000", "1.000"]
    assert rows["Previous volume"] == ["0.710", "0.640", "0.620", "", "-0.200", ""]
    assert rows["Source power, fixed signs"][0] == "0.290"
    assert [rows[f"Chance, {kind}, 95 %"][0] for kind in ("circular shifts", "phase surrogates")] == ["0.080", "0.090"]


def test_a_recording_without_a_scanner_has_neither_panels_nor_words_of_one(
    written: Written, report_of: Reports, write_blank_reportlets: Writer, tmp_path: Path
) -> None:
    _, compared, _ = written
    figures = tmp_path / "sub-01" / "figures"
    figures.mkdir(parents=True)
    stale = figures / f"{compared.stem}_desc-versus_bold.svg"
    stale.touch()
    files = write_blank_reportlets(report_of(), tmp_path)
    assert not stale.exists()
    assert sorted(path.name for path in files) == sorted(path.name for path in figures.iterdir())
    text = (tmp_path / files[-1]).read_text("utf-8")
    assert not {"scores", "versus", "sderror"} & set(json.loads(text)["panels"])
    assert "scanner's" not in text
    assert "No BOLD was measured" in text


def test_a_simulated_scanner_is_called_so(written: Written, report_of: Reports, comparison_of: Comparisons) -> None:
    _, compared, _ = written
    run = report_of()
    simulated = replace(run, comparison=comparison_of(run, simulated=True))
    with report_style():
        described = [draw_versus(each).description for each in (compared, simulated)]
    assert ["measured BOLD" in text for text in described] == [True, False]
    assert "simulated scanner's BOLD" in described[1]


def test_a_map_is_blank_where_the_scanner_has_no_signal(report_of: Reports) -> None:
    grid = report_of(n_volumes=20).grid
    values = np.ones(len(grid.tissue), np.float32)
    whole = map_strip(grid, values, OVERVIEW)
    low = grid.coordinates_mm[:, 2] < 0
    part = partial_map_strip(grid, np.where(low, np.nan, values), OVERVIEW)
    assert 0.2 < np.isfinite(part).sum() / np.isfinite(whole).sum() < 0.8
    np.testing.assert_allclose(part[np.isfinite(part)], 1.0, atol=1e-5)
