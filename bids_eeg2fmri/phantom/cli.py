"""The command ``bids-eeg2fmri-phantom``: simulate a simultaneous EEG-fMRI BIDS dataset. Imports nothing heavy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import Eeg2fmriError
from .choices import HAEMODYNAMICS, REFERENCES
from .request import Request

_PROGRAM = "bids-eeg2fmri-phantom"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Raises
    ------
    SystemExit
        Code 2 for errors of the command line itself; 0 after ``--help`` and ``--version``.
    """
    request = parse(argv)
    try:
        request.check()
        from .dataset import write_dataset

        write_dataset(request, progress=lambda line: print(line, flush=True))
    except Eeg2fmriError as error:
        print(f"{_PROGRAM}: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{_PROGRAM}: interrupted; nothing was written.", file=sys.stderr)
        return 130
    return 0


def parse(argv: Sequence[str] | None = None) -> Request:
    """The request that the command line makes."""
    given = vars(build_parser().parse_args(argv))
    for name in ("gradient_artefact", "pulse_artefact"):
        microvolts = given.pop(f"{name}_uv", None)
        given[f"{name}_v"] = None if microvolts is None else microvolts * 1e-6
    given["resolution"] = given["resolution"].removeprefix("res-")
    given["tasks"] = tuple(task.removeprefix("task-") for task in given["tasks"])
    return Request(**given)


def build_parser() -> argparse.ArgumentParser:
    """The parser; values end in the namespace under the names of ``Request``'s fields, artefacts in microvolts."""
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Simulate a simultaneous EEG-fMRI BIDS dataset, with its ground truth under derivatives/.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    microvolts: dict[str, Any] = {"type": float, "metavar": "UV", "default": argparse.SUPPRESS}
    add("output_dir", metavar="OUT", type=Path, help="folder of the dataset; new or empty")
    add("--participants", type=int, default=1, metavar="N", help="number of people")
    add("--sessions", type=int, default=1, metavar="N", help="sessions of each; 1 leaves no ses- in the names")
    add("--runs", type=int, default=1, metavar="N", help="runs of each task; 1 leaves no run- in the names")
    add("--tasks", nargs="+", default=["rest"], metavar="TASK", help="all but rest hold blocks of stimulation")
    add("--duration-s", type=float, default=300.0, metavar="S", help="time that the scanner runs")
    add("--lead-in-s", type=float, default=10.0, metavar="S", help="EEG before the first volume")
    add("--cap", default="64", help="19, 32, 64, 128, or names of the 10-05 system separated by commas")
    add("--reference", default="FCz", choices=REFERENCES, help="EEG reference; a reference electrode is not recorded")
    add("--sfreq-hz", type=float, default=250.0, metavar="HZ", help="sampling rate of the EEG")
    add("--tr-s", type=float, default=2.0, metavar="S", help="repetition time")
    add("--resolution", default="res-3", help="BOLD grid in MNI152NLin2009cAsym: res-2 to res-4")
    add("--coupling", type=float, default=1.0, help="factor on the modulation of the EEG; 0 makes its envelopes flat")
    add("--decouple", action="store_true", help="draw BOLD from states that the EEG knows nothing of")
    add("--gradient-artefact-uv", **microvolts, help="peak gradient artefact (default: a small residue)")
    add("--pulse-artefact-uv", **microvolts, help="peak pulse artefact (default: a small residue)")
    add("--haemodynamics", default="linear", choices=HAEMODYNAMICS, help="from slow states to BOLD")
    add("--seed", type=int, default=0, help="the same seed gives the same dataset")
    add("--overwrite", action="store_true", help="replace a simulated dataset that stands at OUT")
    add("--version", action="version", version=f"bids_eeg2fmri v{__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
