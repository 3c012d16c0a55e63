"""What a run would do, without doing it and without loading what would do it.

Only about a single participant are signal files opened: for their size, and to see if outputs are of this input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..bids.recording_file import RecordingFile
from ..bids.selection import Selection, SelectionFailure
from ..errors import Eeg2fmriError
from ..settings import Settings
from .anatomy import planned_anatomy
from .executors import memory_of_each, require_dask
from .foreign_dataset import refuse_foreign_dataset
from .logs import usable_cpus
from .machine import choose_device
from .plan import Plan, State, make_plan


def dry_run(selection: Selection, settings: Settings) -> None:
    """List recordings with their state, input and outputs, then the resources, on stdout.

    Raises
    ------
    Eeg2fmriError
        The model, a region or a reference image cannot be used, or a GPU is asked for that is not there.
    """
    from ..network.bundle_files import checked_bundle

    _, model = checked_bundle(settings.model)
    _refuse_what_a_run_refuses(settings, model)
    people = {file.subject for file in selection.recordings} | {failure.subject for failure in selection.failures}
    alone = len(people) == 1
    plan = make_plan(selection, settings, model["sha256"], read_input=alone)
    if settings.executor == "dask" and _n_to_do(plan):
        require_dask()
    print_dry_run(plan, selection.failures, settings, alone=alone)


def _n_to_do(plan: Plan) -> int:
    return sum(state != "done" for _, state in plan)


def _refuse_what_a_run_refuses(settings: Settings, model: Mapping[str, Any]) -> None:
    """Try what was named on the command line, as far as it takes neither the network nor an input."""
    from ..derivatives.one_model import check_one_model

    refuse_foreign_dataset(settings.output_dir)
    check_one_model(settings.output_dir, model["name"], model["version"], model["sha256"])
    if settings.device == "gpu":
        choose_device(settings)
    if settings.explain is not None:
        from ..explanation.regions import chosen_regions

        chosen_regions(settings.explain)
    for space in settings.output_spaces:
        if space.reference_image is not None:
            from ..bold.grid import make_grid

            make_grid(space)


def print_dry_run(plan: Plan, failures: tuple[SelectionFailure, ...], settings: Settings, *, alone: bool) -> None:
    """Print a plan.

    Parameters
    ----------
    plan, failures
        Recordings with their state, and those that fail before they are read.
    settings
        What was asked for.
    alone
        Whether it is about a single participant.
    """
    mem_bytes = memory_of_each(settings, _n_to_do(plan))
    for file, state in plan:
        _print_recording(file, state, settings, mem_bytes, alone)
    for failure in failures:
        _print_failure(failure.label, failure.error)
    _print_anatomy(sorted({file.subject for file, _ in plan}), settings)
    memory = "no limit given" if settings.mem_bytes is None else f"{settings.mem_bytes / 1e9:g} GB"
    threads = settings.omp_nthreads or "as many as fit"
    print(f"model: {settings.model}; device: {settings.device}; scratch folder: {settings.work_dir}")
    print(f"processes: {settings.nprocs}; threads of each: {threads}; CPUs: {usable_cpus()}; memory: {memory}")
    if not alone:
        print(
            "No signal file was opened: a done recording whose input has changed since, or an input that cannot be "
            "used, shows in the run, or in a dry run with one --participant-label."
        )
    print("Dry run: nothing was written.")


def _print_recording(file: RecordingFile, state: State, settings: Settings, mem_bytes: int | None, alone: bool) -> None:
    from .planned_outputs import planned_outputs

    try:
        size = _size(file, state, settings, mem_bytes) if alone else None
    except Eeg2fmriError as error:
        _print_failure(file.label, error)
        return
    print(f"{file.label}  [{state}]")
    print(f"  from  {file.path}")
    if size is not None:
        print(f"  size  {size}")
    for output in planned_outputs(file, settings):
        print(f"  to    {output}")


def _size(file: RecordingFile, state: State, settings: Settings, mem_bytes: int | None) -> str:
    """How large a recording is, and what that takes; what is done already takes nothing that could be refused."""
    from ..eeg.header import read_header
    from .memory import gigabytes, needs_of, within_memory

    header = read_header(file.path)
    needs = needs_of(file, header, settings)
    low_mem = (settings if state == "done" else within_memory(file, settings, mem_bytes)).low_mem
    memory = gigabytes(needs.least_bytes if low_mem else needs.usual_bytes)
    return (
        f"{header.duration_s:.0f} s of {header.n_channels} channels at {header.sfreq_hz:g} Hz, about {memory} of memory"
        f"{' with small blocks' if low_mem else f' ({gigabytes(needs.least_bytes)} with --low-mem)'}"
    )


def _print_anatomy(subjects: Iterable[str], settings: Settings) -> None:
    if not (settings.derivatives or settings.template_anat):
        return
    for subject in subjects:
        source = planned_anatomy(subject, settings)
        if source is not None:
            print(f"sub-{subject}_anat\n  from  {source}\n  to    {settings.output_dir / f'sub-{subject}' / 'anat'}")


def _print_failure(label: str, error: Eeg2fmriError) -> None:
    print(f"{label}  [would fail]")
    print(f"  {error}")
