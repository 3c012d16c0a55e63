"""What a release carries beside the code: version, citation, changes, licences, and the Boutiques descriptor."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import boutiques_descriptor
import jsonschema
import pytest
import yaml
from site_hooks import bibtex

from bids_eeg2fmri import __version__
from bids_eeg2fmri.parser import build_parser

ROOT = Path(__file__).resolve().parents[1]
BOSH = Path(sys.executable).with_name("bosh")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


# --- Version ----------------------------------------------------------------------------------------------------


def test_every_file_that_repeats_the_version_has_the_package_s() -> None:
    assert f'\n__version__ = "{__version__}"\n' in read("bids_eeg2fmri/__init__.py")
    assert f"\nversion: {__version__}\n" in read("CITATION.cff")
    assert f"\nARG VERSION={__version__}\n" in read("Dockerfile")
    assert f"\n    Version {__version__}\n" in read("singularity/bids_eeg2fmri.def")
    assert json.loads(read("boutiques.json"))["tool-version"] == __version__
    assert re.search(r'^dynamic = \["version"\]$', read("pyproject.toml"), re.MULTILINE)


# --- Changes ----------------------------------------------------------------------------------------------------


def test_the_changes_begin_with_this_version_and_go_back_in_time() -> None:
    title, *sections = re.split(r"^## ", read("CHANGES.md"), flags=re.MULTILINE)
    assert title.strip() == "# Changes"
    heads = [re.fullmatch(r"(\d+\.\d+\.\d+) \((.+)\)", section.splitlines()[0]) for section in sections]
    assert all(heads)
    versions = [tuple(map(int, head[1].split("."))) for head in heads if head]
    assert versions == sorted(versions, reverse=True)
    assert heads[0] is not None
    assert heads[0][1] == __version__
    released = [head[2] for head in heads if head and head[2] != "not released yet"]
    assert len(released) >= len(heads) - 1
    days = [date.fromisoformat(day) for day in released]
    assert days == sorted(days, reverse=True)


def test_the_changes_are_sorted_into_kinds() -> None:
    for section in re.split(r"^## .+\n", read("CHANGES.md"), flags=re.MULTILINE)[1:]:
        before, *kinds = re.split(r"^### (.+)\n", section, flags=re.MULTILINE)
        assert not before.strip()
        assert set(kinds[::2]) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
        assert all(text.startswith("- ") for text in kinds[1::2])


# --- Citation ---------------------------------------------------------------------------------------------------

_TEXT = {"type": "string", "minLength": 1}
_DATE = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
_ENTITY = {
    "required": ["name"],
    "properties": {"name": _TEXT, "website": {"pattern": "^https?://"}, "email": {"pattern": "@"}},
    "additionalProperties": False,
}
_PERSON = {
    "required": ["family-names", "given-names"],
    "properties": {
        "family-names": _TEXT,
        "given-names": _TEXT,
        "affiliation": _TEXT,
        "email": {"pattern": "@"},
        "orcid": {"pattern": r"^https://orcid\.org/\d{4}-\d{4}-\d{4}-\d{3}[\dX]$"},
    },
    "additionalProperties": False,
}
# What version 1.2.0 of the Citation File Format asks of the keys that are used here.
CFF_RULES: dict[str, Any] = {
    "type": "object",
    "required": ["authors", "cff-version", "message", "title"],
    "additionalProperties": False,
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "message": _TEXT,
        "title": _TEXT,
        "abstract": _TEXT,
        "type": {"const": "software"},
        "version": _TEXT,
        "license": {"const": "Apache-2.0"},
        "date-released": _DATE,
        "doi": {"type": "string", "pattern": r"^10\.\d{4,9}(\.\d+)?/\S+$"},
        "repository-code": {"type": "string", "pattern": "^https://"},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT},
        "authors": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"anyOf": [_ENTITY, _PERSON]}},
    },
}


def test_the_citation_file_keeps_the_rules_of_its_format() -> None:
    # Dates stay texts: the rules are about what stands in the file.
    jsonschema.validate(yaml.load(read("CITATION.cff"), Loader=yaml.BaseLoader), CFF_RULES)  # noqa: S506


def test_the_citation_file_tells_of_a_release_what_the_changes_tell() -> None:
    released = yaml.load(read("CITATION.cff"), Loader=yaml.BaseLoader).get("date-released", "not released yet")  # noqa: S506
    assert f"\n## {__version__} ({released})\n" in read("CHANGES.md")


def test_the_citation_as_bibtex() -> None:
    entry = bibtex()
    assert entry.startswith("@software{bids_eeg2fmri,\n")
    assert f"  version = {{{__version__}}}," in entry
    assert entry.count("{") == entry.count("}")


# --- Licences ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("bids_eeg2fmri/assets/space", "Louis Collins"),
        ("bids_eeg2fmri/assets/atlas", "Neurodata Group"),
        ("examples/ds-eegmat", "Open Data Commons Attribution License"),
        ("tests/data/noddi", "Deligianni"),
    ],
)
def test_data_of_others_are_noticed(data: str, words: str) -> None:
    present = list(ROOT.glob(f"{data}*"))
    assert not present or words in " ".join(read("NOTICE").split())


def test_every_asset_has_its_licence() -> None:
    licences = read("bids_eeg2fmri/assets/LICENSES.md")
    assets = ROOT / "bids_eeg2fmri" / "assets"
    for image in (*assets.glob("space/*"), *assets.glob("atlas/*.nii.gz")):
        assert f"`{image.relative_to(assets).as_posix()}`" in licences
    for folder in assets.glob("models/*/"):
        assert f"`models/{folder.name}/`" in licences


def test_the_licence_is_whole_and_named_the_same_everywhere() -> None:
    licence = read("LICENSE")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert '\nlicense = "Apache-2.0"\n' in read("pyproject.toml")
    assert 'licenses="Apache-2.0"' in read("Dockerfile")
    assert "Licenses Apache-2.0" in read("singularity/bids_eeg2fmri.def")


# --- Boutiques --------------------------------------------------------------------------------------------------


def bosh(*arguments: str | Path, folder: Path) -> str:
    environment = {**os.environ, "HOME": str(folder), "PATH": f"{BOSH.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [BOSH, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_descriptor_is_up_to_date() -> None:
    """After a change of the options: ``python tools/boutiques_descriptor.py``."""
    assert read("boutiques.json") == boutiques_descriptor.text()


def test_the_descriptor_is_valid(tmp_path: Path) -> None:
    assert "OK" in bosh("validate", ROOT / "boutiques.json", folder=tmp_path)


def test_the_descriptor_makes_the_command_that_was_meant_and_runs_it(tmp_path: Path) -> None:
    invocation = {
        "bids_dir": str(ROOT / "examples" / "ds-eegmat"),
        "output_dir": "out",
        "level": "participant",
        "participant_label": ["00", "01"],
        "mem_bytes": "4G",
        "tr_s": 1.5,
        "nprocs": 2,
        "dry_run": True,
    }
    (tmp_path / "invocation.json").write_text(json.dumps(invocation))
    shutil.copy(ROOT / "boutiques.json", tmp_path)
    said = bosh("exec", "simulate", "boutiques.json", "-i", "invocation.json", folder=tmp_path)
    program, *arguments = said.splitlines()[-1].split()
    given = vars(build_parser().parse_args(arguments))
    assert program == "bids-eeg2fmri"
    assert {"bids_dir": Path(invocation["bids_dir"]), "output_dir": Path("out"), "mem_bytes": 4 * 10**9} == {
        name: given.pop(name) for name in ("bids_dir", "output_dir", "mem_bytes")
    }
    assert given == {name: invocation[name] for name in ("level", "participant_label", "tr_s", "nprocs", "dry_run")}
    launched = bosh("exec", "launch", "boutiques.json", "invocation.json", folder=tmp_path)
    assert "Dry run: nothing was written." in launched
    assert not (tmp_path / "out").exists()
