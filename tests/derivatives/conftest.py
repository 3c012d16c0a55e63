"""A source dataset and what the package writes for it: two sessions, two tasks, two runs, on the res-4 grid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.confounds import confounds_sidecar, confounds_table, drift_names, with_drifts
from bids_eeg2fmri.bold.grid import Grid, make_grid
from bids_eeg2fmri.bold.online import OnlineStatistics
from bids_eeg2fmri.derivatives.anatomy import write_stand_in
from bids_eeg2fmri.derivatives.atomic import write_json, write_text
from bids_eeg2fmri.derivatives.completeness import RunHashes, input_hash
from bids_eeg2fmri.derivatives.confounds import write_confounds
from bids_eeg2fmri.derivatives.dataset import write_dataset_files
from bids_eeg2fmri.derivatives.encoding import MASK, bold_encoding, sd_encoding, total_sd_encoding
from bids_eeg2fmri.derivatives.events import write_events
from bids_eeg2fmri.derivatives.names import UNCERTAINTY_PARTS, OutputNames, output_names, sidecar
from bids_eeg2fmri.derivatives.nifti import nifti_writer, write_map
from bids_eeg2fmri.derivatives.one_model import claim_for_one_model
from bids_eeg2fmri.derivatives.provenance import ModelProvenance
from bids_eeg2fmri.derivatives.sidecars import (
    RunFacts,
    bold_sidecar,
    boldref_sidecar,
    mask_sidecar,
    uncertainty_sidecar,
)
from bids_eeg2fmri.eeg.recording import Cleaning, Event, Recording, VolumeClock
from bids_eeg2fmri.settings import OutputSpace

N_VOLUMES, TR_S, FIRST_VOLUME_S = 90, 2.0, 12.96
EVENTS = tuple(
    Event(FIRST_VOLUME_S + onset, 1.0, name) for onset, name in zip(range(10, 170, 20), "ABABABAB", strict=True)
)


@dataclass(frozen=True)
class WrittenRun:
    """One recording's outputs beside the values that went in."""

    facts: RunFacts
    mean_z: np.ndarray
    total_sd_z: np.ndarray
    has_events: bool

    @property
    def names(self) -> OutputNames:
        return self.facts.names


@pytest.fixture(scope="session")
def grid() -> Grid:
    return make_grid(OutputSpace(resolution="4"))


@pytest.fixture(scope="session")
def model() -> ModelProvenance:
    return ModelProvenance(
        "neuralfield-sim", "1.0", "ab" * 32, "neuralfield", ("phantom of bids-eeg2fmri (simulated)",)
    )


@pytest.fixture
def recording_file(tmp_path: Path) -> RecordingFile:
    return make_source(tmp_path / "raw", session="1", task="faces", run="1")


@pytest.fixture
def recording_of() -> Callable[..., Recording]:
    """What reading a recording file would give: ``make_recording``."""
    return make_recording


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory, grid: Grid, model: ModelProvenance) -> list[WrittenRun]:
    """Every run of the dataset, written through the package's own functions."""
    root = tmp_path_factory.mktemp("dataset")
    raw, out = root / "raw", root / "out"
    claim_for_one_model(out, model)
    runs = [
        write_run(out, make_source(raw, session=session, task=task, run=run), grid, model, seed)
        for seed, (session, task, run) in enumerate((s, t, r) for s in "12" for t in ("faces", "rest") for r in "12")
    ]
    write_dataset_files(out, raw, {}, model)
    write_stand_in(out, "01")
    for run in runs:
        write_text(run.names.figure("carpet"), "<svg/>")
        write_text(run.names.subject_html, "<html/>")
    write_text(out / "group_eeg2fmri.tsv", "participant_id\n")
    return runs


def make_source(raw: Path, *, session: str, task: str, run: str) -> RecordingFile:
    """A BrainVision recording as it lies in a dataset; its signal is only good for hashing."""
    folder = raw / "sub-01" / f"ses-{session}" / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    description = {"Name": "Faces", "BIDSVersion": "1.10.0", "License": "CC0", "DatasetDOI": "doi:10.0000/faces"}
    (raw / "dataset_description.json").write_text(json.dumps(description))
    stem = f"sub-01_ses-{session}_task-{task}_run-{run}"
    header = folder / f"{stem}_eeg.vhdr"
    header.write_text(f"[Common Infos]\nDataFile={stem}_eeg.eeg\nMarkerFile={stem}_eeg.vmrk\n")
    header.with_suffix(".eeg").write_bytes(bytes(range(256)))
    header.with_suffix(".vmrk").write_text("[Marker Infos]\n")
    events_tsv = None
    if task == "faces":
        events_tsv = folder / f"{stem}_events.tsv"
        rows = [(event.onset_s, event.duration_s, event.trial_type, "x.png") for event in EVENTS]
        rows += [(FIRST_VOLUME_S + TR_S * volume, 0.0, "R128", "n/a") for volume in range(N_VOLUMES)]
        lines = ["onset\tduration\ttrial_type\tstim_file", *("\t".join(map(str, row)) for row in sorted(rows))]
        events_tsv.write_text("\n".join(lines) + "\n")
    return RecordingFile(
        header,
        raw,
        "raw",
        "01",
        task,
        session,
        None,
        run,
        {"TaskName": task, "EEGReference": "FCz"},
        events_tsv=events_tsv,
    )


def make_recording(
    file: RecordingFile, events: tuple[Event, ...] | None = None, first_volume_s: float = FIRST_VOLUME_S
) -> Recording:
    """What reading the recording would give."""
    names = ("Fz", "Cz", "Pz", "Oz")
    frequencies = np.arange(5.0)
    spectrum = np.ones((4, 5))
    if events is None:
        events = EVENTS if file.events_tsv is not None else ()
    return Recording(
        signals_v=np.zeros((4, 50_000), np.float32),
        sfreq_hz=250.0,
        source_sfreq_hz=1000.0,
        channel_names=names,
        positions_m=np.zeros((4, 3)),
        positions_source="standard_1005",
        good=np.array([True, True, False, True]),
        left_out={"ECG": "typed as ECG"},
        events=events,
        clock=VolumeClock(first_volume_s, TR_S, N_VOLUMES, "markers: R128", (7,)),
        cleaning=Cleaning(
            ("average reference", "linear detrend"),
            {"Pz": "flat"},
            ((3.0, 4.5),),
            50.0,
            frequencies,
            spectrum,
            spectrum,
        ),
        reference="FCz",
        source=file.path,
        warnings=("channel ECG is not EEG",),
    )


def make_prediction(grid: Grid, n_volumes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth random series and sds over the brain's voxels, with a response to the events' type A."""
    rng = np.random.default_rng(seed)
    maps = [ndimage.gaussian_filter(rng.standard_normal(grid.shape), 3)[grid.mask] for _ in range(6)]
    courses = ndimage.gaussian_filter1d(rng.standard_normal((n_volumes, 6)), 1.5, axis=0)
    mean_z = courses @ np.stack([values / values.std() for values in maps])
    sd_z = 0.6 + 0.05 * rng.random((n_volumes, mean_z.shape[1]))
    return mean_z.astype(np.float32), sd_z.astype(np.float32)


def write_run(out: Path, file: RecordingFile, grid: Grid, model: ModelProvenance, seed: int) -> WrittenRun:
    """The order in which a recording is written."""
    recording = make_recording(file)
    names = output_names(out, file, grid)
    facts = RunFacts(names, file, recording, grid, model, RunHashes(input_hash(file), model.sha256, "config"))
    mean_z, sd_z = make_prediction(grid, N_VOLUMES, seed)
    gathering = OnlineStatistics(grid, N_VOLUMES, n_carpet=300)
    size = {"n_volumes": N_VOLUMES, "tr_s": TR_S}
    with (
        nifti_writer(names.bold, grid, bold_encoding(), **size) as bold,
        nifti_writer(names.uncertainty("total"), grid, total_sd_encoding(), **size) as total,
    ):
        for block in (slice(0, 40), slice(40, 80), slice(80, N_VOLUMES)):
            bold.write(mean_z[block])
            total.write(sd_z[block])
            gathering.update(mean_z[block], sd_z[block])
    part_z = np.full(mean_z.shape[1], 0.4, np.float32)
    write_map(names.mask, grid, MASK, np.ones(mean_z.shape[1]))
    write_json(sidecar(names.mask), mask_sidecar(facts))
    statistics = gathering.finish()
    write_map(names.boldref, grid, bold_encoding(), statistics.mean_z)
    write_json(sidecar(names.boldref), boldref_sidecar(facts))
    write_map(names.uncertainty("aleatoric"), grid, sd_encoding(), part_z)
    write_map(names.uncertainty("epistemic"), grid, sd_encoding(), 0.5 * part_z)
    for part in UNCERTAINTY_PARTS:
        write_json(sidecar(names.uncertainty(part)), uncertainty_sidecar(facts, part))
    table = confounds_table(statistics, TR_S)
    columns = [*table.columns, *drift_names(len(table), TR_S)]
    write_confounds(names, with_drifts(table, TR_S), confounds_sidecar(columns))
    has_events = write_events(names, file, recording)
    metrics = {"tsnr_median": np.float32(100), "ratio": np.inf}
    description = bold_sidecar(facts, encoding=bold_encoding(), clipped=bold.clipped, metrics=metrics)
    write_json(sidecar(names.bold), description)
    return WrittenRun(facts, mean_z, sd_z, has_events)
