"""The training loop: epochs of steps, validation, early stopping, checkpoints, log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from ...errors import BadDataError
from ..options import TrainingOptions
from .batches import ShuffledEpochs
from .checkpoints import Checkpoints, Snapshot, open_checkpoints
from .course import Course
from .devices import make_mesh, replicated, split_over
from .feed import feed
from .log import EpochRow, read_log, write_log
from .objective import Objective
from .optimiser import learning_rate, make_optimiser
from .progress import Show, training_progress
from .state import PARTS, copied, first_state, no_sums, take_apart
from .step import Step, make_step
from .validation import Validate, make_validation
from .volumes import Volumes

LOG_NAME = "training_log.tsv"
Watch = Callable[[EpochRow], None]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """A training ready to run.

    Attributes
    ----------
    options
        Hyper-parameters.
    volumes, epochs
        The training people's volumes, and which of them each step sees.
    step, validate
        The compiled step, and the loss on the validation people.
    rate
        Learning rate of a step.
    mesh
        Devices that share the batches.
    log
        Where the log is written.
    """

    options: TrainingOptions
    volumes: Volumes
    epochs: ShuffledEpochs
    step: Step
    validate: Validate
    rate: optax.Schedule
    mesh: jax.sharding.Mesh
    log: Path


def train(
    network: nnx.Module,
    training: Volumes,
    validation: Volumes,
    options: TrainingOptions,
    folder: Path,
    identity: dict[str, Any],
    objective: Objective,
    watch: Watch | None = None,
) -> tuple[nnx.Module, list[EpochRow]]:
    """Train until the last epoch, or until the validation people gain nothing for ``patience`` epochs.

    A training that was killed goes on from its last checkpoint and ends with the same bits; one that is finished is
    read.

    Parameters
    ----------
    network
        The network with its first weights.
    training, validation
        Volumes of two groups of people.
    options
        Hyper-parameters.
    folder
        For the checkpoints and the log.
    identity
        Plain values that decide the first weights, the data and the objective; together with the options they name
        the training.
    objective
        The loss.
    watch
        Called with every epoch's row of the log, those of an interrupted run first. What it raises ends training,
        which can go on later from its last checkpoint.

    Returns
    -------
    The network with the averaged weights that were best on the validation people, and the log.

    Raises
    ------
    UsageError
        ``folder`` holds another training, or the devices cannot share a batch.
    BadDataError
        The loss became infinite.
    """
    mesh = make_mesh(options.batch_size)
    epochs = ShuffledEpochs(len(training), options.batch_size, options.seed)
    n_steps = options.epochs * epochs.steps_per_epoch
    optimiser = make_optimiser(options, n_steps)
    anatomy, weights = take_apart(network)
    state = jax.device_put(first_state(weights, optimiser), replicated(mesh))
    job = Training(
        options=options,
        volumes=training,
        epochs=epochs,
        step=make_step(anatomy, optimiser, options, mesh, objective),
        validate=make_validation(anatomy, validation, options.batch_size, mesh, objective),
        rate=learning_rate(options, n_steps),
        mesh=mesh,
        log=folder / LOG_NAME,
    )
    with open_checkpoints(folder / "checkpoints", {**identity, **vars(options)}) as checkpoints:
        snapshot = checkpoints.restore(Snapshot(state, copied(state.average), Course()), replicated(mesh))
        rows = read_log(job.log, snapshot.course.epoch)
        if snapshot.course.step:
            logger.info("going on from step %d of %d", snapshot.course.step, n_steps)
        if watch is not None:
            for row in rows:
                watch(row)
        with training_progress(n_steps, snapshot.course.step, "Training") as show:
            while not snapshot.course.finished:
                snapshot, row = _epoch(job, snapshot, checkpoints, show)
                rows.append(row)
                if jax.process_index() == 0:
                    write_log(job.log, rows)
                checkpoints.save(snapshot)
                if watch is not None:
                    watch(row)
    # Shared among devices and machines until here, on this process's first device from now on.
    best = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), snapshot.best)
    return anatomy.network(best, anatomy.constants, training=False), rows


def _epoch(job: Training, snapshot: Snapshot, checkpoints: Checkpoints, show: Show) -> tuple[Snapshot, EpochRow]:
    """The rest of an epoch, and its validation."""
    course, state, started = snapshot.course, snapshot.state, time.monotonic()
    end = (course.epoch + 1) * job.epochs.steps_per_epoch
    previous = None
    steps = range(course.step, end)
    for step, batch in zip(steps, feed(job.volumes, job.epochs, steps, split_over(job.mesh)), strict=True):
        state, loss = job.step(state, batch)
        # Looking at the loss of the step before keeps the devices busy, and no more than one step behind.
        _show(job, show, step, previous)
        previous = loss
        if (step + 1) % job.options.checkpoint_steps == 0 and step + 1 < end:
            seconds = course.seconds + time.monotonic() - started
            checkpoints.save(Snapshot(state, snapshot.best, replace(course, step=step + 1, seconds=seconds)))
    _show(job, show, end, previous)
    scores = job.validate(state.average)
    after = course.after_epoch(end, scores["reconstruction"], patience=job.options.patience, epochs=job.options.epochs)
    improved = after.best_epoch == after.epoch
    best = copied(state.average) if improved else snapshot.best
    row = _row(job, after, state.sums, scores, course.seconds + time.monotonic() - started)
    logger.info(
        "epoch %d/%d: loss %.4f, on validation people %.4f (error %.4f%s), %.0f s",
        *(row.epoch, job.options.epochs, row.loss, row.validation_loss, row.validation_reconstruction),
        *(", best" if row.best else "", row.seconds),
    )
    sums = jax.device_put(no_sums(), replicated(job.mesh))
    return Snapshot(replace(state, sums=sums), best, after), row


def _show(job: Training, show: Show, step: int, loss: jax.Array | None) -> None:
    if loss is None:
        return
    value = float(loss)
    if not np.isfinite(value):
        raise BadDataError(
            f"the loss is {value} after {step} steps.",
            remedy="Give a lower --learning-rate, and remove the training's folder in the work directory.",
        )
    show(step, f"loss {value:.4f}")


def _row(
    job: Training, after: Course, sums: dict[str, jax.Array], scores: dict[str, float], seconds: float
) -> EpochRow:
    totals = {name: float(value) for name, value in sums.items()}
    return EpochRow(
        epoch=after.epoch,
        step=after.step,
        learning_rate=float(job.rate(after.step - 1)),
        **{name: totals[name] / totals["volumes"] for name in PARTS},
        gradient_norm=totals["gradient_norm"] / totals["steps"],
        **{f"validation_{name}": scores[name] for name in ("loss", "reconstruction", "latent")},
        seconds=round(seconds, 1),
        best=after.best_epoch == after.epoch,
    )
