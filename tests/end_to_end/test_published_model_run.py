"""A bundle of the published network through the real command: its own cap, one channel short, and another cap."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from flax import nnx

from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.units import BASELINE, UNITS_PER_Z
from bids_eeg2fmri.derivatives.names import sidecar as sidecar_path
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.network.bundle import load_bundle, save_bundle
from bids_eeg2fmri.settings import OutputSpace, Settings
from bids_eeg2fmri.synthesis.cap_spectra import compute_cap_spectra
from bids_eeg2fmri.synthesis.volume_maps import make_volume_maps

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat"
CAP = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz"),
    *("C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
ONE = ("--participant-label", "00")


@pytest.fixture(scope="module")
def bundle(tiny_published, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the bundle of a network with random weights for a cap."""

    def write(names: tuple[str, ...], **options: object) -> Path:
        folder = tmp_path_factory.mktemp("bundle") / "tiny"
        constants = {"residual_sd": np.full((9, 10, 8), 0.9), "gain": 10.0}
        trained = tiny_published(names, constants=constants, **options)
        trained.novelty.quantiles[...] = np.linspace(0, 1e6, 101, dtype=np.float32)
        metadata = {
            "name": "tiny-published",
            "version": "0.1",
            "training": {"datasets": ["random weights"]},
            "targets": {"start_time_s": 1.0},
        }
        save_bundle(folder, trained, metadata, "# Random weights\n")
        return folder

    return write


@pytest.fixture(scope="module")
def model(bundle) -> Path:
    return bundle(CAP)


@pytest.fixture(scope="module")
def output(here, res_4, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "out"
    finished = here(EXAMPLE, out, "participant", *ONE, *res_4, "--model", model, "--explain", "Vis")
    assert finished.code == 0, finished.err
    return out


def image_of(output: Path, ending: str) -> Path:
    (path,) = output.rglob(f"*_{ending}.nii.gz")
    return path


def test_the_output_is_complete_and_valid(output: Path, validator_issues) -> None:
    assert validator_issues(output) == []
    images = list(output.rglob("*.nii.gz"))
    assert len(images) == 6
    for image in images:
        sidecar = json.loads(sidecar_path(image).read_text())
        assert sidecar["Synthetic"] is True
    assert (output / "sub-00.html").is_file()


def test_the_explanation_has_a_table_a_graph_and_two_panels(output: Path) -> None:
    tables = sorted(output.rglob("*_desc-Vis_relevance.tsv"))
    graphs = sorted(output.rglob("*_desc-attention_relmat.dense.tsv"))
    assert len(tables) == len(graphs) == 1
    relevance = pd.read_csv(tables[0], sep="\t")
    assert set(relevance.electrode) == set(CAP)
    assert relevance.integrated_gradients.sum() == pytest.approx(1, abs=0.03)
    biases = json.loads(tables[0].with_suffix(".json").read_text())["RelevanceOfBiases"]
    assert relevance.relevance_propagation.sum() + biases == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(pd.read_csv(graphs[0], sep="\t").sum(axis=1), 1, atol=1e-4)
    page = (output / "sub-00.html").read_text()
    assert "desc-relevance_bold.svg" in page
    assert "desc-attention_bold.svg" in page


def test_an_unknown_region_is_refused_before_any_work(here, res_4, model: Path, tmp_path: Path) -> None:
    command = (EXAMPLE, tmp_path / "out", "participant", *ONE, *res_4, "--model", model, "--explain", "Occipital")
    finished = here(*command)
    assert finished.code == 64
    assert "Choose networks (Vis," in finished.err
    assert not list(tmp_path.glob("out/sub-*"))


def test_the_sidecars_name_the_network(output: Path) -> None:
    sidecar = json.loads(sidecar_path(image_of(output, "desc-preproc_bold")).read_text())
    assert (sidecar["ModelNetwork"], sidecar["ModelName"]) == ("calhas2022", "tiny-published")
    assert sidecar["StartTime"] == 1.0
    # Five windows of two seconds.
    assert sidecar["IncompleteHistory"]["Seconds"] == 10.0
    assert sidecar["IncompleteHistory"]["Volumes"] == 5
    epistemic = json.loads(sidecar_path(image_of(output, "desc-epistemic_boldmap")).read_text())
    assert "not estimated" in epistemic["Description"] and "deterministic" in epistemic["Description"]
    assert not nib.load(image_of(output, "desc-epistemic_boldmap")).get_fdata().any()


def test_the_report_shows_what_this_network_received(output: Path) -> None:
    page = (output / "sub-00.html").read_text("utf-8")
    assert "standardised across channels" in page and "arXiv 2203.03481" in page
    assert "minimum-norm" not in page
    (features,) = output.rglob("*desc-features*.svg")
    assert "channel" in features.read_text("utf-8")


def test_numbers_are_those_of_the_network_called_by_hand(output: Path, model: Path, tmp_path: Path) -> None:
    settings = Settings(EXAMPLE, tmp_path, "participant", participant_label=("00",))
    (file,) = select_recordings(settings).recordings
    recording = read_recording(file, settings)
    network = load_bundle(str(model)).network
    spectra = compute_cap_spectra(recording, network.facts, 40)
    windows, _ = spectra.before(recording.clock.onsets_s, 5)
    by_hand = nnx.jit(lambda model, inputs: model(inputs))
    volumes = np.asarray(by_hand(network.network, windows)).reshape(len(windows), -1)
    grid = make_grid(OutputSpace(resolution="4"))
    expected = BASELINE + UNITS_PER_Z * 10 * (make_volume_maps(network, grid).interpolation @ volumes.T)
    written = nib.load(image_of(output, "desc-preproc_bold"))
    step = written.dataobj.slope
    np.testing.assert_allclose(written.get_fdata()[grid.mask], expected, atol=step)
    assert expected.std() > 5 * step


def test_a_network_that_can_be_drawn_from_states_both_uncertainties(bundle, here, res_4, tmp_path: Path) -> None:
    drawn = bundle(CAP, aleatoric=True, decoder_dropout=0.3)
    finished = here(EXAMPLE, tmp_path / "out", "participant", *ONE, *res_4, "--model", drawn)
    assert finished.code == 0, finished.err
    total, aleatoric, epistemic = (
        nib.load(image_of(tmp_path / "out", f"desc-{part}_boldmap")).get_fdata()
        for part in ("total", "aleatoric", "epistemic")
    )
    # The total is a series, the parts are its means over time.
    of_series = np.sqrt(np.square(total).mean(axis=-1))
    brain = of_series > 0
    assert epistemic[brain].min() > 0 and aleatoric[brain].min() > 0
    np.testing.assert_allclose(of_series[brain], np.hypot(aleatoric, epistemic)[brain], rtol=0.01)
    sidecar = json.loads(sidecar_path(image_of(tmp_path / "out", "desc-epistemic_boldmap")).read_text())
    assert "draws from the network's distributions" in sidecar["Description"]


def test_one_missing_channel_is_interpolated(bundle, here, res_4, tmp_path: Path) -> None:
    finished = here(EXAMPLE, tmp_path / "out", "participant", *ONE, *res_4, "--model", bundle((*CAP, "POz")))
    assert finished.code == 0, finished.err
    page = (tmp_path / "out" / "sub-00.html").read_text("utf-8")
    assert "20 channels; interpolated: POz (not recorded)" in page


def test_another_cap_is_refused(bundle, here, res_4, tmp_path: Path) -> None:
    other = bundle((*CAP, "POz", "FCz", "CPz"))
    finished = here(EXAMPLE, tmp_path / "out", "participant", *ONE, *res_4, "--model", other)
    assert finished.code == 65
    assert "Traceback" not in finished.err
    for part in ("3 of the 22 channels", "POz (not recorded)", "neuralfield-sim"):
        assert part in finished.last_words
    assert not list((tmp_path / "out").rglob("*.nii.gz"))
