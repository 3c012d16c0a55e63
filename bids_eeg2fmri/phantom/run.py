"""One run of a simulated dataset, and where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """Entities of one run; ``None`` where the names leave them out."""

    subject: str
    session: str | None
    task: str
    run: str | None

    @property
    def label(self) -> str:
        """The entities as they stand in the file names."""
        parts = {"sub": self.subject, "ses": self.session, "task": self.task, "run": self.run}
        return "_".join(f"{key}-{value}" for key, value in parts.items() if value is not None)

    def path(self, root: Path, datatype: str, ending: str) -> Path:
        """A file of the run in a dataset; ``ending`` is everything after the entities."""
        session = () if self.session is None else (f"ses-{self.session}",)
        return root.joinpath(f"sub-{self.subject}", *session, datatype, f"{self.label}_{ending}")


def ground_truth(root: Path) -> Path:
    """Root of the derivatives dataset that holds the ground truth of a simulated dataset."""
    return root / "derivatives" / "ground-truth"
