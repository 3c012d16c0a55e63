"""The pages of a real run in a real browser: they open, say nothing on the console, lead somewhere, and move."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from chromium_pipe import NAMES, Browser, Tab, address, find_browser

PROGRAM = find_browser()
STEM = "sub-01_task-blocks_rec-eeg2fmri"
VIEWER = f"#{STEM}_viewer .viewer"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=f"no browser on the PATH (looked for {', '.join(NAMES)})")


@pytest.fixture(scope="module")
def output(here, short_dataset: Path, res_4: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of one recording and of the group."""
    folder = tmp_path_factory.mktemp("browsed") / "out"
    assert here(short_dataset, folder, "participant", *res_4).code == 0
    assert here(short_dataset, folder, "group").code == 0
    return folder


@pytest.fixture(scope="module")
def alone(here, output: Path, short_dataset: Path, res_4: tuple[str, str], tmp_path_factory) -> Path:
    """The person's page with everything in it, far from its figures."""
    before = (output / "sub-01.html").read_text("utf-8")
    assert here(short_dataset, output, "participant", *res_4, "--reports-only", "--embed-report").code == 0
    page = Path(shutil.copy(output / "sub-01.html", tmp_path_factory.mktemp("alone") / "mailed.html"))
    (output / "sub-01.html").write_text(before, "utf-8")
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as running:
        yield running


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Tab:
    return browser.tab()


def wait_for(tab: Tab, condition: str) -> None:
    """Wait until a JavaScript condition holds."""
    tab.value(f"new Promise((done) => {{ const look = () => {condition} ? done(1) : setTimeout(look, 20); look(); }})")


def wait_for_viewer(tab: Tab) -> None:
    wait_for(tab, f"document.querySelector({VIEWER!r}).classList.contains('ready')")


def load_all_pictures(tab: Tab) -> list[str]:
    """Load what would load on scrolling; the pictures that cannot be shown."""
    return tab.value(
        "Promise.all([...document.images].map((image) => { image.loading = 'eager'; return image.decode()"
        ".then(() => '', () => image.src); })).then((bad) => bad.filter((source) => source))"
    )


@pytest.mark.parametrize("name", ["sub-01.html", "group.html"])
def test_a_page_opens_without_complaints_and_fetches_only_files(tab: Tab, output: Path, name: str) -> None:
    tab.resize(1200)
    tab.open(address(output / name))
    assert load_all_pictures(tab) == []
    assert "SYNTHETIC BOLD" in tab.value("document.title")
    assert tab.complaints == []
    assert {urlparse(url).scheme for url in tab.requested} <= {"file", "data"}
    assert tab.value("document.images.length") >= 3


@pytest.mark.parametrize("name", ["sub-01.html", "group.html"])
def test_every_link_leads_somewhere(tab: Tab, output: Path, name: str) -> None:
    tab.open(address(output / name))
    targets = tab.value(
        "[...document.querySelectorAll('[href], [src]')].map((node) => node.href?.baseVal ?? node.href ?? node.src)"
    )
    assert len(targets) > 10
    ids = {name: set(tab.value("[...document.querySelectorAll('[id]')].map((node) => node.id)"))}
    for target in targets:
        parts = urlparse(target)
        if parts.scheme == "data":
            continue
        file = Path(unquote(parts.path)) if parts.scheme else output / unquote(parts.path or name)
        file = file if file.is_absolute() else output / file
        assert file.is_file(), target
        if parts.fragment:
            known = ids.get(file.name) or file.read_text("utf-8")
            wanted = unquote(parts.fragment)
            assert wanted in known if isinstance(known, set) else f'id="{wanted}"' in known


def test_the_viewer_moves_by_keyboard_and_by_pointer(tab: Tab, output: Path) -> None:
    tab.resize(1200)
    tab.open(address(output / "sub-01.html"))
    wait_for_viewer(tab)
    shown = [tab.value(f"document.querySelector({VIEWER!r}).dataset.shown")]
    pixels = [tab.picture(f"{VIEWER} canvas.slice")]
    for control in (0, 1):
        tab.value(f"document.querySelectorAll({VIEWER + ' input'!r})[{control}].focus()")
        tab.press("ArrowRight")
        shown.append(tab.value(f"document.querySelector({VIEWER!r}).dataset.shown"))
        pixels.append(tab.picture(f"{VIEWER} canvas.slice"))
    (time, place), *moved = [tuple(map(int, each.split(","))) for each in shown]
    assert moved == [(time + 1, place), (time + 1, place + 1)]
    assert len(set(pixels)) == 3
    texts = tab.value(f"[...document.querySelectorAll({VIEWER + ' output'!r})].map((node) => node.value)")
    assert texts[0].endswith(" s") and texts[1].startswith("z = ")
    tab.value(f"document.querySelector({VIEWER + ' button'!r}).click()")
    assert tab.value(f"document.querySelector({VIEWER + ' button'!r}).textContent") == "Pause"
    wait_for(tab, f"document.querySelector({VIEWER!r}).dataset.shown !== {shown[-1]!r}")
    assert tab.complaints == []


@pytest.mark.parametrize("name", ["sub-01.html", "group.html"])
def test_a_phone_needs_no_sideways_scrolling(tab: Tab, output: Path, name: str) -> None:
    tab.resize(390, 840, mobile=True)
    tab.open(address(output / name))
    assert tab.value("document.documentElement.scrollWidth") <= 390
    narrow = "[...document.querySelectorAll('td')].filter((cell) => cell.textContent.trim().length > 12"
    assert tab.value(f"{narrow} && cell.clientWidth && cell.clientWidth < 60).length") == 0
    tab.resize(1200)


def test_print_leaves_out_what_paper_cannot_do(tab: Tab, output: Path) -> None:
    tab.open(address(output / "sub-01.html"))
    tab.do("Emulation.setEmulatedMedia", media="print")
    displayed = "getComputedStyle(document.querySelector({})).display"
    assert tab.value(displayed.format(repr(f"#{STEM}_viewer"))) == "none"
    assert tab.value(displayed.format("'nav'")) == "none"
    assert tab.value(displayed.format(repr(f"#{STEM}_carpet"))) != "none"
    tab.do("Emulation.setEmulatedMedia", media="")


def test_a_page_with_everything_in_it_works_anywhere(tab: Tab, alone: Path) -> None:
    assert alone.stat().st_size < 15e6
    tab.open(address(alone))
    assert load_all_pictures(tab) == []
    wait_for_viewer(tab)
    assert tab.complaints == []
    assert {urlparse(url).scheme for url in tab.requested if url != address(alone)} <= {"data"}
    assert tab.value("[...document.images].every((image) => image.src.startsWith('data:'))")


def test_a_point_of_the_group_leads_to_its_recording(tab: Tab, output: Path) -> None:
    tab.open(address(output / "group.html"))
    tab.events.clear()
    tab.value("document.querySelector('.strips svg a').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    tab.browser.wait_until(lambda: any(event["method"] == "Page.loadEventFired" for event in tab.events))
    assert tab.value("location.pathname").endswith("/sub-01.html")
    assert tab.value("document.getElementById(decodeURIComponent(location.hash.slice(1))).className") == "run"
