"""Convert a download and run its protocol through the ``train`` level."""

from __future__ import annotations

import logging
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bids_eeg2fmri.bids.content import read_json_object
from bids_eeg2fmri.errors import MissingInputError, UsageError

from .benchmark import Benchmark, ProtocolName
from .bids_writing import Run, write_description
from .fmriprep import require_preprocessed
from .split import PeopleOfProtocol, choose_people
from .table import ScoresOfNetwork

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What to run.

    Attributes
    ----------
    benchmark, protocol
        The dataset and its split.
    downloaded, work_dir
        The download, and where everything is written.
    networks
        Which to train.
    fmriprep
        Derivatives with BOLD in the template's space.
    n_train, n_test
        People of the fixed split.
    exclude
        People to leave out.
    network_configs
        Hyper-parameter files for ``--network-config``, by network.
    train_options
        Further options of the ``train`` level.
    """

    benchmark: Benchmark
    protocol: ProtocolName
    downloaded: Path
    work_dir: Path
    networks: tuple[str, ...]
    fmriprep: Path | None
    n_train: int
    n_test: int
    exclude: tuple[str, ...] = ()
    network_configs: Mapping[str, Path] = field(default_factory=dict)
    train_options: tuple[str, ...] = ()

    @property
    def target(self) -> Path:
        """Where the converter writes: a BIDS dataset, or cleaned EEG beside a download that is one."""
        return self.work_dir / ("clean" if self.benchmark.is_bids else "bids")

    @property
    def bids_dir(self) -> Path:
        """The BIDS dataset with the BOLD."""
        return self.downloaded if self.benchmark.is_bids else self.target


def run_benchmark(request: Request) -> dict[str, ScoresOfNetwork]:
    """Convert, train and score.

    Returns
    -------
    dict
        By network, what the ``train`` level scored.

    Raises
    ------
    Eeg2fmriError
        The download is incomplete or damaged, fMRIPrep's derivatives are missing, or training fails.
    """
    if not request.downloaded.is_dir():
        raise MissingInputError("there is no such folder.", path=request.downloaded, remedy="Check DOWNLOADED.")
    converter = request.benchmark.converter
    people = choose_people(
        converter.people(request.downloaded), request.protocol, request.n_train, request.n_test, request.exclude
    )
    every = request.protocol == "loso" and request.benchmark.loso_uses_every_run
    runs = [run for person in people.everyone for run in converter.runs(person, every)]
    _convert(request, runs)
    fmriprep = require_preprocessed(request.fmriprep, request.bids_dir, request.work_dir / "fmriprep", runs)
    return {network: _train(request, network, people, runs, fmriprep) for network in request.networks}


def train_command(
    request: Request, network: str, people: PeopleOfProtocol, runs: Sequence[Run], fmriprep: Path
) -> list[str]:
    """Arguments of ``bids-eeg2fmri`` that train and score a network."""
    derivatives = [f"fmriprep={fmriprep}"] + ([f"clean={request.target}"] if request.benchmark.is_bids else [])
    words = [str(request.bids_dir), str(_model_dir(request, network)), "train", "--network", network]
    words += ["--work-dir", str(request.work_dir / "scratch" / request.protocol), "--derivatives", *derivatives]
    words += ["--participant-label", *people.everyone]
    words += ["--test-participants", *people.test] if people.test else ["--folds", "loso"]
    words += ["--task-id", *sorted({run.task for run in runs})]
    if indices := sorted({run.run for run in runs if run.run is not None}):
        words += ["--run-id", *indices]
    if network in request.network_configs:
        words += ["--network-config", str(request.network_configs[network])]
    return [*words, *request.train_options]


def _convert(request: Request, runs: Sequence[Run]) -> None:
    benchmark, target = request.benchmark, request.target
    for number, run in enumerate(runs, start=1):
        if not benchmark.converter.is_converted(target, run):
            logger.info("Converting sub-%s %s (%d of %d)", run.subject, run.task, number, len(runs))
            benchmark.converter.convert(request.downloaded, run, target)
    kind = "raw" if not benchmark.is_bids else "derivative"
    write_description(target, benchmark.title, benchmark.authors, benchmark.source, kind)


def _train(
    request: Request, network: str, people: PeopleOfProtocol, runs: Sequence[Run], fmriprep: Path
) -> ScoresOfNetwork:
    words = train_command(request, network, people, runs, fmriprep)
    logger.info("bids-eeg2fmri %s", shlex.join(words))
    code = subprocess.run([sys.executable, "-m", "bids_eeg2fmri", *words], check=False).returncode
    scores = _model_dir(request, network) / "scores.json"
    if code != 0:
        # The level writes a model even when some pairs were left out: those scores are not of the protocol's people.
        raise UsageError(
            f"training {network} ended with exit code {code}; the lines above say why.",
            path=_model_dir(request, network),
            remedy="Correct the cause, or leave people out with --exclude, and run the same command again.",
        )
    return ScoresOfNetwork(network, read_json_object(scores))


def _model_dir(request: Request, network: str) -> Path:
    return request.work_dir / "models" / request.protocol / network
