"""The train level on simulated people: a model, its scores, and its use; faults that stop nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")

PEOPLE = ("01", "02", "03", "04", "05")
SPLIT = ("--validation-participants", "03", "--test-participants", "04")
# Small enough for a test: few lags and maps; few bins and voxels.
NEURALFIELD = {
    "peaks_s": [3.5, 5.5],
    "widths_s": [1.5, 2.0],
    "n_maps": 6,
    "n_members": 2,
    "n_fourier": 16,
    "field_width": 16,
}
CALHAS = {
    "eeg_shape": [19, 20, 4],
    "fmri_shape": [8, 9, 7],
    "latent_shape": [3, 3, 3],
    "n_filters": 2,
    "eeg_blocks": {"kernels": [[3, 5, 2]], "strides": [[2, 2, 1]], "pool": [2, 2, 1], "pool_stride": [1, 1, 1]},
    "fmri_blocks": {"kernels": [[3, 3, 3]], "strides": [[1, 1, 1]], "pool": [2, 2, 2], "pool_stride": [1, 1, 1]},
    # Distributions over the weights of its last layer, and a scale of the error of every voxel.
    "aleatoric": True,
    "loss": "gaussian",
}
FILES = ("MODEL_CARD.md", "model.json", "model.safetensors", "scores.json", "scores.tsv", "scores_by_recording.tsv")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people of 80 s on 19 electrodes; one's BOLD has lost its last volume."""
    root = tmp_path_factory.mktemp("train") / "ds"
    write_dataset(Request(root, participants=len(PEOPLE), duration_s=80.0, cap="19", resolution="4"))
    cut = root / "sub-05" / "func" / "sub-05_task-rest_bold.nii.gz"
    image = nib.load(cut)
    nib.save(image.slicer[..., :-1], cut)
    return root


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("configs")
    paths = {}
    for name, content in (("neuralfield", NEURALFIELD), ("calhas2022", CALHAS)):
        paths[name] = folder / f"{name}.json"
        paths[name].write_text(json.dumps(content))
    return paths


@pytest.fixture(scope="module", params=["neuralfield", "calhas2022"])
def trained(request, dataset: Path, configs, here, tmp_path_factory) -> tuple[str, Path, object]:
    network = request.param
    out = tmp_path_factory.mktemp(network) / "model"
    options = ("--epochs", 2, "--batch-size", 8) if network == "calhas2022" else ()
    finished = here(dataset, out, "train", "--network", network, "--network-config", configs[network], *SPLIT, *options)
    return network, out, finished


def test_a_pair_whose_clocks_disagree_is_left_out_with_the_numbers(trained) -> None:
    _, out, finished = trained
    assert finished.code == 65
    assert "40 volumes every 2 s" in finished.last_words and "39 every 2 s" in finished.last_words
    assert finished.table["sub-05_task-rest"][0] == "failed"
    split = json.loads((out / "splits.json").read_text())["test"]
    assert split == {"name": "test", "training": ["01", "02"], "validation": ["03"], "test": ["04"]}


def test_scores_stand_beside_baselines_and_nulls(trained) -> None:
    _, out, finished = trained
    assert all((out / name).is_file() for name in FILES)
    table = pd.read_csv(out / "scores.tsv", sep="\t")
    rows = set(table["name"])
    assert {"model", "mean volume", "person's mean", "previous volume", "source ridge", "sensor ridge"} <= rows
    assert {"EEG shuffled", "EEG zeroed", "time only"} <= rows
    assert {name for name in rows if "null 95 %" in name} >= {"model: circular shift, null 95 %"}
    r = table[table["metric"] == "parcel_r"].set_index("name")["mean"].astype(float)
    assert r["mean volume"] == 0
    assert r["EEG zeroed"] == pytest.approx(0, abs=1e-6)
    assert "| model |" in finished.out and "| mean volume |" in finished.out


def test_the_card_names_data_people_and_scores(trained) -> None:
    network, out, _ = trained
    card = (out / "MODEL_CARD.md").read_text()
    dataset_name = json.loads((out / "model.json").read_text())["training"]["datasets"][0]
    assert network in card and dataset_name in card
    assert "(01, 02)" in card and "| model |" in card and "Removed from them: linear trend." in card
    description = json.loads((out / "model.json").read_text())
    assert description["targets"]["start_time_s"] == 0.0
    assert set(description["calibration"]["voxels"]) == {"0.5", "0.8", "0.9", "0.95"}


def test_participant_takes_the_model_at_once(trained, dataset: Path, here, res_4, tmp_path: Path) -> None:
    network, model, _ = trained
    finished = here(dataset, tmp_path / "out", "participant", "--participant-label", "04", "--model", model, *res_4)
    assert finished.code == 0, finished.err
    (bold,) = (tmp_path / "out").rglob("*_desc-preproc_bold.nii.gz")
    sidecar = json.loads(Path(str(bold).replace(".nii.gz", ".json")).read_text())
    assert sidecar["Synthetic"] is True
    assert sidecar["ModelNetwork"] == network
    data = np.asarray(nib.load(bold).dataobj)
    assert data.shape[3] == 40 and np.isfinite(data).all()
    # Both draw from an ensemble, of networks or of weights.
    sidecar = json.loads(next((tmp_path / "out").rglob("*_desc-epistemic_boldmap.json")).read_text())
    assert "not estimated" not in sidecar["Description"]


def test_the_same_command_again_does_nothing(trained, dataset: Path, configs, here) -> None:
    network, out, _ = trained
    before = {name: (out / name).stat().st_mtime_ns for name in FILES}
    options = ("--epochs", 2, "--batch-size", 8) if network == "calhas2022" else ()
    here(dataset, out, "train", "--network", network, "--network-config", configs[network], *SPLIT, *options)
    assert {name: (out / name).stat().st_mtime_ns for name in FILES} == before


def test_another_cap_is_refused_by_the_published_network(trained, here, tmp_path: Path) -> None:
    network, model, _ = trained
    if network == "neuralfield":
        pytest.skip("neuralfield takes any cap")
    names = "Fp1,Fp2,F3,F4,C3,C4,P3,P4,O1,O2,F7,F8"
    write_dataset(Request(tmp_path / "ds", duration_s=80.0, cap=names, resolution="4"))
    finished = here(tmp_path / "ds", tmp_path / "out", "participant", "--model", model, "--sloppy")
    assert finished.code == 65
    assert "neuralfield-sim" in finished.last_words
    assert not list((tmp_path / "out").rglob("*_bold.nii.gz"))


def test_a_dry_run_says_who_does_what_and_writes_nothing(dataset: Path, here, tmp_path: Path) -> None:
    finished = here(dataset, tmp_path / "out", "train", *SPLIT, "--dry-run")
    assert finished.code == 0
    assert "test: train 01, 02, 05; validate 03; test 04" in finished.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--participant-label", "01", "02"), "there are 2: 01, 02"),
        (("--test-participants", "09"), "nobody with EEG and BOLD is called 09"),
        (("--network", "calhas2022", "--from", "neuralfield-sim"), "--from begins with a neuralfield"),
        (("--from", "nowhere"), "no model 'nowhere'"),
    ],
)
def test_what_cannot_be_trained_is_refused(dataset: Path, here, tmp_path: Path, arguments, message: str) -> None:
    finished = here(dataset, tmp_path / "out", "train", *arguments)
    assert finished.code in (64, 65, 66)
    assert message in finished.err.replace("\n", " ")


def test_unknown_hyperparameters_are_named(dataset: Path, here, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"n_layers": 3}')
    for network in ("neuralfield", "calhas2022"):
        finished = here(dataset, tmp_path / "out", "train", "--network", network, "--network-config", config)
        assert finished.code == 64
        assert "n_layers" in finished.last_words


def test_a_dataset_is_no_place_for_a_model(dataset: Path, here, tmp_path: Path) -> None:
    shutil.copy(dataset / "dataset_description.json", tmp_path / "dataset_description.json")
    finished = here(dataset, tmp_path, "train")
    assert finished.code == 64
    assert "is a dataset" in finished.last_words
