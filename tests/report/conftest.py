"""A realistic recording's material: smooth random BOLD in the template, a 64-channel cap, events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.film import SliceFilm
from bids_eeg2fmri.bold.grid import Grid, make_grid
from bids_eeg2fmri.bold.units import BASELINE, UNITS_PER_Z
from bids_eeg2fmri.derivatives.evaluated_caps import EvaluatedCaps
from bids_eeg2fmri.eeg.recording import Cleaning, Event, Recording, VolumeClock
from bids_eeg2fmri.evaluation.intervals import LEVELS
from bids_eeg2fmri.report.comparison import Comparison
from bids_eeg2fmri.report.held_out import HeldOutCoverage
from bids_eeg2fmri.report.panel import Drawing, FigurePanel
from bids_eeg2fmri.report.panels import PANELS
from bids_eeg2fmri.report.reportlets import write_reportlets
from bids_eeg2fmri.report.run import RunReport
from bids_eeg2fmri.report.style import new_figure
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.prediction import PredictionSummary
from bids_eeg2fmri.synthesis.reliability_maps import ReliabilityMaps

BANDS_HZ = ((1.0, 4.0), (4.0, 8.0), (8.0, 10.0), (10.0, 13.0), (13.0, 20.0), (20.0, 30.0), (30.0, 45.0))
TR_S = 2.0
FIRST_VOLUME_S = 12.5


def make_recording(n_volumes: int, **changes: Any) -> Recording:
    """64 electrodes, two of them bad, 1/f spectra with an alpha peak and a line peak."""
    rng = np.random.default_rng(3)
    positions = mne.channels.make_standard_montage("biosemi64").get_positions()["ch_pos"]
    names = tuple(positions)
    bad = {"Fp1": "wild", "T8": "flat"}
    duration_s = FIRST_VOLUME_S + n_volumes * TR_S + 3
    frequencies = np.arange(0, 125.5, 0.5)
    background = 2e-11 / np.maximum(frequencies, 0.5) ** 1.4
    alpha = 6e-12 * np.exp(-(((frequencies - 10) / 1.2) ** 2)) * rng.uniform(0.2, 1.5, (len(names), 1))
    before = (background + alpha) * rng.lognormal(0, 0.3, (len(names), 1)) * rng.lognormal(0, 0.1, (1, 251))
    before[names.index("Fp1")] *= 60
    before[names.index("T8")] *= 1e-4
    after = before.copy()
    before[:, np.abs(frequencies - 50) < 0.8] += 4e-12
    fields: dict[str, Any] = {
        "signals_v": np.zeros((len(names), round(duration_s * 10)), np.float32),
        "sfreq_hz": 10.0,
        "source_sfreq_hz": 5000.0,
        "channel_names": names,
        "positions_m": np.add(list(positions.values()), (0.0, 0.0, 0.04)),
        "positions_source": "biosemi64",
        "good": np.array([name not in bad for name in names]),
        "left_out": {"ECG": "type ECG", "EOG1": "type EOG", "O9": "no position known"},
        "events": tuple(
            Event(FIRST_VOLUME_S + 10 + 14 * index, 4.0 * (index % 2), ("eyes open", "eyes closed")[index % 2])
            for index in range(max(int(n_volumes * TR_S / 14) - 1, 0))
        ),
        "clock": VolumeClock(FIRST_VOLUME_S, TR_S, n_volumes, "markers: R128", (n_volumes // 2,)),
        "cleaning": Cleaning(
            ("Average reference over the good channels.", "Line noise at 50 Hz was removed."),
            bad,
            ((3.0, 5.5), (n_volumes * 0.8, n_volumes * 0.8 + 6)),
            50.0,
            frequencies,
            before,
            after,
        ),
        "reference": "FCz",
        "source": Path("sub-01_task-rest_run-1_eeg.vhdr"),
        "warnings": ("1 volume marker is missing; its onset was extrapolated.",),
    }
    return Recording(**(fields | changes))


@lru_cache(maxsize=3)
def _grid(resolution: str) -> Grid:
    return make_grid(OutputSpace(resolution=resolution))


def _series(rng: np.random.Generator, n_series: int, n_volumes: int) -> np.ndarray:
    slow = ndimage.gaussian_filter1d(rng.standard_normal((n_series, n_volumes)), 3.0, axis=1, mode="wrap")
    return (slow / np.maximum(slow.std(axis=1, keepdims=True), 1e-6)).astype(np.float32)


def _map(rng: np.random.Generator, grid: Grid, smooth_mm: float, low: float, high: float) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.standard_normal(grid.shape), smooth_mm / grid.voxel_size_mm[0])[grid.mask]
    return (low + (high - low) * (noise - noise.min()) / np.ptp(noise)).astype(np.float32)


def make_run_report(
    recording: Recording | None = None, resolution: str = "4", n_volumes: int = 90, stem: str = "", **changes: Any
) -> RunReport:
    """The material of a recording; everything in it can be replaced."""
    rng = np.random.default_rng(7)
    grid, atlas = _grid(resolution), load_atlas()
    recording = make_recording(n_volumes) if recording is None else recording
    networks = _series(rng, 8, n_volumes)
    members = np.array([sorted(set(atlas.networks)).index(name) for name in atlas.networks])
    parcels = 0.8 * networks[members] + 0.6 * _series(rng, len(atlas), n_volumes)
    tstd = _map(rng, grid, 14, 3, 9) * np.array([0.4, 0.6, 1.0, 0.7], np.float32)[grid.tissue]
    aleatoric, epistemic = _map(rng, grid, 20, 0.55, 0.9), _map(rng, grid, 10, 0.08, 0.3)
    subset = np.sort(rng.choice(len(grid.tissue), 900, replace=False))
    tissue = np.concatenate([np.full(np.sum(grid.tissue[subset] == label), label) for label in (2, 3, 1)])
    carpet = 0.5 * networks[rng.integers(0, 8, len(subset))] + 0.7 * _series(rng, len(subset), n_volumes)
    whole = BASELINE + 3 * networks.mean(0)
    sidecar: dict[str, Any] = {
        "Synthetic": True,
        "ModelName": "neuralfield-sim",
        "ModelVersion": "1.0.0",
        "ModelSHA256": "5c0ffee" + 57 * "0",
        "TrainingDatasets": ["bids-eeg2fmri-phantom, 4000 simulated people"],
        "IncompleteHistory": {"Seconds": 13.5, "Volumes": 7},
        "ClippedVoxels": 0,
        "Metrics": {"n_volumes": n_volumes, "tsnr_median": 201.5},
        "Warnings": ["The first 26 s have incomplete history."],
    }
    confounds = pd.DataFrame(
        {
            "global_signal": whole,
            "csf": whole + 0.4 * _series(rng, 1, n_volumes)[0],
            "white_matter": whole + _series(rng, 1, n_volumes)[0],
            "dvars": np.concatenate([[np.nan], np.abs(np.diff(whole)) + 1])[:n_volumes],
            **{f"{kind}_{axis}": np.zeros(n_volumes) for kind in ("trans", "rot") for axis in "xyz"},
        }
    )
    film = SliceFilm(grid, n_volumes)
    film.update(0, networks[0][:, None] * tstd / 10, np.broadcast_to(aleatoric, (n_volumes, len(tstd))))
    expected_r = _map(rng, grid, 12, -0.05, 0.45)
    novelty = np.clip(55 + 20 * networks[0], 0, 100)
    fields: dict[str, Any] = {
        "stem": stem or "sub-01_task-rest_rec-eeg2fmri_run-1",
        "recording": recording,
        "grid": grid,
        "summary": PredictionSummary(
            aleatoric_sd_z=aleatoric,
            epistemic_sd_z=epistemic,
            novelty=novelty.astype(np.float32),
            parcel_mean_z=0.7 * parcels.T,
            parcel_sd_z=np.full(parcels.T.shape, 0.5, np.float32),
            features_z=np.stack([parcels.T + 0.5 * _series(rng, len(atlas), n_volumes).T for _ in BANDS_HZ], axis=-1),
            bands_hz=BANDS_HZ,
            resolution=rng.uniform(0.15, 0.85, len(atlas)).astype(np.float32),
            novelty_parts=np.outer(novelty, (1.0, 0.5, 0.3, 0.9, 0.1)).astype(np.float32),
        ),
        "mean_map": (BASELINE + _map(rng, grid, 10, -0.5, 0.5)).astype(np.float32),
        "tstd_map": tstd,
        "total_sd_map": UNITS_PER_Z * np.hypot(aleatoric, epistemic),
        "carpet_z": carpet,
        "carpet_tissue": tissue,
        "mean_sd_z": (0.7 + 0.4 * np.exp(-np.arange(n_volumes) / 5)).astype(np.float32),
        "confounds": confounds,
        "sidecar": sidecar,
        "outputs": (Path("sub-01/func/sub-01_task-rest_rec-eeg2fmri_run-1_desc-confounds_timeseries.tsv"),),
        "command": "bids-eeg2fmri /data /out participant --participant-label 01",
        "device": "cpu",
        "seconds": {"read": 1.2, "predict": 3.4, "write": 2.2},
        "reliability": ReliabilityMaps(
            expected_r, expected_r - 0.2, grid.tissue == 2, EvaluatedCaps(62, ("46 to 90",), 20, False)
        ),
        "population_r": 0.7 * (members[:, None] == members) + 0.3 * np.eye(len(atlas)),
        "held_out": HeldOutCoverage("40 held-out people, 64 electrodes", LEVELS, (0.49, 0.8, 0.91, 0.95)),
        "film": film,
    }
    return RunReport(**(fields | changes))


def make_comparison(run: RunReport, **changes: Any) -> Comparison:
    """A comparison in which cortex does well, deep parcels do not, and three intervals are too narrow."""
    rng = np.random.default_rng(11)
    networks = np.array(load_atlas().networks)
    parcel_r = np.where(networks == "Subcortical", 0.02, 0.35) + 0.12 * rng.standard_normal(len(networks))
    parcel_r[:2] = np.nan
    voxel_r = _map(rng, run.grid, 12, -0.1, 0.6)
    voxel_r[run.grid.coordinates_mm[:, 2] < -50] = np.nan
    scores = {
        "parcel_r": 0.34, "parcel_r_mean_volume": 0.0, "parcel_r_previous_volume": 0.71, "parcel_r_source_power": 0.29,
        "null_r_shift_95": 0.08, "null_r_phase_95": 0.09, "voxel_r": 0.21, "voxel_r_mean_volume": 0.0,
        "voxel_r_previous_volume": 0.64, "spatial_r": 0.18, "spatial_r_mean_volume": 0.0,
        "spatial_r_previous_volume": 0.62, "fc_r": 0.41, "fc_r_source_power": 0.39, "skill": 0.045,
        "skill_mean_volume": 0.0, "skill_previous_volume": -0.2, "crps_ratio": 0.977, "crps_ratio_mean_volume": 1.0,
        "fdr_parcels": 0.62, "coverage_50": 0.47, "coverage_80": 0.77, "coverage_90": 0.88, "coverage_95": 0.951,
    }  # fmt: skip
    fields: dict[str, Any] = {
        "source": "bids:raw:sub-01/func/sub-01_task-rest_run-1_bold.nii.gz",
        "simulated": False,
        "voxel_r": voxel_r,
        "parcel_r": parcel_r,
        "null_parcel_r": 0.14 * rng.standard_normal((200, len(networks))),
        "nominal": (0.5, 0.8, 0.9, 0.95),
        "covered": (0.47, 0.77, 0.88, 0.951),
        "scores": scores,
        "parcel_error_z": rng.standard_normal((60, len(networks))),
        "parcel_sd_z": rng.uniform(0.8, 1.2, (60, len(networks))),
    }
    return Comparison(**(fields | changes))


@pytest.fixture(scope="session")
def comparison_of() -> Callable[..., Comparison]:
    """Makes a recording's comparison with a scanner's BOLD (see :func:`make_comparison`)."""
    return make_comparison


@pytest.fixture(scope="session")
def report_of() -> Callable[..., RunReport]:
    """Makes a recording's material (see :func:`make_run_report`)."""
    return make_run_report


@pytest.fixture(scope="session")
def recording_of() -> Callable[..., Recording]:
    """Makes a recording (see :func:`make_recording`)."""
    return make_recording


@pytest.fixture(scope="session")
def write_blank_reportlets() -> Callable[[RunReport, Path], tuple[Path, ...]]:
    """Writes the reportlets with empty figures, for tests of what surrounds them."""

    def blank(run: RunReport) -> Drawing:
        return Drawing(new_figure(1.0), f"Nothing, {run.recording.clock.n_volumes} times.")

    panels = [replace(panel, draw=blank) if isinstance(panel, FigurePanel) else panel for panel in PANELS]

    def write(run: RunReport, output_dir: Path) -> tuple[Path, ...]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bids_eeg2fmri.report.reportlets.PANELS", tuple(panels))
            return write_reportlets(run, output_dir)

    return write
