"""Strips show every recording while there is room, and count them where there is not."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.report.group_page import render_group_page
from bids_eeg2fmri.report.group_strips import collect_strips
from bids_eeg2fmri.report.group_table import GroupRow


def rows(values: np.ndarray) -> list[GroupRow]:
    """One recording per value, of one person each."""
    return [_row(f"{number:04}", float(value)) for number, value in enumerate(values)]


def _row(label: str, value: float) -> GroupRow:
    sidecar = {"Metrics": {"tsnr_median": value}}
    return GroupRow(f"sub-{label}_task-rest", {"sub": label, "task": "rest"}, sidecar)


def places(strip: dict) -> set[tuple[float, float]]:
    return {(point["x"], point["y"]) for point in strip["points"]}


def test_few_recordings_are_points_without_bars() -> None:
    (strip,) = collect_strips(rows(np.array([1.0, 1.0, 1.0, 2.0, 9.0])))
    assert (strip["n"], len(places(strip)), strip["bars"]) == (5, 5, [])
    assert strip["median"] == "1"


@pytest.fixture
def many() -> np.ndarray:
    values = np.random.default_rng(0).normal(100, 10, 2000)
    values[[17, 1234]] = 300, -50
    return values


def test_every_recording_is_a_point_or_counted_by_a_bar(many: np.ndarray) -> None:
    (strip,) = collect_strips(rows(many))
    assert sum(bar["n"] for bar in strip["bars"]) + len(strip["points"]) == strip["n"] == 2000
    assert max(bar["height"] for bar in strip["bars"]) == 66
    assert all(bar["y"] + bar["height"] == pytest.approx(72) for bar in strip["bars"])
    assert min(bar["n"] for bar in strip["bars"]) > 9
    for point in strip["points"]:
        assert not any(bar["x"] + 0.1 < point["x"] < bar["x"] + 9.1 for bar in strip["bars"])


def test_recordings_far_from_the_others_keep_their_points(many: np.ndarray) -> None:
    (strip,) = collect_strips(rows(many))
    assert {"sub-0017.html", "sub-1234.html"} <= {point["page"] for point in strip["points"]}


def test_the_page_has_points_bars_and_the_whole_table(many: np.ndarray, tmp_path) -> None:
    page = render_group_page(rows(many), [], "cmd", tmp_path)
    (strip,) = collect_strips(rows(many))
    assert page.count("<circle") == len(strip["points"])
    assert page.count("<rect") == len(strip["bars"])
    assert page.count('<th scope="row"><a href="./sub-') >= 2000
    assert "<rect" not in render_group_page(rows(many[:5]), [], "cmd", tmp_path)
