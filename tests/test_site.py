"""What the documentation site makes at build time; `make docs` builds it and fails at any warning."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import site_hooks
import yaml
from mkdocs.exceptions import PluginError
from option_tables import option_tables

from bids_eeg2fmri.parser import build_parser

ROOT = Path(__file__).resolve().parents[1]
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))


def nav(items: object) -> list[str]:
    if isinstance(items, str):
        return [items]
    parts = items.values() if isinstance(items, dict) else items
    return [page for part in parts for page in nav(part)]  # type: ignore[attr-defined]


def test_every_page_is_in_the_navigation_once() -> None:
    docs = ROOT / "docs"
    parts = set(docs.glob(CONFIG["exclude_docs"]))
    written = {path.relative_to(docs).as_posix() for path in set(docs.rglob("*.md")) - parts}
    made = {*site_hooks.BORROWED, *(f"api/{room}.md" for room in site_hooks.rooms())}
    assert not written & made
    assert sorted(nav(CONFIG["nav"])) == sorted(written | made)


def test_the_api_has_every_room_in_the_order_of_the_data() -> None:
    rooms = site_hooks.rooms()
    assert rooms[:3] == ["bids", "eeg", "bold"]
    folders = {path.parent.name for path in (ROOT / "bids_eeg2fmri").glob("*/__init__.py")}
    assert set(rooms) == folders - {"assets"}
    assert [page for page in nav(CONFIG["nav"]) if page.startswith("api/")] == [f"api/{room}.md" for room in rooms]


def test_a_page_of_the_api_has_every_module_of_its_room() -> None:
    page = site_hooks.api_page("network")
    assert page.startswith("# bids_eeg2fmri.network\n\nFlax NNX modules")
    modules = [path for path in (ROOT / "bids_eeg2fmri" / "network").rglob("*.py") if path.stem != "__init__"]
    assert page.count("\n::: ") == len(modules)
    assert "\n::: bids_eeg2fmri.network.calhas2022.upstream\n" in page


def test_a_mark_becomes_the_table_of_its_options() -> None:
    page = site_hooks.with_options("# A\n\n<!-- options: reading EEG -->\n\nafter")
    assert page == f"# A\n\n{option_tables(build_parser())['reading EEG']}\n\nafter"
    assert "| <code>--tr SECONDS</code> | Repetition time" in page


def test_a_mark_of_no_options_ends_the_build() -> None:
    with pytest.raises(KeyError):
        site_hooks.with_options("<!-- options: no such group -->")


@pytest.mark.parametrize(
    ("page", "link", "turned"),
    [
        ("quickstart.md", "[source](../NOTICE)", "[source](notice.md)"),
        ("a/page.md", "[card](../../CHANGES.md#added)", "[card](../changes.md#added)"),
        ("a/page.md", "[page](../usage.md#exit-codes)", "[page](../usage.md#exit-codes)"),
        ("hpc.md", "[YAML](../examples/app.yaml)", "YAML (`examples/app.yaml` in the repository)"),
        ("faq.md", "[usage](usage.md)", "[usage](usage.md)"),
    ],
)
def test_links_out_of_the_documents(page: str, link: str, turned: str) -> None:
    assert site_hooks.with_links(f"See {link}.", page) == f"See {turned}."


@pytest.mark.parametrize(
    "fetched",
    [
        '<script async src="https://example.org/a.js">',
        '<link rel="stylesheet" href="https://fonts.example.org/css">',
        "<img alt='' src='http://example.org/a.png'>",
    ],
)
def test_a_page_that_fetches_from_the_network_ends_the_build(fetched: str) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    with pytest.raises(PluginError):
        site_hooks.on_post_page(f"<p>{fetched}</p>", page)
    links = '<a href="https://example.org">read</a><img src="pictures/volume.png">'
    assert site_hooks.on_post_page(links, page) == links


def test_the_theme_fetches_no_font() -> None:
    assert CONFIG["theme"]["font"] is False
