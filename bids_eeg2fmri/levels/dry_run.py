"""What a run would do, without doing it."""

from __future__ import annotations

from collections.abc import Sequence

from ..bids.recording_file import RecordingFile
from ..bids.selection import SelectionFailure
from ..settings import Settings
from .logs import usable_cpus


def print_dry_run(
    states: Sequence[tuple[RecordingFile, str]], failures: Sequence[SelectionFailure], settings: Settings
) -> None:
    """List recordings with their state, input and outputs, then the resources, on stdout."""
    from .output_dataset import planned_outputs

    for file, state in states:
        print(f"{file.label}  [{state}]")
        print(f"  from  {file.path}")
        for output in planned_outputs(file, settings):
            print(f"  to    {output}")
    for failure in failures:
        print(f"{failure.label}  [would fail]")
        print(f"  {failure.error}")
    memory = "no limit given" if settings.mem_bytes is None else f"{settings.mem_bytes / 1e9:g} GB"
    threads = settings.omp_nthreads or "as many as fit"
    print(f"model: {settings.model}; device: {settings.device}; scratch folder: {settings.work_dir}")
    print(f"processes: {settings.nprocs}; threads of each: {threads}; CPUs: {usable_cpus()}; memory: {memory}")
    print("Dry run: nothing was written.")
