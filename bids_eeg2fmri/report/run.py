"""Everything the panels of one recording are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..bold.film import SliceFilm
from ..bold.grid import Grid
from ..eeg.recording import Recording
from ..explanation.relevance import Explanation
from ..synthesis.prediction import PredictionSummary
from ..synthesis.reliability_maps import ReliabilityMaps
from .comparison import Comparison
from .held_out import HeldOutCoverage


@dataclass(frozen=True)
class RunReport:
    """One recording's material for the report.

    Attributes
    ----------
    stem
        Entities of the output names, ``sub-01_task-rest_rec-eeg2fmri``.
    recording, grid, summary
        The EEG, the output grid and the prediction's summary.
    mean_map, tstd_map
        Mean and standard deviation over time of the synthetic BOLD, per brain voxel, in BOLD units.
    total_sd_map
        Root mean square over time of the predictive sd, per brain voxel, in BOLD units.
    carpet_z, carpet_tissue
        Series of a fixed subset of brain voxels (voxels x volumes), ordered by tissue; of long recordings thinned
        (:mod:`bids_eeg2fmri.bold.thinning`).
    mean_sd_z
        Mean predictive sd of every volume.
    confounds
        The confounds table as written, but for its slow cosines.
    sidecar
        The BOLD sidecar as written (model, hashes, metrics, warnings).
    outputs
        Files written, relative to the output directory.
    command, device, seconds
        How the run was made, and seconds per stage.
    comparison
        Against the scanner's BOLD of the same run; ``None`` when there is none that can be compared.
    reliability
        Where people held out of the model's training were predicted; ``None`` for a model without such an atlas.
    population_r
        Correlations between the parcels in the people that the model was trained on; ``None`` when the model does
        not know them.
    held_out
        How much of held-out people's BOLD lay in the predictive intervals; ``None`` when the model does not say.
    film
        Slices of prediction and uncertainty over time; ``None`` for a report without the viewer.
    explanation
        What of the EEG mattered; ``None`` when nobody asked.
    """

    stem: str
    recording: Recording
    grid: Grid
    summary: PredictionSummary
    mean_map: Float[np.ndarray, " voxels"]
    tstd_map: Float[np.ndarray, " voxels"]
    total_sd_map: Float[np.ndarray, " voxels"]
    carpet_z: Float[np.ndarray, "subset columns"]
    carpet_tissue: Int[np.ndarray, " subset"]
    mean_sd_z: Float[np.ndarray, " volumes"]
    confounds: pd.DataFrame
    sidecar: dict[str, Any]
    outputs: tuple[Path, ...]
    command: str
    device: str
    seconds: dict[str, float] = field(default_factory=dict)
    comparison: Comparison | None = None
    reliability: ReliabilityMaps | None = None
    population_r: Float[np.ndarray, "parcels parcels"] | None = None
    held_out: HeldOutCoverage | None = None
    film: SliceFilm | None = None
    explanation: Explanation | None = None

    @property
    def n_volumes(self) -> int:
        """Number of volumes."""
        return len(self.mean_sd_z)
