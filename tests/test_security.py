"""What the package never does, seen in its source; and what data never do in its pages and paths."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bids_eeg2fmri

PACKAGE = Path(bids_eeg2fmri.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
TEMPLATES = sorted((PACKAGE / "assets").rglob("*.j2"))

FORBIDDEN_MODULES = {
    *("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code", "codeop"),
    *("socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "requests", "httpx", "aiohttp", "urllib3"),
    *("telnetlib", "xmlrpc", "xml", "ctypes", "pty"),
}
FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "__import__", "breakpoint", "input"),
    *("os.system", "os.popen", "os.execv", "os.execve", "os.execvp", "os.spawnv", "os.fork"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"),
    *(
        "yaml.load",
        "yaml.unsafe_load",
        "torch.load",
        "pd.read_pickle",
        "tarfile.open",
        "zipfile.ZipFile",
    ),
    *("tempfile.mktemp", "shutil.unpack_archive", "pd.eval"),
}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute or name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def misdeeds(source: str) -> list[str]:
    """Imports and calls of a source text that this package has no use for."""
    tree = ast.parse(source)
    found = [
        f"import {name}"
        for name in imported(tree)
        if any(name == module or name.startswith(f"{module}.") for module in FORBIDDEN_MODULES)
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, options = dotted(node.func), {keyword.arg: keyword.value for keyword in node.keywords}
        if name in FORBIDDEN_CALLS:
            found.append(f"{name}() in line {node.lineno}")
        for option in ("shell", "allow_pickle"):
            value = options.get(option)
            if value is not None and not (isinstance(value, ast.Constant) and value.value is False):
                found.append(f"{option}= in line {node.lineno}")
        # numpy.load itself refuses pickles unless asked otherwise.
        autoescape = options.get("autoescape")
        if name.endswith("Environment") and not (isinstance(autoescape, ast.Constant) and autoescape.value is True):
            found.append(f"templates without escaping in line {node.lineno}")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from urllib import request",
        "import xml.etree.ElementTree",
        "eval('1')",
        "os.system('ls')",
        "run('ls', shell=True)",
        "run('ls', shell=flag)",
        "np.load(path, allow_pickle=True)",
        "Environment()",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert misdeeds(source)


def test_no_pickle_eval_shell_or_network_in_the_source() -> None:
    found = {str(path.relative_to(PACKAGE)): misdeeds(path.read_text("utf-8")) for path in SOURCES}
    # The C library is told two integers; Python has no other way to it.
    assert found.pop("levels/allocator.py") == ["import ctypes"]
    # The model card is Markdown, which knows no escaping, and is written by who trains.
    assert {path: deeds for path, deeds in found.items() if deeds} == {
        "levels/model_folder.py": found["levels/model_folder.py"]
    }
    assert [deed.partition(" in ")[0] for deed in found["levels/model_folder.py"]] == ["templates without escaping"]
    assert len(SOURCES) > 200


def test_templates_escape_everything_and_have_no_way_around_it() -> None:
    pages = [path for path in TEMPLATES if path.name.endswith(".html.j2")]
    assert len(pages) > 8
    for path in pages:
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe|autoescape|Markup", text), path
        # Escaping does not help where a value is code, nor in an attribute without quotes.
        assert not re.search(r"<script[^>]*>[^<]*\{\{(?! *script\.)", text), path
        assert not re.search(r"\son\w+\s*=|javascript:", text, re.IGNORECASE), path
        assert not re.search(r"=\s*\{\{", re.sub(r"\{%.*?%\}", "", text)), path


def test_only_the_packages_own_files_are_marked_as_safe() -> None:
    marked = [path for path in SOURCES if "Markup(" in path.read_text("utf-8")]
    assert [path.name for path in marked] == ["pages.py"]
    assert marked[0].read_text("utf-8").count("Markup(") == 1
