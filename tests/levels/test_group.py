"""The group level: one row per recording, every column defined, a page that links to people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from bids_eeg2fmri.errors import BadDataError, NothingSelectedError
from bids_eeg2fmri.levels.group import run_group
from bids_eeg2fmri.report.metric_definitions import METRICS
from bids_eeg2fmri.report.score_definitions import SCORES
from bids_eeg2fmri.settings import Settings

SPACE = "space-MNI152NLin2009cAsym_res-2"


def _write(root: Path, stem: str, **sidecar: Any) -> Path:
    entities = dict(part.split("-") for part in stem.split("_"))
    folder = root / f"sub-{entities['sub']}" / (f"ses-{entities['ses']}" if "ses" in entities else "") / "func"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}_{SPACE}_desc-preproc_bold.json"
    content = {"Synthetic": True, "ModelName": "neuralfield-sim", "RepetitionTime": 2.0} | sidecar
    path.write_text(json.dumps(content), "utf-8")
    return path


def _settings(root: Path, **changes: Any) -> Settings:
    return Settings(bids_dir=root, output_dir=root, level="group", **changes)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    _write(
        tmp_path,
        "sub-01_ses-a_task-rest_rec-eeg2fmri_run-01",
        Metrics={"n_volumes": 300, "tsnr_median": 201.123456789},
        EEG={"SamplingFrequency": 500.0, "ElectrodePositions": "electrodes.tsv"},
        VolumeClock={"Source": "markers: R128"},
        TrainingDatasets=["a phantom"],
    )
    _write(tmp_path, "sub-01_ses-b_task-rest_rec-eeg2fmri_run-01", Metrics={"n_volumes": 150, "tsnr_median": 190.0})
    _write(tmp_path, "sub-02_ses-a_task-nback_rec-eeg2fmri", Metrics={"n_volumes": 90, "own_metric": 0.5})
    _write(tmp_path, "sub-03_ses-a_task-rest_rec-other", Synthetic=False)
    return tmp_path


def _table(output: Path) -> pd.DataFrame:
    return pd.read_csv(output / "group_eeg2fmri.tsv", sep="\t", na_values="n/a", dtype={"run": str})


def test_one_row_per_synthetic_recording(output: Path) -> None:
    assert run_group(_settings(output), "cmd") == 0
    table = _table(output)
    assert list(table["participant_id"]) == ["sub-01", "sub-01", "sub-02"]
    assert list(table["session_id"]) == ["ses-a", "ses-b", "ses-a"]
    assert list(table["task"]) == ["rest", "rest", "nback"]
    assert list(table["run"].fillna("")) == ["01", "01", ""]
    assert list(table["n_volumes"]) == [300, 150, 90]
    assert table["tsnr_median"][0] == pytest.approx(201.123)
    assert table["sampling_frequency_hz"][0] == 500
    assert table["electrode_positions"][0] == "electrodes.tsv"


def test_absent_values_are_na(output: Path) -> None:
    run_group(_settings(output), "cmd")
    lines = [line.split("\t") for line in (output / "group_eeg2fmri.tsv").read_text("utf-8").splitlines()]
    assert {len(line) for line in lines} == {len(lines[0])}
    assert lines[3][lines[0].index("tsnr_median")] == "n/a"
    assert lines[1][lines[0].index("own_metric")] == "n/a"


def test_every_column_is_defined(output: Path) -> None:
    run_group(_settings(output), "cmd")
    definitions = json.loads((output / "group_eeg2fmri.json").read_text("utf-8"))
    assert list(definitions) == list(_table(output).columns)
    assert all(definition["Description"] for definition in definitions.values())
    assert definitions["tstd_median"]["Units"] == METRICS["tstd_median"].unit


def test_page_says_synthetic_and_links_points_to_people(output: Path) -> None:
    run_group(_settings(output), "bids-eeg2fmri <in> out group")
    page = (output / "group.html").read_text("utf-8")
    assert page.count("SYNTHETIC") >= 3
    assert "trained on simulations" in page
    assert 'href="./sub-01.html#sub-01_ses-b_task-rest_rec-eeg2fmri_run-01"' in page
    assert "bids-eeg2fmri &lt;in&gt; out group" in page
    assert re.findall(r'data-metric="(\w+)"', page) == ["n_volumes", "tsnr_median", "own_metric"]
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert all(link.startswith("./") for link in links)
    assert "<script" not in page


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"participant_label": ("02",)}, ["sub-02"]),
        ({"exclude_participant_label": ("02",)}, ["sub-01", "sub-01"]),
        ({"session_label": ("b",)}, ["sub-01"]),
        ({"task_id": ("nback",)}, ["sub-02"]),
        ({"run_id": ("1",)}, ["sub-01", "sub-01"]),
    ],
)
def test_filters(output: Path, changes: dict[str, Any], expected: list[str]) -> None:
    run_group(_settings(output, **changes), "cmd")
    assert list(_table(output)["participant_id"]) == expected


@pytest.mark.parametrize("changes", [{"participant_label": ("03",)}, {"task_id": ("none",)}])
def test_nothing_selected(output: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(NothingSelectedError) as caught:
        run_group(_settings(output, **changes), "cmd")
    assert caught.value.exit_code == 18
    assert not (output / "group.html").exists()


def test_empty_output(tmp_path: Path) -> None:
    with pytest.raises(NothingSelectedError):
        run_group(_settings(tmp_path / "absent"), "cmd")


def test_a_broken_sidecar_does_not_hide_the_others(output: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = _write(output, "sub-04_task-rest_rec-eeg2fmri")
    broken.write_text('{"Synthetic": tr', "utf-8")
    assert run_group(_settings(output), "cmd") == BadDataError.exit_code
    assert len(_table(output)) == 3
    page = (output / "group.html").read_text("utf-8")
    assert f"sub-04/func/{broken.name}" in page
    assert str(output) not in page
    assert "sub-04" in caplog.text


def test_only_broken_sidecars(tmp_path: Path) -> None:
    _write(tmp_path, "sub-04_task-rest_rec-eeg2fmri").write_text("[]", "utf-8")
    with pytest.raises(BadDataError):
        run_group(_settings(tmp_path), "cmd")


def test_values_that_are_no_numbers_are_na(tmp_path: Path) -> None:
    path = _write(tmp_path, "sub-01_task-rest_rec-eeg2fmri")
    path.write_text('{"Synthetic": true, "Metrics": {"n_volumes": NaN, "tsnr_median": "high"}}', "utf-8")
    assert run_group(_settings(tmp_path), "cmd") == 0
    assert _table(tmp_path)[["n_volumes", "tsnr_median"]].isna().all(axis=None)


def test_a_sidecar_cannot_inject_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\t\n"
    _write(tmp_path, "sub-01_task-rest_rec-eeg2fmri", ModelName=evil, Metrics={evil: 1.0})
    run_group(_settings(tmp_path), evil)
    assert "<script" not in (tmp_path / "group.html").read_text("utf-8")
    assert len((tmp_path / "group_eeg2fmri.tsv").read_text("utf-8").splitlines()) == 2


def _scores(parcel_r: float) -> dict[str, float]:
    return {"parcel_r": parcel_r, "parcel_r_mean_volume": 0.0, "parcel_r_source_power": 0.3, "null_r_shift_95": 0.06}


def test_scores_are_averaged_over_people_in_fishers_z(tmp_path: Path) -> None:
    of_people = {"01": (0.2, 0.4), "02": (0.5,), "03": (0.6,)}
    for person, values in of_people.items():
        for run, value in enumerate(values, 1):
            stem = f"sub-{person}_task-rest_rec-eeg2fmri_run-{run}"
            _write(tmp_path, stem, Metrics=_scores(value), ComparedWith={"Simulated": person == "01"})
    _write(tmp_path, "sub-04_task-rest_rec-eeg2fmri", Metrics={"n_volumes": 90})
    assert run_group(_settings(tmp_path), "cmd") == 0
    z = np.array([np.mean(np.arctanh(values)) for values in of_people.values()])
    interval = scipy.stats.t.interval(0.95, 2, z.mean(), scipy.stats.sem(z))
    mean, (low, high) = np.tanh(z.mean()), np.tanh(interval)
    page = (tmp_path / "group.html").read_text("utf-8")
    assert f"{mean:.3f}\n[{low:.3f}, {high:.3f}]" in page
    assert "4 recordings of 3 people have BOLD of the same run" in page
    assert "simulated scanner" in page
    table = page.partition("Against the scanner")[2].partition("</table>")[0]
    rows = dict(re.findall(r'<th scope="row">(.+?)</th><td class="number">(.+?)</td>', table, re.DOTALL))
    assert rows["Mean volume"] == "0.000"
    assert rows["Source power, fixed signs"] == "0.300"
    assert rows["Chance, circular shifts, 95 %"] == "0.060"
    assert "parcel_r" in re.findall(r'data-metric="(\w+)"', page)
    assert "parcel_r_mean_volume" not in re.findall(r'data-metric="(\w+)"', page)
    columns = _table(tmp_path)
    assert columns["parcel_r"].isna().tolist() == [False] * 4 + [True]
    assert "voxel_r" not in columns
    definitions = json.loads((tmp_path / "group_eeg2fmri.json").read_text("utf-8"))
    assert "no EEG" in definitions["parcel_r_mean_volume"]["Description"]


def test_one_person_has_a_mean_and_no_interval(tmp_path: Path) -> None:
    _write(tmp_path, "sub-01_task-rest_rec-eeg2fmri", Metrics=_scores(0.2))
    run_group(_settings(tmp_path), "cmd")
    page = (tmp_path / "group.html").read_text("utf-8")
    assert '<td class="number">0.200</td>' in page
    assert "simulated scanner" not in page


def test_nobody_was_scanned(output: Path) -> None:
    run_group(_settings(output), "cmd")
    assert "Against the scanner" not in (output / "group.html").read_text("utf-8")
    assert not set(SCORES) & set(_table(output).columns)
