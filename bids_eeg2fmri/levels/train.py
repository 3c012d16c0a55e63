"""The train level: simultaneous EEG and BOLD to a model, with scores on people it never saw."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..bids.pairing import Pair, Pairing, pair_with_bold
from ..bids.selection import Selection, select_recordings
from ..errors import UsageError
from ..settings import Settings
from .attempt import failed
from .logs import RunLogs, open_run_logs, recording_log
from .machine import choose_device, prepare_scratch, require_writable
from .summary import Outcome, exit_code, failures, last_words, print_table, progress

if TYPE_CHECKING:
    from ..learning.library import Library
    from ..learning.splits import Split
    from ..learning.trainer import Trainer
    from .model_folder import ModelFolder

logger = logging.getLogger(__name__)


def run_train(settings: Settings, command: str) -> int:
    """Run the train level.

    Parameters
    ----------
    settings
        What to do.
    command
        The command line, for logs and the model card.

    Returns
    -------
    int
        0; or, when pairs were left out, the exit code that all failures share, else 1. The model is written anyhow.

    Raises
    ------
    Eeg2fmriError
        No model can be made at all: no pairs, too few people, no place to write.
    """
    _check_options(settings)
    selection = select_recordings(settings)
    pairing = pair_with_bold(selection.recordings, settings)
    _echo(selection, pairing)
    if settings.dry_run:
        _print_plan(pairing, settings)
        return 0
    if settings.network == "calhas2022":
        from ..learning.published.devices import join_hosts

        # Before anything is computed: afterwards a process cannot join the others any more.
        join_hosts()
    logger.info("Device: %s.", choose_device(settings))
    logs = _open_output(settings, command)
    return _train(selection, pairing, settings, logs)


def _train(selection: Selection, pairing: Pairing, settings: Settings, logs: RunLogs) -> int:
    from .model_folder import ModelFolder
    from .trainers import make_library, make_trainer

    library = make_library(settings)
    trainer = make_trainer(library, settings)
    outcomes = [
        failed(f.label, f.subject, f.path, f.error, settings, logs) for f in (*selection.failures, *pairing.failures)
    ]
    outcomes += _read_pairs(pairing.pairs, library, trainer, settings, logs)
    print_table(sorted(outcomes, key=lambda outcome: outcome.label))
    splits = _splits(library.people, settings)
    folder = ModelFolder(settings, library, splits, logs.command)
    if folder.is_complete() and not settings.overwrite:
        logger.info("%s: the model of these recordings and options is there already.", settings.output_dir)
    else:
        _fit_and_score(library, trainer, splits, folder, settings)
    if failures(outcomes):
        print(last_words(outcomes), file=sys.stderr)
    return exit_code(outcomes)


def _fit_and_score(
    library: Library, trainer: Trainer, splits: Sequence[Split], folder: ModelFolder, settings: Settings
) -> None:
    import jax

    from .training_scores import score_split, score_table

    # Of several hosts, which all train and score the same, one writes.
    writes = jax.process_index() == 0
    entries, series = [], []
    for number, split in enumerate(splits, start=1):
        logger.info(
            "Split %d of %d (%s): %d people train, %d validate, %d are tested",
            *(number, len(splits), split.name, len(split.training), len(split.validation), len(split.test)),
        )
        started = time.monotonic()
        fitted = trainer.fit(split, folder.workplace(split))
        for caveat in fitted.caveats:
            logger.warning("%s: %s", split.name, caveat)
        logger.info("%s: trained in %.0f s", split.name, time.monotonic() - started)
        if writes:
            folder.write_split(split, fitted)
        if split.test:
            scored = score_split(library, split, fitted, settings)
            entries += scored.entries
            series += scored.series
    table = score_table(entries, series)
    if writes:
        folder.finish(fitted, table, entries)
        print(folder.summary(table))


def _check_options(settings: Settings) -> None:
    if settings.search is not None and settings.network != "calhas2022":
        raise UsageError(
            f"--search looks for architectures of calhas2022; {settings.network} has none to choose from.",
            remedy="Add --network calhas2022, or leave --search out.",
        )
    if settings.from_model is not None and settings.network != "neuralfield":
        raise UsageError(f"--from begins with a neuralfield, not with {settings.network}.", remedy="Leave --from out.")
    for option, value in (("--epochs", settings.epochs), ("--batch-size", settings.batch_size)):
        if value is not None and settings.network == "neuralfield":
            logger.warning("%s has no effect: neuralfield is fitted in closed form.", option)


def _echo(selection: Selection, pairing: Pairing) -> None:
    people = {pair.eeg.subject for pair in pairing.pairs}
    logger.info(
        "%d recordings selected; %d have BOLD (%d people), %d have none, %d cannot be paired",
        *(len(selection.recordings), len(pairing.pairs), len(people)),
        *(len(pairing.without_bold), len(pairing.failures)),
    )
    for pair in pairing.pairs:
        logger.debug("%s: %s", pair.eeg.label, pair.bold.path)
    for file in pairing.without_bold:
        logger.warning("%s has no BOLD: left out.", file.label)


def _print_plan(pairing: Pairing, settings: Settings) -> None:
    """``--dry-run``: pairs, and who would train, validate and be tested."""
    for pair in pairing.pairs:
        print(f"{pair.eeg.label}  {pair.bold.path}")
    for failure in pairing.failures:
        print(f"{failure.label}  left out: {failure.error}")
    for split in _splits(sorted({pair.eeg.subject for pair in pairing.pairs}), settings):
        groups = {"train": split.training, "validate": split.validation, "test": split.test}
        text = "; ".join(f"{role} {', '.join(people)}" for role, people in groups.items() if people)
        print(f"{split.name}: {text}")


def _splits(people: Sequence[str], settings: Settings) -> tuple[Split, ...]:
    from ..learning.splits import make_splits

    return make_splits(
        people,
        folds=settings.folds,
        test=settings.test_participants,
        validation=settings.validation_participants,
        seed=settings.random_seed,
    )


def _open_output(settings: Settings, command: str) -> RunLogs:
    if (settings.output_dir / "dataset_description.json").exists():
        raise UsageError(
            "the output directory is a dataset; a model needs a folder of its own.",
            path=settings.output_dir,
            remedy="Give another OUTPUT_DIR.",
        )
    require_writable(settings.output_dir)
    prepare_scratch(settings)
    return open_run_logs(settings, command)


def _read_pairs(
    pairs: Sequence[Pair], library: Library, trainer: Trainer, settings: Settings, logs: RunLogs
) -> list[Outcome]:
    """Read every pair into the library; one that fails is left out and stops nothing else."""
    outcomes = []
    with progress(len(pairs)) as advance:
        for pair in pairs:
            outcomes.append(_read_pair(pair, library, trainer, settings, logs))
            advance()
    return outcomes


def _read_pair(pair: Pair, library: Library, trainer: Trainer, settings: Settings, logs: RunLogs) -> Outcome:
    label, subject, started = pair.eeg.label, pair.eeg.subject, time.monotonic()
    with recording_log(logs.log(label)):
        try:
            trainer.add(pair)
            library.add(pair)
        except Exception as error:
            return failed(label, subject, pair.eeg.path, error, settings, logs, time.monotonic() - started)
    return Outcome(label, subject, "written", time.monotonic() - started, f"with {pair.bold.path.name}")
