"""A virtual environment for the published package, beside ours and without touching it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

# What the package imports, in the versions of TensorFlow 2.15's time. Its own pins are older than any Python that we
# support, so that it is installed without them.
_NEEDED = (
    "tensorflow-cpu==2.15.1",
    "tensorflow-probability==0.23.0",
    "tf-keras==2.15.1",
    "numpy<2",
    "scipy<1.12",
    "mne==1.6.1",
    "nilearn==0.10.4",
    "matplotlib",
    "scikit-learn",
    "setuptools<80",
)
_PUBLISHED = "eeg-to-fmri==0.0.9"


def make_environment(folder: Path, python: str) -> Path:
    """The interpreter of an environment that holds the published package; made only once.

    Parameters
    ----------
    folder
        Where it lies or will lie.
    python
        Interpreter to make it with: TensorFlow 2.15 runs on Python 3.9 to 3.11.
    """
    interpreter, finished = folder / "bin" / "python", folder / "finished"
    if finished.exists():
        return interpreter
    print(f"Installing {_PUBLISHED} and TensorFlow into {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    commands = [
        [python, "-m", "venv", str(folder)],
        [str(interpreter), "-m", "pip", "install", "--quiet", *_NEEDED],
        [str(interpreter), "-m", "pip", "install", "--quiet", "--no-deps", _PUBLISHED],
    ]
    for command in commands:
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"{' '.join(command)} failed; TensorFlow 2.15 needs Python 3.9 to 3.11 (--python).")
    finished.touch()
    return interpreter
