"""BOLD in the template's space: what the downloads do not hold, and what fMRIPrep makes of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from bids_eeg2fmri.errors import MissingInputError
from bids_eeg2fmri.settings import SPACE

from .bids_writing import Run

VERSION = "25.2.3"


def command(bids_dir: Path, output_dir: Path, runs: Sequence[Run]) -> str:
    """The command that makes what the benchmark needs."""
    people = sorted({run.subject for run in runs})
    tasks = sorted({run.task for run in runs})
    task = ["--task-id", tasks[0]] if len(tasks) == 1 else []
    words = ["docker", "run", "--rm", "-v", f"{bids_dir.absolute()}:/data:ro", "-v", f"{output_dir.absolute()}:/out"]
    words += ["-v", "/PATH/TO/license.txt:/opt/freesurfer/license.txt:ro", f"nipreps/fmriprep:{VERSION}"]
    words += ["/data", "/out", "participant", "--participant-label", *people, *task]
    words += ["--output-spaces", f"{SPACE}:res-2", "--fs-no-reconall"]
    return shlex.join(words)


def require_preprocessed(folder: Path | None, bids_dir: Path, output_dir: Path, runs: Sequence[Run]) -> Path:
    """The folder of fMRIPrep, if it holds BOLD in the template's space for every person.

    Raises
    ------
    MissingInputError
        It is not given or lacks somebody; the message holds the command that makes it.
    """
    without_t1w = sorted({run.subject for run in runs if not any(bids_dir.glob(f"sub-{run.subject}/**/*_T1w.nii*"))})
    first = f"Make it with\n  {command(bids_dir, output_dir, runs)}\nand give it as --fmriprep {output_dir}."
    if without_t1w:
        first += (
            f"\nfMRIPrep needs a T1-weighted image, and the download has none where it was looked for, for "
            f"{', '.join(without_t1w)}: put each at {bids_dir}/sub-LABEL/anat/sub-LABEL_T1w.nii.gz before."
        )
    if folder is None:
        raise MissingInputError(
            f"the download's BOLD lies in the space of the scanner; networks here are trained in {SPACE}, so "
            "fMRIPrep's derivatives are needed.",
            path=bids_dir,
            remedy=first,
        )
    pattern = f"func/*_space-{SPACE}_*desc-preproc_bold.nii*"
    lacking = sorted(
        {
            run.subject
            for run in runs
            if not any(folder.glob(f"sub-{run.subject}/{pattern}"))
            and not any(folder.glob(f"sub-{run.subject}/ses-*/{pattern}"))
        }
    )
    if lacking:
        raise MissingInputError(f"no preprocessed BOLD in {SPACE} of {', '.join(lacking)}.", path=folder, remedy=first)
    return folder
