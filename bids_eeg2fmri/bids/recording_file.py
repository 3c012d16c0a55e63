"""One EEG recording as it lies in a BIDS dataset, before anything is read from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RecordingFile:
    """The signal file of a recording, its entities and the files that describe it.

    Attributes
    ----------
    path
        Signal file (``.vhdr``, ``.edf``, ``.bdf``, ``.set`` or, in derivatives, ``.fif``).
    root
        Root of the dataset it lies in.
    dataset
        ``"raw"``, or the name given to a derivatives dataset.
    subject, session, task, acquisition, run
        Entity values without prefix; ``None`` when absent.
    sidecar
        The ``_eeg.json`` metadata, merged by the inheritance principle.
    channels_tsv, events_tsv, electrodes_tsv, coordsystem_json
        The nearest file of each kind by the inheritance principle.
    """

    path: Path
    root: Path
    dataset: str
    subject: str
    task: str
    session: str | None = None
    acquisition: str | None = None
    run: str | None = None
    sidecar: dict[str, Any] = field(default_factory=dict)
    channels_tsv: Path | None = None
    events_tsv: Path | None = None
    electrodes_tsv: Path | None = None
    coordsystem_json: Path | None = None

    @property
    def label(self) -> str:
        """Entities as they stand at the start of the output names, without ``rec``."""
        parts = [f"sub-{self.subject}"]
        if self.session is not None:
            parts.append(f"ses-{self.session}")
        parts.append(f"task-{self.task}")
        if self.acquisition is not None:
            parts.append(f"acq-{self.acquisition}")
        if self.run is not None:
            parts.append(f"run-{self.run}")
        return "_".join(parts)
