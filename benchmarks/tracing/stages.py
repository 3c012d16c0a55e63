"""Stages of a run, told from the functions that a thread is in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import FrameType

OTHER = "other"

# The first stage of which any function is on the stack. A pattern is the end of a file's path or a folder in it, and
# may name a function.
STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("import", ("<frozen importlib._bootstrap>",)),
    (
        "compile",
        (
            "jax/_src/compiler.py",
            "jax/_src/interpreters/mlir.py",
            "jax/_src/interpreters/partial_eval.py",
            "jax/_src/interpreters/pxla.py:lower_sharding_computation",
        ),
    ),
    ("report", ("bids_eeg2fmri/report/", "bids_eeg2fmri/levels/output_dataset.py")),
    ("read", ("bids_eeg2fmri/derivatives/completeness.py:input_hash", "bids_eeg2fmri/eeg/samples.py")),
    ("clean", ("bids_eeg2fmri/eeg/cleaning.py", "bids_eeg2fmri/eeg/gradient_artefact.py")),
    ("write", ("bids_eeg2fmri/derivatives/",)),
    (
        "statistics",
        (
            "bids_eeg2fmri/bold/online.py",
            "bids_eeg2fmri/bold/series_statistics.py",
            "bids_eeg2fmri/bold/confounds.py",
            "bids_eeg2fmri/synthesis/synthesise.py:statistics",
        ),
    ),
    (
        "spectra",
        (
            "bids_eeg2fmri/synthesis/spectrogram.py:compute_spectrogram",
            "bids_eeg2fmri/synthesis/cap_spectra.py:compute_cap_spectra",
        ),
    ),
    (
        "network",
        (
            "bids_eeg2fmri/synthesis/synthesise.py:_described",
            "bids_eeg2fmri/synthesis/synthesise.py:_weighed",
        ),
    ),
    (
        "field",
        (
            "bids_eeg2fmri/bold/grid.py",
            "bids_eeg2fmri/synthesis/grid_maps.py",
            "bids_eeg2fmri/synthesis/reliability_maps.py",
            "bids_eeg2fmri/synthesis/synthesise.py",
        ),
    ),
    ("network", ("bids_eeg2fmri/network/", "bids_eeg2fmri/synthesis/")),
    ("read", ("bids_eeg2fmri/eeg/",)),
)
# What each stage holds, in the order of a recording's way.
MEANING = {
    "import": "loading Python modules",
    "compile": "tracing, and compiling or fetching from the cache of programs",
    "read": "signals, events, electrodes; digest of the input",
    "clean": "bad channels and segments, line noise, filters",
    "spectra": "power of sources or electrodes over time",
    "network": "from spectra to coefficients",
    "field": "the grid, maps on it, volumes",
    "statistics": "confounds, carpet, film",
    "write": "scaling to integers, and waiting for the compressor",
    "report": "figures and pages",
    OTHER: "selection, locks, logs",
}


def stage_of(frame: FrameType | None) -> str:
    """The stage that a thread is in, of the keys of :data:`MEANING`."""
    found = {index for place in _places(frame) if (index := _index(*place)) is not None}
    return STAGES[min(found)][0] if found else OTHER


def _places(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """File and function of a frame and of all that called it."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back


@cache
def _index(file: str, function: str) -> int | None:
    """Place in the table of the first stage that a function belongs to."""
    for index, (_, patterns) in enumerate(STAGES):
        for pattern in patterns:
            path, _, only = pattern.partition(":")
            if path in file and only in ("", function):
                return index
    return None
