"""The command: ``group --classify`` on derivatives with a planted difference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from synthetic_derivatives import N_VOLUMES, write_recording, write_table

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.classification import analysis
from bids_eeg2fmri.classification.discriminant import LINEAR
from bids_eeg2fmri.cli import main
from bids_eeg2fmri.derivatives.classification import map_labels

_STEM = "group_classification"


def _group(raw: Path, derivatives: Path, work: Path, *options: object) -> int:
    words = (raw, derivatives, "group", "--permutations", 19, "--work-dir", work, *options)
    return main([str(word) for word in words])


def _scores(derivatives: Path) -> pd.DataFrame:
    table = pd.read_csv(derivatives / f"{_STEM}.tsv", sep="\t", na_values="n/a", keep_default_na=False)
    return table.set_index(["classifier", "features"])


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory):
    """Folders after people were classified by their group."""
    raw, derivatives = planted
    shutil.copytree(derivatives, copy := tmp_path_factory.mktemp("people") / "out")
    (copy / ".bidsignore").write_text("*.html\nfigures\nlogs/\ngroup_*\n")
    description = {"Name": "test", "BIDSVersion": "1.10.0", "DatasetType": "derivative", "GeneratedBy": [{"Name": "x"}]}
    (copy / "dataset_description.json").write_text(json.dumps(description))
    assert _group(raw, copy, tmp_path_factory.mktemp("work"), "--classify", "group", "--folds", "loso") == 0
    return raw, copy


def test_the_planted_difference_is_found_beside_the_majority(finished):
    scores = _scores(finished[1])
    assert list(scores.index.get_level_values("classifier")) == [
        "linear",
        "polynomial",
        "variational",
        "siamese",
        "majority",
    ]
    linear = scores.loc[("linear", "synthetic_bold")]
    assert linear["auc"] > 0.9
    assert linear["auc_p"] == 0.05
    assert linear["auc_low"] <= linear["auc"] <= linear["auc_high"]
    assert scores.loc[("majority", "none"), "accuracy"] == 0.5
    definitions = json.loads((finished[1] / f"{_STEM}.json").read_text())
    assert set(definitions) == {"Analysis", "classifier", "features", *scores.columns}
    assert definitions["Analysis"]["Classes"] == ["control", "patient"]
    assert definitions["Analysis"]["Permutations"] == "Labels are permuted between people."


def test_predictions_of_every_person(finished):
    table = pd.read_csv(finished[1] / f"{_STEM}_predictions.tsv", sep="\t")
    assert len(table) == 12
    agreement = (table["label"] == table["linear_synthetic_bold"]).mean()
    assert agreement == pytest.approx(_scores(finished[1]).loc[("linear", "synthetic_bold"), "accuracy"])
    decided = table["linear_synthetic_bold_decision"] > 0
    assert ((table["linear_synthetic_bold"] == "patient") == decided).all()
    assert set(json.loads((finished[1] / f"{_STEM}_predictions.json").read_text())) == set(table.columns)


def test_maps_show_where_the_difference_is(finished):
    atlas = load_atlas()
    visual = np.array(atlas.networks) == "Vis"
    table = pd.read_csv(finished[1] / f"{_STEM}_pattern.tsv", sep="\t")
    pattern = table["pattern_patient"][: len(atlas)].to_numpy()
    assert pattern[visual].mean() > 0.7 > 0.4 > abs(pattern[~visual].mean())
    name = f"{_STEM}_space-MNI152NLin2009cAsym_res-4_stat-{{}}_boldmap.nii.gz"
    for statistic, label, expected in (("pattern", "patient", pattern[visual].mean()), ("mean", "patient", 0.4),
                                       ("mean", "control", 0.2)):  # fmt: skip
        path = finished[1] / name.format(f"{statistic}_desc-{label}")
        image = nib.load(path)
        assert image.shape == (49, 58, 49)
        indices = np.argwhere(np.asarray(image.dataobj) != 0)
        labels = atlas.labels_at(nib.affines.apply_affine(image.affine, indices))
        inside = np.asarray(image.dataobj)[tuple(indices.T)][np.isin(labels, 1 + np.flatnonzero(visual))]
        assert inside.mean() == pytest.approx(expected, abs=0.08)
        assert json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())["Synthetic"] is True


def test_the_page_shows_it_and_the_validator_is_content(finished, validator_issues):
    page = (finished[1] / "group.html").read_text("utf-8")
    assert "Classification by group" in page
    assert "linear, synthetic BOLD" in page
    # The images themselves are coarser than any grid of the program: only the group's files are looked at.
    for folder in finished[1].glob("sub-*"):
        shutil.rmtree(folder)
    (finished[1] / "sub-01").mkdir()
    issues = [issue for issue in validator_issues(finished[1]) if "group" in json.dumps(issue)]
    assert issues == []


@pytest.fixture
def only_linear(monkeypatch):
    """The others are compiled for every number of units."""
    monkeypatch.setattr(analysis, "CLASSIFIERS", (LINEAR,))


@pytest.mark.usefixtures("only_linear")
def test_tasks_are_compared_within_people_and_nothing_is_found(planted, tmp_path):
    raw, derivatives = planted
    shutil.copytree(derivatives, copy := tmp_path / "out")
    write_table(copy / f"{_STEM}_space-MNI152NLin2009cAsym_res-4_stat-mean_desc-old_boldmap.json", {}, ("a", "b"))
    options = ("--classify", "task", "--classify-unit", "recording", "--folds", 3)
    assert _group(raw, copy, tmp_path / "work", *options) == 0
    scores = _scores(copy)
    assert abs(scores.loc[("linear", "synthetic_bold"), "auc"] - 0.5) < 0.3
    assert scores.loc[("linear", "synthetic_bold"), "auc_p"] > 0.05
    made = json.loads((copy / f"{_STEM}.json").read_text())["Analysis"]
    assert made["Permutations"] == "Labels are permuted within people."
    assert (made["People"], made["UnitsPerClass"]) == (12, [12, 12])
    assert not list(copy.glob("*_desc-old_*"))


@pytest.mark.usefixtures("only_linear")
def test_events_are_told_apart(tmp_path):
    rng = np.random.default_rng(0)
    raw, derivatives = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    onsets = {12.0: "face", 32.0: "house", 52.0: "face"}
    for index in range(4):
        series = 0.3 * rng.normal(size=(N_VOLUMES, len(load_atlas())))
        for onset, label in onsets.items():
            if label == "face":
                series[int(onset / 2) + 2 : int(onset / 2) + 5, :60] += 1.0
        sidecar = write_recording(derivatives, f"sub-{index:02d}_task-look", series)
        events = sidecar.with_name(f"sub-{index:02d}_task-look_rec-eeg2fmri_events.tsv")
        events.write_text(
            "onset\tduration\ttrial_type\n" + "".join(f"{onset}\t1\t{label}\n" for onset, label in onsets.items())
        )
    options = ("--classify", "trial_type", "--classify-unit", "event", "--folds", 3, "--skip-bids-validation")
    assert _group(raw, derivatives, tmp_path / "work", *options) == 0
    assert _scores(derivatives).loc[("linear", "synthetic_bold"), "auc"] > 0.9


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--classify", "sex"), 64, "no such column"),
        (("--classify", "group", "--folds", "9"), 64, "--folds 9"),
        (("--classify", "group", "--participant-label", "00", "02", "04", "06"), 65, "two classes are needed"),
        (("--classify", "group", "--participant-label", "00", "01", "02", "03"), 65, "3 people per class"),
        (("--classify", "trial_type", "--classify-unit", "event"), 65, "no selected recording has a label"),
    ],
)
def test_what_cannot_be_classified_is_refused_in_one_sentence(planted, tmp_path, capsys, options, code, message):
    raw, derivatives = planted
    assert _group(raw, derivatives, tmp_path / "work", *options) == code
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_labels_of_maps_hold_letters_and_digits_only():
    assert map_labels(["a b", "ab", "++", "2.5"]) == ["ab", "abclass2", "class3", "25"]
