"""Write boutiques.json, the Boutiques description of the command line, from the parser.

    python tools/boutiques_descriptor.py

Schema 0.5: https://github.com/boutiques/boutiques/blob/master/boutiques/schema/descriptor.schema.json
(Glatard et al. 2018, GigaScience 7:giy016).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bids_eeg2fmri import __version__, errors
from bids_eeg2fmri.option_values import number_above_zero, whole_number, whole_number_above_zero
from bids_eeg2fmri.parser import LEVELS, build_parser

TARGET = Path(__file__).resolve().parents[1] / "boutiques.json"
# Folders that the program makes itself: no input that has to exist.
_MADE = ("output_dir", "work_dir", "bids_database_dir")
_NUMBERS: dict[Any, dict[str, Any]] = {
    whole_number: {"type": "Number", "integer": True, "minimum": 0},
    whole_number_above_zero: {"type": "Number", "integer": True, "minimum": 1},
    number_above_zero: {"type": "Number", "minimum": 0, "exclusive-minimum": True},
}


def descriptor() -> dict[str, Any]:
    """The description of ``bids-eeg2fmri`` as the content of a JSON file."""
    parser = build_parser()
    actions = [action for action in parser._actions if action.dest not in ("help", "version")]
    inputs = [_input(parser, action) for action in actions]
    return {
        "name": "bids-eeg2fmri",
        "description": "BIDS App: synthetic BOLD, with its uncertainty, predicted from EEG. Not a measurement; for "
        "research, not for clinical decisions.",
        "author": "The bids-eeg2fmri developers",
        "tool-version": __version__,
        "schema-version": "0.5",
        "command-line": " ".join([parser.prog, *(item["value-key"] for item in inputs)]),
        "inputs": inputs,
        "output-files": [_output()],
        "error-codes": [{"code": code, "description": text} for code, text in sorted(_error_codes().items())],
        "tags": {"domain": ["neuroinformatics", "bids", "EEG", "fMRI"]},
    }


def _input(parser: argparse.ArgumentParser, action: argparse.Action) -> dict[str, Any]:
    described = {
        "id": action.dest,
        "name": action.dest.replace("_", " "),
        "description": parser._get_formatter()._expand_help(action),
        "value-key": f"[{action.dest.upper()}]",
        "optional": bool(action.option_strings),
    } | _kind(action)
    if action.option_strings:
        described["command-line-flag"] = max(action.option_strings, key=lambda name: name.startswith("--"))
    if action.nargs in ("+", "*"):
        described["list"] = True
    return described


def _kind(action: argparse.Action) -> dict[str, Any]:
    if action.nargs == 0:
        return {"type": "Flag"}
    choices = LEVELS if action.dest == "level" else action.choices
    if choices:
        return {"type": "String", "value-choices": list(choices)}
    if action.type is Path and action.dest not in _MADE:
        return {"type": "File"}
    return _NUMBERS.get(action.type, {"type": "String"})


def _output() -> dict[str, Any]:
    return {
        "id": "results",
        "name": "results",
        "description": "A BIDS derivatives dataset with a report per person; with the level train, a model",
        "path-template": "[OUTPUT_DIR]",
        "optional": True,
    }


def _error_codes() -> dict[int, str]:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Eeg2fmriError)
    ]
    described = {kind.exit_code: str(kind.__doc__).splitlines()[0] for kind in kinds}
    return described | {1: "Several different failures, or an unexpected one.", 2: "The command line is wrong."}


def text() -> str:
    """The content of boutiques.json."""
    return json.dumps(descriptor(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
