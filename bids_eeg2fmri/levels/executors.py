"""Who runs the recordings: this process, processes of its own, or workers of dask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec

from ..bids.recording_file import RecordingFile
from ..derivatives.atomic import remove_leftovers
from ..errors import Eeg2fmriError, UsageError
from ..settings import Settings
from .attempt import failed
from .logs import RunLogs
from .summary import Outcome
from .workers import Failure, Task, Workers

# The process that hands out recordings to others.
_PARENT_BYTES = 500_000_000


def run_each(to_do: Sequence[RecordingFile], task: Task, settings: Settings, logs: RunLogs) -> Iterator[Outcome]:
    """Run recordings where the settings say, up to the first failure if so asked; outcomes as they come.

    Raises
    ------
    UsageError
        Dask is asked for and not installed, or its cluster does not exist.
    TemporaryError
        The dask scheduler does not answer.
    """

    def fail(file: RecordingFile, error: Exception) -> Outcome:
        _remove_partial_files(file, settings)
        return failed(file.label, file.subject, file.path, error, settings, logs)

    n_workers = _n_workers(settings, len(to_do))
    if not to_do:
        return
    if settings.executor == "dask":
        yield from _run_on_dask(to_do, task, fail, settings, n_workers, logs)
    elif n_workers > 1:
        yield from Workers(n_workers, settings.verbosity).run(to_do, task, fail, settings.stop_on_first_crash)
    else:
        yield from _run_here(to_do, task, settings.stop_on_first_crash)


def memory_of_each(settings: Settings, n_recordings: int) -> int | None:
    """Bytes that ``--mem`` leaves to each of the processes started for so many recordings; ``None`` without a limit.

    Jobs of a batch system and the workers of a scheduler that runs already have ``--mem`` each.
    """
    n_workers = _n_workers(settings, n_recordings)
    on_dask = settings.executor == "dask"
    alone = n_workers <= 1 and not on_dask
    if settings.mem_bytes is None or alone or (on_dask and settings.dask_cluster != "local"):
        return settings.mem_bytes
    return max(settings.mem_bytes - _PARENT_BYTES, 0) // max(n_workers, 1)


def require_dask() -> None:
    """Refuse ``--executor dask`` where dask is not installed, without loading it.

    Raises
    ------
    UsageError
        It is not.
    """
    missing = [name for name in ("dask", "distributed") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--executor dask: {missing[0]} is not installed.", remedy='Run pip install "bids-eeg2fmri[dask]".'
        )


def _n_workers(settings: Settings, n_recordings: int) -> int:
    return min(settings.nprocs, n_recordings)


def _run_here(to_do: Sequence[RecordingFile], task: Task, stop_on_failure: bool) -> Iterator[Outcome]:
    for file in to_do:
        outcome = task(file)
        yield outcome
        if outcome.status == "failed" and stop_on_failure:
            return


def _run_on_dask(
    to_do: Sequence[RecordingFile], task: Task, fail: Failure, settings: Settings, n_workers: int, logs: RunLogs
) -> Iterator[Outcome]:
    require_dask()
    from .dask_workers import DaskWorkers

    workers = DaskWorkers(settings, n_workers, logs.folder / "dask")
    yield from workers.run(to_do, task, fail, settings.stop_on_first_crash)


def _remove_partial_files(file: RecordingFile, settings: Settings) -> None:
    """Remove what a worker that died left half written."""
    from .planned_outputs import planned_outputs

    with suppress(Eeg2fmriError):
        for path in planned_outputs(file, settings):
            remove_leftovers(path)
