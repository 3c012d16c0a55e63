"""What is measured of synthetic BOLD from real EEG, on series whose answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.realeeg.findings import Findings, band_share, connectivity, occipital_alpha, similarities
from benchmarks.realeeg.sessions import wrap_eegmat
from benchmarks.realeeg.table import as_markdown, judge, tasks_of
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.bold.haemodynamics import hrf
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.settings import Settings

SFREQ_HZ = 100.0
FINDINGS = Findings("a", "rest", 180.0, 0.9, -0.5, 50.0, 0.5, 0.1, np.array([0.1, 0.5, -0.2, 0.3]))


def recording(signals_v: np.ndarray, bad_segments_s: tuple[tuple[float, float], ...] = ()) -> Recording:
    empty = np.zeros(0)
    return Recording(
        signals_v=signals_v.astype(np.float32),
        sfreq_hz=SFREQ_HZ,
        source_sfreq_hz=SFREQ_HZ,
        channel_names=("Fz", "O1", "O2"),
        positions_m=np.zeros((3, 3)),
        positions_source="none",
        good=np.array([True, True, False]),
        left_out={},
        events=(),
        clock=VolumeClock(0.0, 2.0, 60, "assumed"),
        cleaning=Cleaning((), {}, bad_segments_s, None, empty, np.zeros((3, 0)), np.zeros((3, 0))),
        reference="n/a",
        source=Path("x.edf"),
    )


def test_band_share_of_two_sines() -> None:
    # 200 volumes of 2 s: both frequencies are whole cycles, and the power of a sine is half its squared amplitude.
    times_s = 2.0 * np.arange(200)
    slow, fast = np.sin(2 * np.pi * 0.05 * times_s), np.sin(2 * np.pi * 0.2 * times_s)
    series = np.stack([slow + fast, 2 * slow + fast, slow + 2 * fast], axis=1) + 100.0
    assert band_share(series, 2.0) == pytest.approx(0.5)
    assert band_share(series[:, 1:2], 2.0) == pytest.approx(0.8)


def test_alpha_of_a_burst_becomes_the_response() -> None:
    times_s = np.arange(120 * 100) / SFREQ_HZ
    burst = (times_s >= 20) & (times_s < 20.5)
    signals_v = np.zeros((3, len(times_s)))
    # Blinks in front and noise in the bad channel must not matter.
    signals_v[0] = 1e-4 * np.sin(2 * np.pi * 10 * times_s)
    signals_v[1] = 1e-5 * np.sin(2 * np.pi * 10 * times_s) * burst
    signals_v[2] = 1e-4 * np.sin(2 * np.pi * 11 * times_s)
    volumes_s = 2.0 * np.arange(60)
    response = occipital_alpha(recording(signals_v), volumes_s)
    assert response is not None
    assert np.corrcoef(response, hrf(volumes_s - 20.25))[0, 1] > 0.99


def test_alpha_ignores_bad_stretches_and_needs_an_occipital_electrode() -> None:
    rng = np.random.default_rng(0)
    quiet = 1e-5 * rng.standard_normal((3, 120 * 100))
    quiet[:, 5000:5300] = 0.0
    loud = quiet.copy()
    loud[1, 5050:5250] += 1e-3 * rng.standard_normal(200)
    volumes_s = 2.0 * np.arange(60)
    one, other = (occipital_alpha(recording(x, ((49.0, 54.0),)), volumes_s) for x in (quiet, loud))
    np.testing.assert_allclose(one, other, atol=0.05)
    assert occipital_alpha(replace(recording(quiet), good=np.array([True, False, False])), volumes_s) is None


def test_connectivity_lists_every_pair_once() -> None:
    series = np.random.default_rng(0).standard_normal((50, 4))
    series[:, 3] = -series[:, 0]
    pairs = connectivity(series)
    assert pairs.shape == (6,)
    assert pairs[2] == pytest.approx(-1.0)


def test_similarity_pairs_people_in_a_task_and_tasks_in_a_person() -> None:
    same, opposite = FINDINGS.connectivity, -FINDINGS.connectivity
    findings = [
        FINDINGS,
        replace(FINDINGS, task="work", connectivity=opposite),
        replace(FINDINGS, person="b", connectivity=same + 0.1),
        replace(FINDINGS, person="c", connectivity=opposite),
    ]
    np.testing.assert_allclose(similarities(findings, task="rest"), [1, -1, -1])
    np.testing.assert_allclose(similarities(findings, same_person=True), [-1])
    assert similarities(findings, task="work").size == 0
    assert tasks_of(findings) == ("rest", "work")


def test_targets() -> None:
    other = replace(FINDINGS, person="b", connectivity=FINDINGS.connectivity[::-1])
    rows = judge([FINDINGS, other], [])
    assert [row.holds for row in rows if row.holds is not None] == [True] * 5
    assert as_markdown(rows).endswith("\n5 of 5 hold\n")
    bad = replace(FINDINGS, person="b", band_share=0.1, alpha_r=0.2, novelty=99.5)
    rows = judge([FINDINGS, bad], [FINDINGS], n_failed=1)
    assert [row.holds for row in rows if row.holds is not None] == [False] * 5
    assert rows[0].measured == ("2 of 3", "1 of 1")
    assert "0 of 5 hold" in as_markdown(rows)
    assert [row.holds for row in judge([], [], n_failed=2)] == [False]


def test_no_occipital_electrode_is_no_verdict() -> None:
    rows = judge([replace(FINDINGS, alpha_r=None)], [])
    assert not any("alpha rises" in row.question for row in rows)


def test_eegmat_becomes_a_dataset(tmp_path: Path) -> None:
    source, root = tmp_path / "source", tmp_path / "bids"
    source.mkdir()
    root.mkdir()
    for name in ("Subject00_1.edf", "Subject00_2.edf", "Subject01_1.edf", "subject-info.csv"):
        (source / name).write_text("content", encoding="utf-8")
    settings = Settings(bids_dir=wrap_eegmat(source, root), output_dir=tmp_path, level="participant")
    files = select_recordings(settings).recordings
    assert [file.label for file in files] == ["sub-00_task-arithmetic", "sub-00_task-rest", "sub-01_task-rest"]
    assert files[1].path.resolve() == (source / "Subject00_1.edf").resolve()
    assert files[0].sidecar["PowerLineFrequency"] == 50
    json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
