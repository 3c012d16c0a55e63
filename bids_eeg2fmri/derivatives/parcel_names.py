"""Parcel tables by name: where they go, what is asked of them, and whether they are there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .completeness import RunHashes, are_whole, matching
from .names import OutputNames, sidecar

if TYPE_CHECKING:
    from ..bold.parcellation import Parcellation

FOLDER = "parcels"
# Keys of the sidecars.
SAMPLES = "Samples"
SEED = "RandomSeed"
PARCELLATION = "Parcellation"


@dataclass(frozen=True)
class ParcelNames:
    """Names of the parcel tables of one recording on one grid.

    Attributes
    ----------
    names
        Those of the recording's other outputs.
    label
        The value of ``seg-``.
    """

    names: OutputNames
    label: str

    @property
    def root(self) -> Path:
        """Root of the dataset of parcels."""
        return self.names.output_dir / FOLDER

    @property
    def mean(self) -> Path:
        """The series; its sidecar marks the tables complete."""
        return self._table("stat-mean")

    @property
    def std(self) -> Path:
        """Predictive sd of every volume."""
        return self._table("stat-std")

    @property
    def samples(self) -> Path:
        """Draws from the predictive distribution; only when asked for."""
        return self._table("desc-samples")

    @property
    def required(self) -> tuple[Path, ...]:
        """What complete parcels have; the sidecar that is written last comes last."""
        return (self.std, sidecar(self.std), self.mean, sidecar(self.mean))

    @property
    def with_samples(self) -> tuple[Path, ...]:
        """What they have in addition when draws were asked for."""
        return (self.samples, sidecar(self.samples))

    def _table(self, ending: str) -> Path:
        names = self.names
        folder = self.root / names.func_dir.relative_to(names.output_dir)
        return folder / f"{names.stem}_{names.space_entities}_seg-{self.label}_{ending}_timeseries.tsv.gz"


@dataclass(frozen=True)
class ParcelRequest:
    """What was asked for.

    Attributes
    ----------
    parcellation
        The parcels.
    n_samples, seed
        Number of draws, and what decides them.
    """

    parcellation: Parcellation
    n_samples: int = 0
    seed: int = 0


def parcels_are_done(names: OutputNames, hashes: RunHashes, request: ParcelRequest) -> bool:
    """Whether the tables are there, whole, and of the present input, model, settings, parcels and draws."""
    paths = ParcelNames(names, request.parcellation.label)
    written = matching(sidecar(paths.mean), hashes)
    if written is None or not are_whole(paths.required):
        return False
    parcellation = written.get(PARCELLATION)
    if not isinstance(parcellation, dict) or parcellation.get("SHA256") != request.parcellation.sha256:
        return False
    if request.n_samples == 0:
        return True
    drawn = (written.get(SAMPLES), written.get(SEED))
    return drawn == (request.n_samples, request.seed) and are_whole(paths.with_samples)
