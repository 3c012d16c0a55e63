"""The search: every candidate is trained, and ended early when others did better with as many epochs.

Random architectures under asynchronous successive halving (Li and Talwalkar 2019, arXiv 1902.07638; Li et al. 2020,
arXiv 1810.05934), with hyper-parameters that a tree-structured Parzen estimator proposes from what went before. Only
the loss on the validation people is looked at.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import optuna
from flax import nnx
from optuna.trial import FixedTrial, FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ...derivatives.atomic import writing
from ...errors import BadDataError, UsageError
from ...network.calhas2022.config import ArchitectureError, Calhas2022Config
from ...network.calhas2022.network import Calhas2022
from ..options import TrainingOptions
from ..published.fit import fit_weights, make_network
from ..published.log import EpochRow
from ..published.volumes import Volumes
from .candidates import Candidate
from .hyperparameters import suggest

REDUCTION_FACTOR = 3
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """What came of a candidate.

    Attributes
    ----------
    candidate
        Its architecture.
    config, options
        Everything that it was trained with.
    state
        ``"trained"``, ``"stopped"`` (others did better) or ``"failed"``.
    errors
        Error on the validation people by epoch, from the first on.
    parameters
        Number of weights.
    problem
        Why it failed.
    """

    candidate: Candidate
    config: Calhas2022Config
    options: TrainingOptions
    state: str
    errors: tuple[float, ...]
    parameters: int
    problem: str = ""

    @property
    def error(self) -> float:
        """Lowest error on the validation people; infinite without any."""
        return min(self.errors, default=float("inf"))


class Search:
    """A resumable search for one split of people.

    Parameters
    ----------
    training, validation
        Volumes of two groups of people.
    config, options
        What is not searched; ``options.epochs`` is the most that a candidate gets.
    fixed
        Names of fields that stay as they are (see :func:`~.hyperparameters.suggest`).
    folder
        Keeps the study (SQLite) and a folder for each candidate's training.
    """

    def __init__(
        self,
        training: Volumes,
        validation: Volumes,
        config: Calhas2022Config,
        options: TrainingOptions,
        fixed: Collection[str],
        folder: Path,
    ) -> None:
        self._training, self._validation = training, validation
        self._config, self._options, self._fixed, self._folder = config, options, fixed, folder
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._study = _open_study(folder)

    def run(self, candidates: Sequence[Candidate]) -> list[Trained]:
        """Try the candidates that were not tried yet; all of them, the best first.

        A search that was killed goes on with the checkpoint of the candidate under way and ends with the same result.

        Raises
        ------
        BadDataError
            No candidate could be trained.
        """
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            # Left by a killed process: the same candidate gets the same hyper-parameters again.
            self._study.tell(trial.number, state=TrialState.FAIL)
        for candidate in candidates:
            if candidate.number not in self._tried():
                self._try(candidate)
                self._tidy()
        tried = self._tried()
        results = sorted(
            (self._result(candidate, tried[candidate.number]) for candidate in candidates),
            key=lambda result: (result.state != "trained", result.error, result.candidate.number),
        )
        if results[0].state != "trained":
            raise BadDataError(
                f"none of {len(results)} architectures could be trained: {results[0].problem}",
                remedy="Give a lower --learning-rate, or a --network-config.",
            )
        return results

    def workplace(self, candidate: Candidate) -> Path:
        """Where a candidate is trained."""
        return self._folder / f"candidate-{candidate.number:03d}"

    def _try(self, candidate: Candidate) -> None:
        # A sampler of its own for every candidate, so that an interrupted search proposes the same again.
        self._study.sampler = optuna.samplers.TPESampler(seed=self._options.seed + candidate.number)
        trial = self._study.ask()
        trial.set_user_attr("candidate", candidate.number)
        config, options = suggest(trial, candidate.configure(self._config), self._options, self._fixed)
        logger.info("candidate %d: %s", candidate.number, trial.params)

        def watch(row: EpochRow) -> None:
            trial.report(row.validation_reconstruction, row.epoch)
            if row.epoch < options.epochs and trial.should_prune():
                raise optuna.TrialPruned

        try:
            network = make_network(config, options.seed)
            trial.set_user_attr("parameters", _n_parameters(network))
            folder = self.workplace(candidate)
            _, rows = fit_weights(self._training, self._validation, network, options, folder, watch)
        except optuna.TrialPruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        except (BadDataError, ArchitectureError) as error:
            trial.set_user_attr("problem", error.problem)
            self._study.tell(trial, state=TrialState.FAIL)
            logger.warning("candidate %d: %s", candidate.number, error.problem)
        else:
            self._study.tell(trial, min(row.validation_reconstruction for row in rows))

    def _tried(self) -> dict[int, FrozenTrial]:
        """The trial of every candidate that needs no other."""
        return {
            trial.user_attrs["candidate"]: trial
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state in _FINISHED or "problem" in trial.user_attrs
        }

    def _tidy(self) -> None:
        """Remove the checkpoints of all candidates but the best, which would fill the disk."""
        done = [trial for trial in self._tried().values() if trial.state == TrialState.COMPLETE]
        best = min(done, key=lambda trial: (trial.value, trial.number), default=None)
        for number, trial in self._tried().items():
            if trial is not best:
                shutil.rmtree(self._folder / f"candidate-{number:03d}" / "checkpoints", ignore_errors=True)

    def _result(self, candidate: Candidate, trial: FrozenTrial) -> Trained:
        proposed = FixedTrial(trial.params)
        config, options = suggest(proposed, candidate.configure(self._config), self._options, self._fixed)
        states = {TrialState.COMPLETE: "trained", TrialState.PRUNED: "stopped"}
        return Trained(
            candidate=candidate,
            config=config,
            options=options,
            state=states.get(trial.state, "failed"),
            errors=tuple(error for _, error in sorted(trial.intermediate_values.items())),
            parameters=trial.user_attrs.get("parameters", 0),
            problem=trial.user_attrs.get("problem", ""),
        )


def _open_study(folder: Path) -> optuna.Study:
    """The study of a folder, or a new one: a database whose changes are written whole or not at all."""
    try:
        return optuna.create_study(
            storage=f"sqlite:///{folder / 'study.sqlite3'}",
            study_name="search",
            direction="minimize",
            load_if_exists=True,
            pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION_FACTOR),
        )
    except (optuna.exceptions.OptunaError, SQLAlchemyError) as error:
        raise UsageError(
            f"the study of an architecture search cannot be opened ({type(error).__name__}).",
            path=folder,
            remedy="Remove this folder to search anew, or give another --work-dir.",
        ) from error


def _n_parameters(network: Calhas2022) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(network, nnx.Param)))
