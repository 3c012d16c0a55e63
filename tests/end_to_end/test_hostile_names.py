"""Strings from data that would be code in a page: they are shown, in a real browser, and do nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium_pipe import NAMES, Browser, Tab, address, find_browser
from damaged_files import Files, copies_of
from defusedxml import ElementTree

from bids_eeg2fmri.network.bundle_files import find_bundle

PROGRAM = find_browser()
SCRIPT = "<script>window.harmed=1;alert(1)</script>"
PICTURE = '"><img src=x onerror="window.harmed=2;alert(2)">'
LINK = "javascript:window.harmed=3"
MATHS = r"$\frac{1}{0}$ {{7*7}} {% raw %} %s <b> & 'a' ../../../../harm"
LABEL = "<img src=x onerror=alert(4)>"
SVG = "<svg onload=alert(5)>"


def make_hostile(files: Files) -> None:
    """A channel, a note on it, an event, a reference and a reason that are code, mathematics or a template."""
    for old, new in (("O2", SCRIPT), ("Fp2", "$x$ \\frac <i>")):
        header = files.header.read_text("utf-8")
        files.header.write_text(header.replace(f"={old},", f"={new},"), "utf-8")
        table = files["channels.tsv"]
        table.write_text(table.read_text("utf-8").replace(f"\n{old}\t", f"\n{new}\t"), "utf-8")
    files.edit(files["channels.tsv"], "^(Cz\t.*)good\tn/a$", lambda row: f"{row[1]}bad\t{PICTURE}{SVG}")
    files.edit(files["events.tsv"], "\tstimulus\t", lambda _: f"\t{SCRIPT}{PICTURE}{MATHS}\t")
    files.describe(EEGReference=SCRIPT + PICTURE, TaskName=SCRIPT, Manufacturer=PICTURE)


@pytest.fixture(scope="module")
def dataset(short_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile") / "ds"
    (files,) = copies_of(short_dataset, root, ["01"]).values()
    make_hostile(files)
    description = {"Name": SCRIPT + MATHS, "BIDSVersion": "1.10.0", "DatasetDOI": LINK, "License": PICTURE}
    (root / "dataset_description.json").write_text(json.dumps(description))
    (files.folder / f"sub-01_task-{LABEL}_eeg.edf").write_bytes(b"0")
    (root / f"sub-{SVG}" / "eeg").mkdir(parents=True)
    (root / f"sub-{SVG}" / "eeg" / f"sub-{SVG}_task-rest_eeg.edf").write_bytes(b"0")
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model under a name that is code and leads out of every folder."""
    folder = shutil.copytree(find_bundle("neuralfield-sim"), tmp_path_factory.mktemp("model") / "model")
    path = folder / "model.json"
    content = json.loads(path.read_text("utf-8"))
    content |= {"name": f"../../{SCRIPT}", "version": PICTURE, "doi": LINK}
    content["training"] |= {"datasets": [SCRIPT, MATHS]}
    path.write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def output(dataset: Path, model: Path, here, res_4, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shown") / "deep" / "out"
    finished = here(dataset, folder, "participant", *res_4, "--model", model)
    assert finished.table["sub-01_task-blocks"][0] == "written"
    assert finished.code == 65 and "not a label of letters and digits" in finished.last_words
    assert here(dataset, folder, "group").code == 0
    return folder


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    if PROGRAM is None:
        pytest.skip(f"no browser on the PATH (looked for {', '.join(NAMES)})")
    with Browser(PROGRAM) as browser:
        yield browser.tab()


def pages(output: Path) -> list[str]:
    return sorted(path.name for path in output.glob("*.html"))


def test_nothing_leaves_the_output_directory(output: Path) -> None:
    above = output.parent.parent
    assert {path.relative_to(above).parts[:2] for path in above.rglob("*") if path.is_file()} == {("deep", "out")}
    assert len(pages(output)) == 3
    assert not [path for path in output.rglob("*") if "harm" in path.name]


def test_pages_hold_no_element_of_the_data(output: Path) -> None:
    for name in pages(output):
        text = (output / name).read_text("utf-8")
        # The page's own script is the only one.
        assert len(re.findall(r"<script", text)) <= 1
        assert not re.search(r"<img src=x|<svg onload|onerror=\"|href=\"javascript:|harmed=1;alert\(1\)</script>", text)


def test_figures_are_pictures_only(output: Path) -> None:
    figures = list(output.rglob("*.svg"))
    assert len(figures) > 8
    for path in figures:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert not tags & {"script", "foreignObject", "a", "iframe"}, path


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("number", range(3))
def test_strings_are_shown_and_not_run(tab: Tab, output: Path, number: int, guarded: bool) -> None:
    """With the page's policy, and without: it is escaping that keeps strings from being code."""
    page = output / pages(output)[number]
    if not guarded:
        text, found = re.subn(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", page.read_text("utf-8"))
        assert found == 1
        page = output / f"unguarded-{number}.htm"
        page.write_text(text, "utf-8")
    tab.open(address(page))
    assert tab.value("typeof window.harmed") == "undefined"
    assert not [event for event in tab.events if event["method"] == "Page.javascriptDialogOpening"]
    assert tab.complaints == []
    foreign = '[src="x"], [href^="javascript:"], [onload], [onerror], script + script'
    assert tab.value(f"document.querySelectorAll({foreign!r}).length") == 0
    shown = tab.value("document.body.textContent")
    expected = {"group.html": [SCRIPT], "sub-01.html": [SCRIPT, PICTURE, SVG, LABEL, "{{7*7}}"]}
    assert all(text in shown for text in expected.get(pages(output)[number], [SVG]))
