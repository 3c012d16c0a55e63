"""What the benchmarks of speed compute from their runs, and the datasets they make."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from benchmarks.end_to_end import Traced, many_table, processes_table, stages_table
from benchmarks.measuring import Run, Timing
from benchmarks.noise_dataset import electrode_names, write_dataset
from benchmarks.scaling import SWEEPS, Bench, Point, Size, draw, fitted_line, section
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.settings import Settings


def run(seconds: float, cpu_s: float = 0.0, peak_gb: float = 1.0) -> Run:
    return Run(seconds, cpu_s, round(peak_gb * 1e9), 0, "")


def cells(table: str, first: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def traced(seconds: float, **wall_s: float) -> Traced:
    programs = {"compiled": 0, "fetched": 7}
    return Traced(run(seconds, seconds), {"wall_s": wall_s, "cpu_s": wall_s, "programs": programs})


def test_stages_add_up_to_the_run_and_are_held_against_the_floor() -> None:
    runs = [traced(10.0, read=1.0, write=4.0, report=2.0)] * 3
    table = stages_table(runs, Timing((0.5,), (0.5,)), Timing((2.0,), (3.5,)), [run(5.0, 6.0)] * 3)
    assert cells(table, "read")[:3] == ["1.00", "1.00", "10 %"]
    assert cells(table, "interpreter")[0] == "3.00"
    assert cells(table, r"**total**")[:2] == ["10.0", "10.0"]
    assert cells(table, r"**floor**")[:3] == ["2.50", "4.00", "25 %"]
    assert cells(table, "everything else / floor")[:2] == ["3.00x", "1.50x"]
    assert cells(table, "libraries alone")[:2] == ["5.00", "6.00"]
    assert cells(table, "libraries alone / floor")[:2] == ["2.00x", "1.50x"]


def test_the_worst_of_the_later_processes_counts_for_programs() -> None:
    compiling = Traced(run(1.0, 1.5), {"programs": {"compiled": 2, "fetched": 5}})
    table = processes_table(compiling, [traced(10.0), compiling], [run(9.0, 9.0)])
    assert cells(table, "first, empty cache")[-2:] == ["2", "5"]
    assert cells(table, "later ones, median")[-2:] == ["2", "7"]


def test_ten_recordings_may_cost_ten_times_a_second_one() -> None:
    table = many_table([run(15.0)] * 3, [run(20.0)] * 3, [run(66.0, peak_gb=1.1)] * 3)
    assert cells(table, "so a second one costs")[0] == "5.00"
    assert cells(table, "and start-up, with the maps of the grid,")[0] == "10.0"
    assert cells(table, "allowed for 10: start-up + 10 x 1.1 x the second")[0] == "65.0"
    assert cells(table, "10 recordings, median") == ["66.0", "1.10"]


def test_a_line_is_found_and_so_is_what_lies_off_it() -> None:
    line = fitted_line([1, 2, 4], [3.0, 5.0, 9.0])
    assert (line.start, line.slope) == (pytest.approx(1.0), pytest.approx(2.0))
    assert line.furthest < 1e-9
    assert fitted_line([1, 2, 3, 4], [1, 2, 3, 8]).furthest > 0.2


def test_a_sweep_is_told_and_drawn(tmp_path: Path) -> None:
    sweep = SWEEPS[0]
    points = [Point(size, (run(5.0 + size.minutes, 8.0),), 0.1) for size in sweep.sizes]
    text = section(sweep, points)
    assert text.startswith("### Duration")
    assert "5.00 s + 1.00 s x minutes, no point further than 0 %" in text
    assert cells(text, "120")[0] == "125"
    draw(sweep, points, tmp_path / "new/duration.svg")
    assert (tmp_path / "new/duration.svg").read_text("utf-8").count("<g") > 10


def test_sweeps_vary_one_thing() -> None:
    for sweep in SWEEPS:
        for sizes in (sweep.sizes, sweep.quick):
            varied = {name for name in vars(Size()) if len({getattr(size, name) for size in sizes}) > 1}
            assert len(varied) == 1
            assert len({sweep.work(size) for size in sizes}) == len(sizes)


def test_points_are_repeated_while_there_is_patience_and_measured_once(tmp_path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(Bench, "_run", lambda self, dataset, output, resolution: _ran(output, calls))
    assert len(Bench(tmp_path, 3, 60.0).measure(Size(1, 19)).runs) == 3
    impatient = Bench(tmp_path, 3, 0.0)
    assert len(impatient.measure(Size(1, 19)).runs) == 1
    n_calls = len(calls)
    impatient.measure(Size(1, 19))
    assert len(calls) == n_calls == (1 + 3) + (1 + 1)
    assert list(tmp_path.iterdir()) == []


def _ran(output: Path, calls: list[Path]) -> Run:
    output.mkdir()
    calls.append(output)
    return run(1.0)


@pytest.mark.parametrize("n_channels", [19, 64, 256])
def test_electrodes_have_places_of_their_own(n_channels: int) -> None:
    names = electrode_names(n_channels)
    assert len({name.lower() for name in names}) == n_channels


def test_datasets_are_read_by_the_program(tmp_path: Path) -> None:
    root = tmp_path / "in"
    write_dataset(root, 60.0, 19, sfreq_hz=200.0, n_people=2)
    settings = Settings(bids_dir=root, output_dir=tmp_path / "out", level="participant")
    files = select_recordings(settings).recordings
    assert [file.subject for file in files] == ["0001", "0002"]
    recordings = [read_recording(file, settings) for file in files]
    assert [len(recording.channel_names) for recording in recordings] == [19, 19]
    assert recordings[0].good.all()
    np.testing.assert_array_equal(*(recording.signals_v for recording in recordings))
    raw = mne.io.read_raw_brainvision(files[1].path, verbose="ERROR")
    assert (raw.info["sfreq"], raw.n_times) == (200.0, 12_000)
