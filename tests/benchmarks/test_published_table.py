"""Our rows beside the published ones."""

from __future__ import annotations

import pytest

from benchmarks.published.benchmark import BENCHMARKS
from benchmarks.published.table import COLUMNS, ScoresOfNetwork, markdown
from bids_eeg2fmri.evaluation.baselines import MEAN_VOLUME

_CELL = {"mean": 0.5, "ci95": [0.4, 0.6], "n_people": 2}
_SCORES = {
    "n_people": 2,
    "rows": {
        "model": dict.fromkeys(COLUMNS, _CELL),
        MEAN_VOLUME: {"ssim": {"mean": 0.7, "ci95": [None, None]}, "parcel_r": {"mean": None, "ci95": [None, None]}},
    },
    "null_95": {"model: circular shift, null 95 %": {"parcel_r": 0.071}},
}


@pytest.fixture
def rows():
    text = markdown(BENCHMARKS["noddi"], "fixed", {"calhas2022": ScoresOfNetwork("calhas2022", _SCORES)})
    table = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in table}


def test_network_stands_beside_mean_volume_and_null(rows):
    assert rows["**calhas2022**"][0] == "0.500 [0.400, 0.600]"
    assert rows[f"calhas2022: {MEAN_VOLUME}"][1] == "0.700"
    assert rows["calhas2022: circular shift, null 95 %"][COLUMNS.index("parcel_r")] == "0.071"


def test_published_values_stand_in_the_column_of_their_convention(rows):
    ours = [row for name, row in rows.items() if name.startswith("eeg-to-fmri")]
    others = [row for name, row in rows.items() if name.startswith("E2fNet")]

    assert ours[0][: len(COLUMNS)][:2] == ["0.3972", "0.4613"]
    assert others[0][COLUMNS.index("ssim_unit")] == "0.605"


def test_published_rows_are_those_of_the_papers():
    found = {
        (name, row.name): row.scores["ssim_unit"]
        for name, benchmark in BENCHMARKS.items()
        for row in benchmark.published
        if "ssim_unit" in row.scores
    }

    assert found == {
        ("noddi", "E2fNet"): 0.605,
        ("noddi", "NT-ViT"): 0.581,
        ("noddi", "Spec2VolCAMU-Net"): 0.693,
        ("oddball", "E2fNet"): 0.631,
        ("oddball", "NT-ViT"): 0.627,
        ("oddball", "Spec2VolCAMU-Net"): 0.725,
        ("cn-epfl", "E2fNet"): 0.674,
        ("cn-epfl", "Spec2VolCAMU-Net"): 0.788,
    }
