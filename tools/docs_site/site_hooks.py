"""What MkDocs makes at build time from the code and the repository, so that no page repeats them (see mkdocs.yml).

- ``<!-- options: TITLE -->`` in a page becomes the table of that group of options.
- A page of the API for each room of the package.
- Pages for the changes, the notices and the model card, whose files stand elsewhere in the repository.
- Links into the repository become links to those pages, or plain text where there is no such page.
- A page that would fetch anything from the network ends the build.
"""

from __future__ import annotations

import ast
import os
import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from option_tables import option_tables

from bids_eeg2fmri.parser import build_parser
from bids_eeg2fmri.phantom import cli as phantom

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "bids_eeg2fmri"
# Pages made from files outside of docs/.
BORROWED = {
    "changes.md": "CHANGES.md",
    "notice.md": "NOTICE",
    "asset_sources.md": f"{PACKAGE}/assets/LICENSES.md",
    "model_card.md": f"{PACKAGE}/assets/models/neuralfield-sim/MODEL_CARD.md",
}
_MARK = re.compile(r"^<!-- options: (.+?) -->$", re.MULTILINE)
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?https?:"""
    r"""|<link(?![^>]*\brel=["']?(?:canonical|prev|next))[^>]*\shref=["']?https?:"""
)
_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]+)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from code and from files outside of docs/."""
    made = {page: borrowed(source) for page, source in BORROWED.items()}
    made |= {f"api/{room}.md": api_page(room) for room in rooms()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in the tables of options and the citation, and turn links into the repository."""
    return with_links(with_citation(with_options(markdown)), page.file.src_uri)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that would fetch something from the network.

    Raises
    ------
    PluginError
        If it holds such a script, style sheet, font or image.
    """
    if found := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches from the network: {found[0]}")
    return output


# --- Options ----------------------------------------------------------------------------------------------------


def with_options(markdown: str) -> str:
    """The page with each mark replaced by its table.

    Raises
    ------
    KeyError
        If a mark names no group of options.
    """
    return _MARK.sub(lambda mark: tables()[mark[1]], markdown)


def tables() -> dict[str, str]:
    """The table of every group of options of both programs, by its title."""
    simulation = option_tables(phantom.build_parser())
    return option_tables(build_parser()) | {"bids-eeg2fmri-phantom": simulation["options"]}


# --- API --------------------------------------------------------------------------------------------------------


def rooms() -> list[str]:
    """The rooms of the package in the order of the data's path, which the import contract states."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    names = [layer.removeprefix(f"{PACKAGE}.") for layer in reversed(contract["layers"])]
    return [name for name in names if (ROOT / PACKAGE / name).is_dir()]


def api_page(room: str) -> str:
    """A page with every public function and class of the modules of a room."""
    folder = ROOT / PACKAGE / room
    summary = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    modules = [path.relative_to(ROOT).with_suffix("").parts for path in sorted(folder.rglob("*.py"))]
    directives = [f"::: {'.'.join(parts)}" for parts in modules if parts[-1] != "__init__"]
    return "\n\n".join([f"# {PACKAGE}.{room}", summary, *directives]) + "\n"


# --- Files of the repository ------------------------------------------------------------------------------------


def borrowed(source: str) -> str:
    """A file of the repository as a page; what is not Markdown is shown as it stands."""
    text = (ROOT / source).read_text("utf-8")
    return text if source.endswith(".md") else f"# {source.capitalize()}\n\n```text\n{text}```\n"


def with_links(markdown: str, page: str) -> str:
    """The page with links that leave docs/ turned to the pages made from their targets, or into plain text."""
    pages = {source: name for name, source in BORROWED.items()}

    def turned(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        source = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
        if source not in pages:
            return link[0] if source.startswith("docs/") else f"{text} (`{source}` in the repository)"
        return f"[{text}]({os.path.relpath(pages[source], posixpath.dirname(page) or '.')}{anchor})"

    return _LINK.sub(turned, markdown)


# --- Citation ---------------------------------------------------------------------------------------------------


def with_citation(markdown: str) -> str:
    """The page with ``<!-- citation -->`` replaced by a BibTeX entry made from CITATION.cff."""
    return markdown.replace("<!-- citation -->", f"```bibtex\n{bibtex()}\n```")


def bibtex() -> str:
    """CITATION.cff as a BibTeX entry."""
    facts = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    authors = " and ".join(f"{{{author['name']}}}" for author in facts["authors"])
    fields = {"title": f"{{{facts['title']}}}", "author": authors, "version": facts["version"]}
    fields |= {"year": str(facts["date-released"])[:4]} if "date-released" in facts else {"note": "not released yet"}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join(["@software{bids_eeg2fmri,", *lines, "}"])
