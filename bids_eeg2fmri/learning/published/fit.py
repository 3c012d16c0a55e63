"""The story of a training of the published network: fit the weights, then the predictive distribution, then novelty."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
from flax import nnx

from ...derivatives.atomic import write_bytes
from ...network.calhas2022.config import Calhas2022Config
from ...network.calhas2022.network import Calhas2022
from ...network.calhas2022.trained import Calhas2022Facts, TrainedCalhas2022
from ..options import TrainingOptions
from .cache import CachedRecording
from .curves import learning_curves
from .log import EpochRow
from .loop import Watch, train
from .novelty import set_novelty
from .objective import Objective
from .precision import compute_in_bfloat16, is_mixed
from .predictive import fit_predictive
from .volumes import Volumes

CURVES_NAME = "learning_curves.svg"
_PREDICTED_AT_ONCE = 16
logger = logging.getLogger(__name__)


def fit_calhas2022(
    training: Sequence[CachedRecording],
    validation: Sequence[CachedRecording],
    config: Calhas2022Config,
    facts: Calhas2022Facts,
    options: TrainingOptions,
    folder: Path,
) -> tuple[TrainedCalhas2022, dict[str, Any]]:
    """Train the published network.

    A training that was interrupted goes on where it was; one that is finished is read.

    Parameters
    ----------
    training, validation
        Recordings of two groups of people (see :func:`~.prepare.cache_recording`). The second decides when to stop and
        sets gain, residual sd, calibration and novelty.
    config
        Hyper-parameters of the network; its number of channels must be that of ``facts`` (see :func:`for_cap`).
    facts
        The meaning of its arrays.
    options
        Hyper-parameters of the training.
    folder
        For checkpoints, ``training_log.tsv`` and ``learning_curves.svg``.

    Returns
    -------
    The trained network, and what its description must say (epochs, losses, gain, calibration).

    Raises
    ------
    UsageError
        ``folder`` holds another training, or the configuration does not fit the data.
    BadDataError
        The loss became infinite.
    """
    volumes = Volumes(tuple(training), config.eeg_shape[2])
    held_out = Volumes(tuple(validation), config.eeg_shape[2])
    network, rows = fit_weights(volumes, held_out, make_network(config, options.seed), options, folder)
    trained = TrainedCalhas2022(network, facts)
    calibration = fit_predictive(trained, held_out, _PREDICTED_AT_ONCE)
    set_novelty(trained, volumes, held_out)
    if jax.process_index() == 0:
        write_bytes(folder / CURVES_NAME, learning_curves(rows))
    best = max((row for row in rows if row.best), key=lambda row: row.epoch)
    return trained, {
        "epochs": len(rows),
        "best_epoch": best.epoch,
        "validation_error": round(best.validation_reconstruction, 5),
        "gain": round(float(trained.gain[...]), 4),
        "precision": "mixed" if is_mixed(options) else "float32",
        "calibration": calibration,
    }


def make_network(config: Calhas2022Config, seed: int) -> Calhas2022:
    """A network with its first weights.

    Raises
    ------
    ArchitectureError
        A block does not fit the shape of its input.
    """
    # Compiled as one function: an initialiser at a time takes many times longer.
    network: Calhas2022 = nnx.jit(lambda: Calhas2022(config, rngs=nnx.Rngs(seed)))()
    return network


def fit_weights(
    training: Volumes,
    validation: Volumes,
    network: Calhas2022,
    options: TrainingOptions,
    folder: Path,
    watch: Watch | None = None,
) -> tuple[Calhas2022, list[EpochRow]]:
    """The network with the averaged weights that were best on the validation people, in inference mode, and the log.

    Parameters
    ----------
    training, validation
        Volumes of two groups of people.
    network
        With its first weights, as :func:`make_network` gives it.
    options, folder
        As in :func:`fit_calhas2022`, which also says what is raised.
    watch
        As in :func:`~.loop.train`.
    """
    learner = nnx.clone(network)
    if is_mixed(options):
        compute_in_bfloat16(learner)
    identity = {
        **{f"network.{name}": value for name, value in asdict(network.config).items()},
        "training data": training.digest(),
        "validation data": validation.digest(),
    }
    logger.info("training on %d volumes of %d people", len(training), len(training.people))
    objective = Objective.of(network.config, len(training))
    learned, rows = train(learner, training, validation, options, folder, identity, objective, watch)
    nnx.update(network, nnx.state(learned, nnx.Any(nnx.Param, nnx.BatchStat)))
    network.eval()
    return network, rows


def for_cap(config: Calhas2022Config, facts: Calhas2022Facts) -> Calhas2022Config:
    """The configuration with the number of channels that the training people's cap has."""
    return replace(config, eeg_shape=(len(facts.channel_names), *config.eeg_shape[1:]))
