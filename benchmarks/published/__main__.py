"""Run a published benchmark on the data as downloaded.

    python -m benchmarks.published noddi /data/NODDI /data/noddi-work
    python -m benchmarks.published noddi /data/NODDI /data/noddi-work --fmriprep /data/noddi-work/fmriprep

The first command converts the download to BIDS and prints the fMRIPrep command that comes next; the second trains
both networks and prints our rows beside the published ones. What stands after ``--`` is handed to the train level.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from bids_eeg2fmri.derivatives.atomic import write_text
from bids_eeg2fmri.errors import Eeg2fmriError

from .benchmark import BENCHMARKS
from .protocol import Request, run_benchmark
from .table import markdown

NETWORKS = ("neuralfield", "calhas2022")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    request = _request(list(sys.argv[1:] if argv is None else argv))
    try:
        text = markdown(request.benchmark, request.protocol, run_benchmark(request))
        write_text(request.work_dir / f"{request.benchmark.name}_{request.protocol}.md", text)
    except Eeg2fmriError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"\n{text}")
    return 0


def _request(arguments: list[str]) -> Request:
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    given = _parser().parse_args(arguments[:cut])
    benchmark = BENCHMARKS[given.benchmark]
    return Request(
        benchmark=benchmark,
        protocol=given.protocol,
        downloaded=given.downloaded.absolute(),
        work_dir=given.work_dir.absolute(),
        networks=tuple(dict.fromkeys(given.network)),
        fmriprep=None if given.fmriprep is None else given.fmriprep.absolute(),
        n_train=benchmark.n_train if given.train_people is None else given.train_people,
        n_test=benchmark.n_test if given.test_people is None else given.test_people,
        exclude=tuple(label.removeprefix("sub-") for label in given.exclude),
        network_configs=dict(given.network_config),
        train_options=tuple(arguments[cut + 1 :]),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.published",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("benchmark", choices=tuple(BENCHMARKS))
    parser.add_argument("downloaded", type=Path, metavar="DOWNLOADED", help="the unpacked download; only read")
    parser.add_argument("work_dir", type=Path, metavar="WORK_DIR", help="where all is written; same again: goes on")
    parser.add_argument("--fmriprep", type=Path, metavar="DIR", help="fMRIPrep's derivatives of the same dataset")
    parser.add_argument("--protocol", choices=("fixed", "loso"), default="fixed")
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--exclude", nargs="+", default=[], metavar="PERSON", help="people to leave out")
    parser.add_argument("--train-people", type=int, metavar="N", help="of the fixed split (default: the published)")
    parser.add_argument("--test-people", type=int, metavar="N", help="of the fixed split (default: the published)")
    parser.add_argument(
        "--network-config",
        nargs="+",
        type=_named_file,
        default=[],
        metavar="NETWORK=FILE",
        help="JSON with hyper-parameters of a network that replace its defaults",
    )
    return parser


def _named_file(text: str) -> tuple[str, Path]:
    network, equals, path = text.partition("=")
    if network not in NETWORKS or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NETWORK=FILE with one of {', '.join(NETWORKS)}")
    return network, Path(path).absolute()


if __name__ == "__main__":
    sys.exit(main())
