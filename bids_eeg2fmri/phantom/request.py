"""What a simulated dataset shall hold, checked before anything is simulated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from .caps import cap_names
from .choices import HAEMODYNAMICS, REFERENCES, Haemodynamics, Reference

RESOLUTIONS = ("2", "3", "4")
_SFREQ_RANGE_HZ = (100.0, 5000.0)
_TR_RANGE_S = (0.3, 10.0)
_LONGEST_S = 4 * 3600.0


@dataclass(frozen=True)
class Request:
    """A simulated dataset.

    Attributes
    ----------
    output_dir
        Folder of the dataset.
    participants, sessions, runs
        How many of each; one session and one run leave no ``ses-`` and no ``run-`` in the names.
    tasks
        Task labels. Every task but ``rest`` holds blocks of stimulation.
    duration_s
        Time that the scanner runs; the EEG is longer by ``lead_in_s``.
    cap
        19, 32, 64, 128 or names separated by commas.
    reference
        EEG reference.
    sfreq_hz, tr_s
        Sampling rate of the EEG and repetition time of the scanner.
    lead_in_s
        EEG before the first volume.
    resolution
        Voxel edge of the BOLD in millimetres (2 to 4).
    coupling
        Factor on the modulation of EEG amplitudes by the slow states; 0 gives flat envelopes.
    decouple
        Draw the states behind BOLD independently of those behind the EEG.
    gradient_artefact_v, pulse_artefact_v
        Peak of the artefacts that the scanner leaves in the EEG; ``None`` draws a small residue for half the people.
    haemodynamics
        ``"linear"`` (a double-gamma response, each region with its own peak) or ``"balloon"``.
    seed
        The same seed gives the same dataset.
    overwrite
        Replace a simulated dataset that stands at ``output_dir``.
    """

    output_dir: Path
    participants: int = 1
    sessions: int = 1
    runs: int = 1
    tasks: tuple[str, ...] = ("rest",)
    duration_s: float = 300.0
    cap: str = "64"
    reference: Reference = "FCz"
    sfreq_hz: float = 250.0
    tr_s: float = 2.0
    lead_in_s: float = 10.0
    resolution: str = "3"
    coupling: float = 1.0
    decouple: bool = False
    gradient_artefact_v: float | None = None
    pulse_artefact_v: float | None = None
    haemodynamics: Haemodynamics = "linear"
    seed: int = 0
    overwrite: bool = False

    @property
    def n_volumes(self) -> int:
        """Volumes of a run: those that begin within ``duration_s``."""
        return int(self.duration_s / self.tr_s + 1e-9)

    def check(self) -> None:
        """Refuse what cannot be simulated.

        Raises
        ------
        UsageError
            A value is out of range, or a label is not alphanumeric.
        """
        _check_counts(self)
        _check_range("--sfreq-hz", self.sfreq_hz, *_SFREQ_RANGE_HZ)
        _check_range("--tr-s", self.tr_s, *_TR_RANGE_S)
        _check_range("--duration-s", self.duration_s, 10 * self.tr_s, _LONGEST_S)
        _check_range("--lead-in-s", self.lead_in_s, 0.0, 600.0)
        _check_range("--coupling", self.coupling, 0.0, 5.0)
        for name in ("gradient_artefact_v", "pulse_artefact_v"):
            _check_range(f"--{name[:-2].replace('_', '-')}-uv", (getattr(self, name) or 0.0) * 1e6, 0.0, 3000.0)
        if self.reference not in REFERENCES:
            raise UsageError(f"unknown reference {self.reference!r}.", remedy=f"Known: {', '.join(REFERENCES)}.")
        if self.resolution not in RESOLUTIONS:
            raise UsageError(f"unknown resolution {self.resolution!r}.", remedy="Give res-2, res-3 or res-4.")
        cap_names(self.cap)


def _check_counts(request: Request) -> None:
    for name in ("participants", "sessions", "runs"):
        if not 1 <= getattr(request, name) <= 999:
            raise UsageError(f"--{name} is {getattr(request, name)}.", remedy="Give a number from 1 to 999.")
    if request.seed < 0:
        raise UsageError("--seed is negative.", remedy="Give 0 or more.")
    for task in request.tasks:
        if not (task.isascii() and task.isalnum()):
            raise UsageError(f"the task label {task!r} is not alphanumeric.", remedy="Use letters and digits only.")
    if request.haemodynamics not in HAEMODYNAMICS:
        raise UsageError(f"unknown haemodynamics {request.haemodynamics!r}.", remedy="Known: linear, balloon.")
    if not request.tasks or len(set(request.tasks)) != len(request.tasks):
        raise UsageError("--tasks must name each task once.", remedy="For example: --tasks rest blocks.")


def _check_range(option: str, value: float, lowest: float, highest: float) -> None:
    # Also refuses NaN, which fails every comparison.
    if not lowest <= value <= highest:
        raise UsageError(f"{option} is {value:g}.", remedy=f"Give a value from {lowest:g} to {highest:g}.")
