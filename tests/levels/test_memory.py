"""The memory that a recording needs, against runs that were measured, and what --mem makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.eeg.decimate import MAX_SFREQ_HZ
from bids_eeg2fmri.eeg.header import Header
from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.levels.executors import memory_of_each
from bids_eeg2fmri.levels.memory import Needs, gigabytes, memory_needed, within_memory
from bids_eeg2fmri.settings import OutputSpace, Settings

SIGNALS = Path(__file__).parents[2] / "examples/ds-eegmat/sub-00/eeg/sub-00_task-rest_eeg.edf"
SHORT = Header(182.0, 500.0, 21)
FILE = RecordingFile(SIGNALS, SIGNALS.parents[2], "raw", "00", "rest")


def asked(tmp_path: Path, resolution: str = "2", **changes: object) -> Settings:
    spaces = (OutputSpace(resolution=resolution),)
    return replace(Settings(tmp_path, tmp_path, "participant", output_spaces=spaces), **changes)


@pytest.mark.parametrize(
    ("header", "resolution", "usual_mib", "least_mib"),
    [
        (SHORT, "4", 574, None),
        (SHORT, "2", 712, 685),
        (SHORT, "1", 2435, 1977),
        (Header(600.0, 250.0, 64), "2", 772, None),
        (Header(600.0, 250.0, 19), "4", 516, None),
        (Header(600.0, 250.0, 64), "4", 543, None),
        (Header(3600.0, 250.0, 64), "4", 549, None),
        (Header(14400.0, 250.0, 19), "4", 572, None),
        (Header(43200.0, 250.0, 19), "4", 638, None),
    ],
)
def test_measured_runs_take_what_is_foreseen(
    header: Header, resolution: str, usual_mib: int, least_mib: int | None, tmp_path: Path
) -> None:
    """Peak resident memory of processes with the bundled model on two cores; the first four compiled their programs."""
    needs = memory_needed(header, asked(tmp_path, resolution))
    assert needs.usual_bytes / 2**20 == pytest.approx(usual_mib, rel=0.1)
    if least_mib is not None:
        assert needs.least_bytes / 2**20 == pytest.approx(least_mib, rel=0.1)


def test_a_finer_grid_a_longer_recording_and_a_second_grid_need_more(tmp_path: Path) -> None:
    both = (OutputSpace(resolution="2"), OutputSpace(resolution="3"))
    few, fine, two, long, short_tr = (
        memory_needed(SHORT, asked(tmp_path)),
        memory_needed(SHORT, asked(tmp_path, "1")),
        memory_needed(SHORT, asked(tmp_path, output_spaces=both)),
        memory_needed(replace(SHORT, duration_s=7200.0), asked(tmp_path)),
        memory_needed(SHORT, asked(tmp_path, tr_s=0.5)),
    )
    for more in (fine, two, long, short_tr):
        assert more.usual_bytes > few.usual_bytes > few.least_bytes


def test_volumes_of_floating_point_numbers_need_more(tmp_path: Path) -> None:
    as_integers, as_floats = (memory_needed(SHORT, asked(tmp_path, float32=float32)) for float32 in (False, True))
    assert as_floats.usual_bytes - as_integers.usual_bytes == pytest.approx(13 * 64 * 233_500, rel=0.01)


def test_a_scanners_series_takes_no_more_than_its_limit(tmp_path: Path) -> None:
    long_header = replace(SHORT, duration_s=7200.0)
    alone, short, without, long = (
        memory_needed(header, asked(tmp_path, float32=True), compared=compared)
        for header, compared in ((SHORT, False), (SHORT, True), (long_header, False), (long_header, True))
    )
    assert short.usual_bytes - alone.usual_bytes == pytest.approx(8 * 91 * 233_500, rel=0.01)
    assert long.usual_bytes - without.usual_bytes == pytest.approx(2**30, abs=2)
    assert long.least_bytes - without.least_bytes == pytest.approx(2**27, abs=2)


def test_what_is_decimated_needs_no_more(tmp_path: Path) -> None:
    fast, slower = (memory_needed(Header(600.0, sfreq_hz, 64), asked(tmp_path)) for sfreq_hz in (20_000, MAX_SFREQ_HZ))
    assert fast == slower


def test_the_voxels_of_a_reference_image_are_counted(tmp_path: Path) -> None:
    grid = make_grid(OutputSpace(resolution="4"))
    grid.image(np.ones(grid.mask.sum())).to_filename(tmp_path / "reference.nii.gz")
    space = OutputSpace(resolution=None, reference_image=tmp_path / "reference.nii.gz")
    needs = memory_needed(SHORT, asked(tmp_path, output_spaces=(space,)))
    assert needs.usual_bytes == pytest.approx(memory_needed(SHORT, asked(tmp_path, "4")).usual_bytes, rel=0.001)


@pytest.fixture
def needs(tmp_path: Path) -> Needs:
    return memory_needed(Header(182.0, 500.0, 21), asked(tmp_path))


def test_enough_memory_changes_nothing(needs: Needs, tmp_path: Path) -> None:
    for settings in (asked(tmp_path), asked(tmp_path, mem_bytes=needs.usual_bytes)):
        assert within_memory(FILE, settings, settings.mem_bytes) == settings


def test_less_memory_makes_blocks_smaller(needs: Needs, tmp_path: Path) -> None:
    settings = asked(tmp_path)
    assert within_memory(FILE, settings, needs.usual_bytes - 1) == replace(settings, low_mem=True)


def test_too_little_memory_is_refused_with_what_is_needed(needs: Needs, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        within_memory(FILE, asked(tmp_path), needs.least_bytes - 10**8)
    assert gigabytes(needs.least_bytes) in str(caught.value)
    assert str(SIGNALS) in str(caught.value) and "--output-spaces" in str(caught.value)


@pytest.mark.parametrize(
    ("nprocs", "n_recordings", "cluster", "each"),
    [
        (1, 5, None, 4_500_000_000),
        (8, 1, None, 4_500_000_000),
        (8, 0, None, 4_500_000_000),
        (8, 2, None, 2_000_000_000),
        (4, 9, None, 1_000_000_000),
        # The process that starts dask's workers runs none of the recordings.
        (4, 9, "local", 1_000_000_000),
        (4, 1, "local", 4_000_000_000),
        (4, 9, "slurm", 4_500_000_000),
        (4, 9, "tcp://host:8786", 4_500_000_000),
    ],
)
def test_processes_that_are_started_share_the_memory(
    nprocs: int, n_recordings: int, cluster: str | None, each: int, tmp_path: Path
) -> None:
    dask = {} if cluster is None else {"executor": "dask", "dask_cluster": cluster}
    settings = asked(tmp_path, nprocs=nprocs, **dask)
    assert memory_of_each(settings, n_recordings) is None
    assert memory_of_each(replace(settings, mem_bytes=4_500_000_000), n_recordings) == each


def test_no_more_than_there_is_after_the_parent(tmp_path: Path) -> None:
    assert memory_of_each(asked(tmp_path, nprocs=2, mem_bytes=10**8), 2) == 0


def test_sizes_read_well() -> None:
    assert [gigabytes(size) for size in (250_000_000, 1_064_000_000, 9_960_000_000, 64_000_000_000)] == [
        *("0.25 GB", "1.1 GB", "10 GB", "64 GB")
    ]
