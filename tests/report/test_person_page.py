"""The page of a person: what is on it, and that it stands alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from bids_eeg2fmri.eeg.recording import Event, Recording
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.report.comparison import Comparison
from bids_eeg2fmri.report.figure_sources import FigureSources
from bids_eeg2fmri.report.panel import FigurePanel, Panel
from bids_eeg2fmri.report.panels import PANELS
from bids_eeg2fmri.report.person import write_person_report
from bids_eeg2fmri.report.run import RunReport

VOID = {"meta", "img", "br", "link", "input", "hr"}
Reports = Callable[..., RunReport]
Recordings = Callable[..., Recording]
Writer = Callable[[RunReport, Path], tuple[Path, ...]]
# 40 volumes leave no room for means around events.
ABSENT = ("eventlocked", "relevance", "attention")
STEMS = ("sub-01_ses-a_task-rest_rec-eeg2fmri_run-1", "sub-01_ses-b_task-oddball_rec-eeg2fmri")


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on tags that do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, attribute: str, tag: str | None = None) -> list[str]:
        return [str(found[attribute]) for name, found in self.tags if attribute in found and tag in (None, name)]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def shown_for(stem: str) -> list[Panel]:
    """Panels of a recording: the second was compared with a scanner's BOLD. Nobody asked for explanations."""
    compared = {"scores", "versus", "sderror"}
    return [
        panel
        for panel in PANELS
        if panel.panel_id not in {*ABSENT, *compared} or (panel.panel_id in compared and stem == STEMS[1])
    ]


@pytest.fixture(scope="module")
def output(
    report_of: Reports,
    comparison_of: Callable[[RunReport], Comparison],
    write_blank_reportlets: Writer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("out")
    run = report_of(n_volumes=40)
    for stem, comparison in zip(STEMS, (None, comparison_of(run)), strict=True):
        write_blank_reportlets(replace(run, stem=stem, outputs=(), comparison=comparison), folder)
    crash = folder / "logs" / "20300101-1" / "crash-sub-01_ses-c_task-rest.txt"
    crash.parent.mkdir(parents=True)
    crash.write_text("Traceback: <b>boom</b>", "utf-8")
    (folder / "logs" / "20300101-1" / "crash-sub-011_task-rest.txt").write_text("someone else", "utf-8")
    return folder


@pytest.fixture(scope="module")
def page(output: Path) -> Page:
    path = write_person_report(output, "01")
    assert path == output / "sub-01.html"
    return Page(path.read_text("utf-8"))


def test_every_panel_of_every_recording_is_there(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {f"{stem}_{panel.panel_id}" for stem in STEMS for panel in shown_for(stem)} <= set(ids)
    assert page.values("data-panel").count("carpet") == 2
    assert "errors" in page.values("data-panel")


def test_panels_of_a_comparison_stand_only_where_there_was_one(page: Page) -> None:
    ids = set(page.values("id"))
    for stem in STEMS:
        there = {panel.panel_id for panel in PANELS if f"{stem}_{panel.panel_id}" in ids}
        assert there == {panel.panel_id for panel in shown_for(stem)}
    assert "how it does on this recording stands under Scores" in page.text
    assert "nothing here says how well it does on people" in page.text


def test_navigation_reaches_every_panel(page: Page) -> None:
    anchors = {link[1:] for link in page.values("href", "a") if link.startswith("#")}
    assert anchors <= set(page.values("id"))
    assert {f"{stem}_{panel.panel_id}" for stem in STEMS for panel in shown_for(stem)} <= anchors
    assert "ses-a task-rest run-1" in page.text
    assert "ses-b task-oddball" in page.text


def test_links_are_relative_and_lead_to_files(page: Page, output: Path) -> None:
    links = [link for link in page.values("href") + page.values("src") if not link.startswith("#")]
    figures = [panel for stem in STEMS for panel in shown_for(stem) if isinstance(panel, FigurePanel)]
    assert len(links) >= 2 * len(figures)
    for link in links:
        assert link.startswith("./")
        assert (output / unquote(link)).is_file(), link


def test_nothing_is_fetched_and_only_the_viewers_script_runs(page: Page) -> None:
    names = [tag for tag, _ in page.tags]
    assert not set(names) & {"link", "iframe", "object"}
    assert names.count("script") == 1
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert str(policy).startswith("default-src 'none'; img-src 'self' file: data:; style-src 'sha256-")
    assert not any(name == "style" or name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "@import" not in page.text
    assert "url(" not in page.text


def test_images_have_their_text_alternatives(page: Page) -> None:
    texts = [text for text in page.values("alt", "img") if text]
    assert texts == ["Nothing, 40 times."] * (len(page.values("src", "img")) - len(STEMS))
    assert page.values("aria-label", "canvas").count("Prediction: axial slice at the chosen time") == len(STEMS)


def test_every_panel_says_its_question_and_what_is_bad(page: Page) -> None:
    for stem in STEMS:
        for panel in shown_for(stem):
            assert panel.question in page.text
            assert panel.bad[1:] in page.text


def test_a_page_that_embeds_its_figures_stands_alone(output: Path) -> None:
    alone = Page(write_person_report(output, "01", embed=True).read_text("utf-8"))
    sources = alone.values("src", "img")
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert not any("figures/" in link for link in alone.values("href"))
    write_person_report(output, "01")


def test_a_page_embeds_no_more_than_it_may(output: Path) -> None:
    figures = sorted((output / "sub-01" / "figures").glob("*.svg"))[:2]
    sources = FigureSources(output, figures[0].stat().st_size * 4 // 3 + 200)
    first, second = (sources.source(figure.relative_to(output)) for figure in figures)
    assert first is not None and second is not None
    assert (first.address.partition(",")[0], first.link) == ("data:image/svg+xml;base64", None)
    assert second.link == second.address == f"./{figures[1].relative_to(output).as_posix()}"
    assert sources.n_linked == 1


def test_synthetic_and_simulations_are_said(page: Page) -> None:
    assert page.text.count("SYNTHETIC") >= 4
    assert "trained on simulations" in page.text
    assert "not for clinical decisions" in page.text
    banner = next(attributes for tag, attributes in page.tags if tag == "header")
    assert banner["class"] == "synthetic"


def test_only_the_persons_own_crashes_are_shown_as_text(page: Page) -> None:
    assert "Traceback: <b>boom</b>" in page.text
    assert "someone else" not in page.text


def test_crashes_of_another_run_are_left_out_when_asked(output: Path) -> None:
    text = write_person_report(output, "01", run_id="20990101-9").read_text("utf-8")
    assert "boom" not in text
    assert "No crash file concerns this person." in text


def test_page_is_rebuilt_from_disk_alone(output: Path) -> None:
    before = write_person_report(output, "01").read_text("utf-8")
    (output / "sub-01.html").unlink()
    after = write_person_report(output, "01").read_text("utf-8")
    without_time = [[line for line in text.splitlines() if "page made" not in line] for text in (before, after)]
    assert without_time[0] == without_time[1]


def test_output_written_after_the_figures_gets_its_hash(
    report_of: Reports, write_blank_reportlets: Writer, tmp_path: Path
) -> None:
    late = Path("sub-01/func/late_bold.json")
    write_blank_reportlets(report_of(n_volumes=20, outputs=(late,)), tmp_path)
    assert "not there" in write_person_report(tmp_path, "01").read_text("utf-8")
    (tmp_path / late).parent.mkdir(parents=True)
    (tmp_path / late).write_bytes(b"abc")
    assert "ba7816bf8f01cfea" in write_person_report(tmp_path, "01").read_text("utf-8")


def test_odd_names_cannot_inject_markup(
    report_of: Reports, recording_of: Recordings, write_blank_reportlets: Writer, tmp_path: Path
) -> None:
    evil = "</td><script>alert('x')</script>&\"'"
    recording = recording_of(20)
    recording = replace(
        recording,
        events=(Event(20.0, 1.0, evil),),
        left_out={evil: evil},
        warnings=(evil,),
        positions_source=evil,
        reference=evil,
        cleaning=replace(recording.cleaning, steps=(evil,), bad_channels={"Fp1": evil}),
    )
    run = report_of(recording=recording, n_volumes=20, command=evil, device=evil)
    run = replace(run, sidecar=run.sidecar | {"TrainingDatasets": [evil], "ModelName": evil})
    write_blank_reportlets(run, tmp_path)
    page = Page(write_person_report(tmp_path, "01").read_text("utf-8"))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert page.text.count(evil) >= 7


def test_a_figure_that_was_deleted_is_not_linked(
    report_of: Reports, write_blank_reportlets: Writer, tmp_path: Path
) -> None:
    files = write_blank_reportlets(report_of(n_volumes=20), tmp_path)
    (tmp_path / files[0]).unlink()
    text = write_person_report(tmp_path, "01").read_text("utf-8")
    assert files[0].name not in text
    assert files[1].name in text
    assert text.count("The figure is no longer on disk.") == 1


def test_a_person_without_a_finished_recording_has_a_page(tmp_path: Path) -> None:
    text = write_person_report(tmp_path, "07").read_text("utf-8")
    assert "No recording of this person was completed." in text
    assert "SYNTHETIC" in text


@pytest.mark.parametrize("content", ["{", "[]", '{"stem": "sub-01_task-x", "panels": {}}'])
def test_a_damaged_summary_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sub-01/figures/sub-01_task-x_desc-summary_bold.json"
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    with pytest.raises(BadDataError, match="--overwrite") as caught:
        write_person_report(tmp_path, "01")
    assert caught.value.path == path


def test_traffic_lights_follow_their_rules(
    report_of: Reports, recording_of: Recordings, write_blank_reportlets: Writer, tmp_path: Path
) -> None:
    recording = recording_of(20)
    few = recording.good.copy()
    few[10:] = False
    files = write_blank_reportlets(report_of(recording=replace(recording, good=few), n_volumes=20), tmp_path)
    rows = json.loads((tmp_path / files[-1]).read_text("utf-8"))["panels"]["inputs"]["rows"]
    lights = {row["name"]: row["light"] for row in rows}
    assert lights["Channels used"] == "poor"
    assert lights["Duration"] == "poor"
    assert lights["Volume clock"] == "look"
    assert lights["Novelty"] == "ok"
