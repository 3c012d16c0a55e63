"""The ground truth of a simulated dataset as derivatives: what an ideal method would find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..bold.atlas import load_atlas
from ..bold.grid import Grid
from ..derivatives.atomic import write_json
from ..derivatives.encoding import MASK
from ..derivatives.nifti import write_map
from .bold_files import raw_sidecar, write_percent
from .person import BANDS, PersonSpec
from .request import Request
from .run import Run, ground_truth
from .scanner import at_times
from .sources import SourceActivity
from .tables import write_table

_PARCELS = "desc-parcels_timeseries.tsv"


def write_run_truth(
    root: Path,
    run: Run,
    request: Request,
    spec: PersonSpec,
    grid: Grid,
    activity: SourceActivity,
    percent: Float[np.ndarray, "volumes voxels"],
) -> None:
    """Write the noise-free BOLD of a run, its mask, its means over parcels and the networks' states.

    Parameters
    ----------
    root
        Root of the ground-truth dataset.
    run, request, spec, grid
        The run, its timing, the person and the image's grid.
    activity
        What the sources did.
    percent
        Noise-free BOLD in per cent of the baseline.
    """
    space = f"space-{grid.space}_res-{grid.resolution}"
    image = run.path(root, "func", f"{space}_desc-noisefree_bold.nii.gz")
    write_percent(image, grid, spec, percent, request.tr_s)
    facts = raw_sidecar(run, request, grid) | _space_facts(grid)
    write_json(image.with_name(image.name.replace(".nii.gz", ".json")), facts)
    mask = run.path(root, "func", f"{space}_desc-brain_mask.nii.gz")
    write_map(mask, grid, MASK, np.ones(len(grid.coordinates_mm)))
    write_json(mask.with_name(mask.name.replace(".nii.gz", ".json")), {"Type": "Brain"} | _space_facts(grid))

    atlas = load_atlas()
    parcels = percent @ atlas.averaging_matrix(grid.coordinates_mm).T
    series = run.path(root, "func", _PARCELS)
    write_table(series, dict(zip(atlas.names, parcels.T, strict=True)))
    write_json(series.with_suffix(".json"), _series_facts(request, "Noise-free BOLD of each parcel, per cent"))

    onsets = request.lead_in_s + request.tr_s * np.arange(request.n_volumes)
    states = at_times(activity.network_states, activity.state_times_s, onsets)
    series = run.path(root, "func", "desc-networks_timeseries.tsv")
    write_table(series, {f"network{index + 1:02d}": row for index, row in enumerate(states)})
    text = "Slow state of each network at the onset of each volume, before the haemodynamic response"
    write_json(series.with_suffix(".json"), _series_facts(request, text))


def read_parcel_truth(bids_dir: Path, run: Run) -> Float[np.ndarray, "volumes parcels"] | None:
    """Noise-free BOLD of every parcel, standardised over time; ``None`` unless the dataset is simulated."""
    path = run.path(ground_truth(bids_dir), "func", _PARCELS)
    if not path.is_file():
        return None
    series = pd.read_csv(path, sep="\t")[list(load_atlas().names)].to_numpy(float)
    sd = series.std(axis=0)
    return ((series - series.mean(axis=0)) / np.where(sd > 0, sd, 1)).astype(np.float32)


def write_person_truth(root: Path, subject: str, spec: PersonSpec) -> None:
    """Write the table of a person's sources."""
    atlas = load_atlas()
    table: dict[str, Any] = {"parcel": [atlas.names[index] for index in spec.parcels]}
    table |= _columns(("x_mm", "y_mm", "z_mm"), spec.coordinates_mm)
    table |= _columns(("head_x_m", "head_y_m", "head_z_m"), spec.head_positions_m)
    table |= _columns(("orientation_x", "orientation_y", "orientation_z"), spec.orientations)
    table |= {"hrf_peak_s": spec.hrf_peak_s, "bold_percent": spec.bold_percent, "private": spec.private_weights}
    table |= {"hrf_undershoot": spec.hrf_undershoot, "hrf_spread": spec.hrf_spread}
    departures = spec.coupling_sign * spec.regional_coupling
    table |= _columns([f"coupling_{band}" for band in BANDS], departures.T)
    table |= _columns([f"rms_{band}" for band in BANDS], spec.band_rms)
    table |= _columns([f"network{index + 1:02d}" for index in range(spec.n_networks)], spec.network_weights)
    write_table(root / f"sub-{subject}" / f"sub-{subject}_sources.tsv", table)
    write_json(
        root / f"sub-{subject}" / f"sub-{subject}_sources.json",
        {
            "parcel": {"Description": "Parcel of the source"},
            "hrf_peak_s": {"Description": "Peak of the haemodynamic response", "Units": "s"},
            "bold_percent": {"Description": "BOLD response per unit state", "Units": "percent"},
            "private": {"Description": "Weight of the source's own slow state"},
            "hrf_undershoot": {"Description": "Area of the undershoot over that of the response"},
            "hrf_spread": {"Description": "Relative widening of the response"},
            **{
                f"coupling_{band}": {"Description": f"Factor on the networks' coupling of {band} at the source"}
                for band in BANDS
            },
            "NetworkCoupling": {
                "Description": "Change of log-amplitude per unit state, by band, for each network",
                "Values": dict(
                    zip(BANDS, spec.coupling_scale * spec.coupling_strength * spec.network_coupling, strict=True)
                ),
            },
            "AlphaPeakHz": spec.alpha_hz,
            "Conductivities": {
                "Description": "Brain, CSF, skull, scalp",
                "Units": "S/m",
                "Values": spec.conductivities,
            },
        },
    )


def _columns(names: tuple[str, ...] | list[str], values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(names, values.T, strict=True))


def _space_facts(grid: Grid) -> dict[str, Any]:
    return {"SkullStripped": True, "Resolution": grid.description, "Simulated": True}


def _series_facts(request: Request, description: str) -> dict[str, Any]:
    return {"Description": description, "SamplingFrequency": 1 / request.tr_s, "StartTime": 0.0, "Simulated": True}
