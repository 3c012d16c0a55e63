"""Write a simulated simultaneous EEG-fMRI BIDS dataset and its ground truth."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from uuid import uuid4

import numpy as np

from ..bold.grid import Grid, make_grid
from ..derivatives.atomic import writing
from ..errors import OutputError
from ..settings import OutputSpace
from .bold_files import write_bold
from .caps import cap_names
from .dataset_files import GENERATOR, write_dataset_files
from .draw import draw_person
from .eeg_files import write_eeg
from .person import PersonSpec
from .request import Request
from .run import Run, ground_truth
from .scalp import ScannerTiming, project_eeg
from .scanner import simulate_bold
from .sources import Stimulus, simulate_sources
from .truth_files import write_person_truth, write_run_truth

_BLOCK_S = 20.0
_STAGING = ".tmp-"
_DESCRIPTION = "dataset_description.json"


def write_dataset(request: Request, progress: Callable[[str], None] = lambda line: None) -> None:
    """Simulate the people of a request and write them as a BIDS dataset.

    Everything is written to a hidden folder inside the output folder and moved out of it at the end: a dataset
    without ``dataset_description.json`` was interrupted.

    Parameters
    ----------
    request
        What to simulate.
    progress
        Called with a line of text per finished recording.

    Raises
    ------
    UsageError
        The request cannot be simulated.
    OutputError, WriteError
        The output folder holds something else, or cannot be written to.
    """
    request.check()
    out = request.output_dir
    _check_output(out, request.overwrite)
    staging = out / f"{_STAGING}{uuid4()}"
    with writing(out):
        staging.mkdir(parents=True)
    try:
        with writing(out):
            _write_people(request, staging, progress)
            _publish(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def people(request: Request) -> Iterator[tuple[str, PersonSpec]]:
    """Label and specification of every person of a request."""
    width = max(2, len(str(request.participants)))
    for index in range(request.participants):
        seed = int(np.random.SeedSequence([request.seed, index]).generate_state(1)[0])
        person = draw_person(seed, coupling=request.coupling)
        given = {"gradient_v": request.gradient_artefact_v, "pulse_v": request.pulse_artefact_v}
        noise = replace(person.scalp_noise, **{name: value for name, value in given.items() if value is not None})
        yield f"{index + 1:0{width}d}", replace(person, scalp_noise=noise)


def _write_people(request: Request, root: Path, progress: Callable[[str], None]) -> None:
    grid = make_grid(OutputSpace(resolution=request.resolution))
    specs = {}
    for label, spec in people(request):
        specs[label] = spec
        write_person_truth(ground_truth(root), label, spec)
        for number, run in enumerate(_runs(request, label)):
            rng = np.random.default_rng([request.seed, int(label), number])
            _write_run(request, root, run, spec, grid, rng)
            progress(f"{run.label}: simulated")
    write_dataset_files(root, request, specs)


def _runs(request: Request, subject: str) -> Iterator[Run]:
    sessions = [f"{i + 1:02d}" for i in range(request.sessions)] if request.sessions > 1 else [None]
    numbers = [f"{i + 1:02d}" for i in range(request.runs)] if request.runs > 1 else [None]
    for session, task, number in product(sessions, request.tasks, numbers):
        yield Run(subject, session, task, number)


def _write_run(request: Request, root: Path, run: Run, spec: PersonSpec, grid: Grid, rng: np.random.Generator) -> None:
    stimuli = _stimuli(request) if run.task != "rest" else ()
    activity = simulate_sources(
        spec,
        request.lead_in_s + request.duration_s,
        request.sfreq_hz,
        rng,
        stimuli=stimuli,
        decouple=request.decouple,
    )
    timing = ScannerTiming(request.lead_in_s, request.tr_s)
    signals, names, positions = project_eeg(
        activity,
        spec,
        cap_names(request.cap),
        rng,
        reference=request.reference,
        timing=timing,
    )
    with ThreadPoolExecutor(1, thread_name_prefix="writer") as writer:
        line_hz = spec.scalp_noise.line_hz
        eeg = writer.submit(write_eeg, root, run, request, signals, names, positions, stimuli, line_hz)
        percent, noisy = simulate_bold(
            activity,
            spec,
            grid.coordinates_mm,
            request.tr_s,
            request.n_volumes,
            rng,
            first_volume_onset_s=request.lead_in_s,
            haemodynamics=request.haemodynamics,
        )
        eeg.result()
        truth = writer.submit(write_run_truth, ground_truth(root), run, request, spec, grid, activity, percent)
        write_bold(root, run, request, spec, grid, noisy, stimuli)
        truth.result()


def _stimuli(request: Request) -> tuple[Stimulus, ...]:
    """Blocks of 20 s with as much rest before each, in EEG seconds."""
    onsets = request.lead_in_s + np.arange(_BLOCK_S, request.duration_s - _BLOCK_S / 2, 2 * _BLOCK_S)
    return tuple(Stimulus(float(onset), _BLOCK_S) for onset in onsets)


def _check_output(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError("the output is not a folder.", path=out, remedy="Give a folder.")
    if not out.exists() or all(entry.name.startswith(_STAGING) for entry in out.iterdir()):
        return
    if not overwrite:
        raise OutputError("the output folder is not empty.", path=out, remedy="Give an empty folder or --overwrite.")
    if not _is_simulated(out):
        raise OutputError(
            "the output folder holds something that this program did not write.",
            path=out,
            remedy="It is left as it is: give another folder.",
        )


def _is_simulated(out: Path) -> bool:
    try:
        description = json.loads((out / _DESCRIPTION).read_text())
        return any(entry["Name"] == GENERATOR for entry in description["GeneratedBy"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _publish(staging: Path, out: Path) -> None:
    """Replace an older simulation by the staged one; other derivatives in the folder stay.

    The description, which makes the folder a dataset, goes first and comes last.
    """
    (out / _DESCRIPTION).unlink(missing_ok=True)
    killed = [entry for entry in out.glob(f"{_STAGING}*") if entry != staging]
    for old in (*out.glob("sub-*"), *killed, ground_truth(out)):
        if old.is_dir():
            shutil.rmtree(old)
    ground_truth(out).parent.mkdir(exist_ok=True)
    ground_truth(staging).replace(ground_truth(out))
    ground_truth(staging).parent.rmdir()
    for new in sorted(staging.iterdir(), key=lambda path: path.name == _DESCRIPTION):
        new.replace(out / new.name)
