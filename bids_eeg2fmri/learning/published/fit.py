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
from .loop import train
from .novelty import set_novelty
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
    *,
    start: Calhas2022 | None = None,
    start_name: str = "",
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
    start, start_name
        A network to start from, with the same configuration, and its name, for example the digest of a bundle.

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
    network = Calhas2022(config, rngs=nnx.Rngs(options.seed)) if start is None else nnx.clone(start)
    mixed = is_mixed(options)
    learner = nnx.clone(network)
    if mixed:
        compute_in_bfloat16(learner)
    identity = {
        **{f"network.{name}": value for name, value in asdict(config).items()},
        "start": start_name,
        "training data": volumes.digest(),
        "validation data": held_out.digest(),
    }
    logger.info("training on %d volumes of %d people", len(volumes), len(volumes.people))
    learned, rows = train(learner, volumes, held_out, options, folder, identity)
    nnx.update(network, nnx.state(learned, nnx.Any(nnx.Param, nnx.BatchStat)))
    network.eval()
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
        "precision": "mixed" if mixed else "float32",
        "calibration": calibration,
    }


def for_cap(config: Calhas2022Config, facts: Calhas2022Facts) -> Calhas2022Config:
    """The configuration with the number of channels that the training people's cap has."""
    return replace(config, eeg_shape=(len(facts.channel_names), *config.eeg_shape[1:]))
