"""The simulated BOLD of a run as a raw image on a template grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..bold.grid import Grid
from ..derivatives.atomic import write_json, write_text
from ..derivatives.encoding import Encoding
from ..derivatives.nifti import nifti_writer
from .eeg_files import STIMULUS
from .person import PersonSpec
from .request import Request
from .run import Run
from .scanner import mean_image
from .sources import Stimulus
from .tables import write_table

# 0 to 2047 in steps of 1/16, a hundredth of a per cent of the baseline.
_ENCODING = Encoding("int16", slope=1 / 16)
_VOLUMES_AT_ONCE = 16


def write_bold(
    root: Path,
    run: Run,
    request: Request,
    spec: PersonSpec,
    grid: Grid,
    percent: Float[np.ndarray, "volumes voxels"],
    stimuli: Sequence[Stimulus],
) -> None:
    """Write what the scanner measured as raw data: image, sidecar and, for a task, events in scanner time.

    Raw BIDS images know no ``space-``; that this person's native space is the template's stands in the sidecar.
    """
    image = run.path(root, "func", "bold.nii.gz")
    write_percent(image, grid, spec, percent, request.tr_s)
    write_json(image.with_name(f"{run.label}_bold.json"), raw_sidecar(run, request, grid))
    _list_in_scans(image, run)
    if stimuli:
        write_table(
            image.with_name(f"{run.label}_events.tsv"),
            {
                "onset": [stimulus.onset_s - request.lead_in_s for stimulus in stimuli],
                "duration": [stimulus.duration_s for stimulus in stimuli],
                "trial_type": [STIMULUS] * len(stimuli),
            },
        )
        description = {
            "trial_type": {"Description": "Blocks that drive the task networks.", "Levels": {STIMULUS: "On"}}
        }
        write_json(image.with_name(f"{run.label}_events.json"), description)


def _list_in_scans(image: Path, run: Run) -> None:
    """Add the image to the table of the session's recordings that mne-bids has begun."""
    session = image.parent.parent
    entities = run.label.partition("_task-")[0]
    table = session / f"{entities}_scans.tsv"
    write_text(table, f"{table.read_text()}func/{image.name}\tn/a\n")


def write_percent(
    path: Path, grid: Grid, spec: PersonSpec, percent: Float[np.ndarray, "volumes voxels"], tr_s: float
) -> None:
    """Write per cent signal change around the person's mean image."""
    baseline = mean_image(spec, grid)
    with nifti_writer(path, grid, _ENCODING, n_volumes=len(percent), tr_s=tr_s) as writer:
        for start in range(0, len(percent), _VOLUMES_AT_ONCE):
            writer.write(baseline * (1 + percent[start : start + _VOLUMES_AT_ONCE] / 100))


def raw_sidecar(run: Run, request: Request, grid: Grid) -> dict[str, Any]:
    """Metadata of a simulated image."""
    return {
        "TaskName": run.task,
        "RepetitionTime": request.tr_s,
        "Manufacturer": "none (simulated)",
        "Instructions": "none (simulated)",
        "Simulated": True,
        "SimulatedSpace": f"{grid.space}: the image is aligned with the template ({grid.description})",
    }
