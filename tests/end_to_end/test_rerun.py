"""Starting again: what is done stays, what is out of date is redone, and one directory holds one model."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bids_eeg2fmri.derivatives.names import sidecar as sidecar_path
from bids_eeg2fmri.network.bundle_files import find_bundle

LABEL = "sub-01_task-blocks"


@dataclass(frozen=True)
class Pair:
    """A dataset and its finished output, both free to be changed."""

    bids: Path
    out: Path

    @property
    def bold(self) -> Path:
        (path,) = self.out.rglob("*_desc-preproc_bold.nii.gz")
        return path

    @property
    def sidecar(self) -> dict:
        return json.loads(sidecar_path(self.bold).read_text())


@pytest.fixture(scope="module")
def first_run(short_dataset: Path, here, res_4, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("first")
    pair = Pair(folder / "ds", folder / "out")
    shutil.copytree(short_dataset, pair.bids, ignore=shutil.ignore_patterns("derivatives", "func"))
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert finished.code == 0, finished.err
    return pair


@pytest.fixture
def pair(first_run: Pair, tmp_path: Path) -> Pair:
    """Copies that keep the times of change."""
    copied = Pair(tmp_path / "ds", tmp_path / "out")
    shutil.copytree(first_run.bids, copied.bids)
    shutil.copytree(first_run.out, copied.out)
    return copied


def test_a_second_run_does_nothing(first_run: Pair, here, res_4, snapshot) -> None:
    before = snapshot(first_run.out)
    finished = here(first_run.bids, first_run.out, "participant", *res_4)
    assert finished.code == 0
    assert finished.table == {LABEL: ("done", "")}
    assert "1 done, 0 stale, 0 to do" in finished.out
    assert snapshot(first_run.out) == before


def test_overwrite_makes_the_same_bytes(pair: Pair, here, res_4, snapshot, payloads) -> None:
    times, images = snapshot(pair.out), payloads(pair.out)
    finished = here(pair.bids, pair.out, "participant", *res_4, "--overwrite")
    assert finished.table == {LABEL: ("written", "")}
    assert payloads(pair.out) == images
    assert all(snapshot(pair.out)[name][0] > times[name][0] for name in images)


def test_what_one_changed_channel_makes_stale_is_redone(pair: Pair, here, res_4, payloads) -> None:
    before, hashed = payloads(pair.out), pair.sidecar["InputHash"]
    (channels,) = pair.bids.rglob("*_channels.tsv")
    channels.write_text(channels.read_text().replace("\tgood\t", "\tbad\t", 1))
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert "0 done, 1 stale, 0 to do" in finished.out
    assert finished.table == {LABEL: ("written", "")}
    assert pair.sidecar["InputHash"] != hashed
    assert list(pair.sidecar["EEG"]["ChannelsBad"]) == ["Fp1"]
    image = str(pair.bold.relative_to(pair.out))
    assert payloads(pair.out)[image] != before[image]


def test_a_lost_file_is_made_again(pair: Pair, here, res_4, payloads) -> None:
    before = payloads(pair.out)
    (lost,) = pair.out.rglob("*_desc-total_boldmap.nii.gz")
    lost.unlink()
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert finished.table == {LABEL: ("written", "")}
    assert payloads(pair.out) == before


def test_a_damaged_input_leaves_the_old_output_alone(pair: Pair, here, res_4, snapshot) -> None:
    before = snapshot(pair.out)
    (signals,) = pair.bids.rglob("*_eeg.eeg")
    signals.write_bytes(signals.read_bytes()[:200_001])
    assert here(pair.bids, pair.out, "participant", *res_4).code == 65
    after = snapshot(pair.out)
    assert {name for name in before if before[name] != after[name]} <= {"dataset_description.json", "sub-01.html"}
    assert "truncated" in (pair.out / "sub-01.html").read_text("utf-8")


def test_a_run_that_ended_between_two_images_is_not_taken_for_done(pair: Pair, here, res_4, payloads) -> None:
    before = payloads(pair.out)
    (reference,) = pair.out.rglob("*_boldref.nii.gz")
    content = reference.read_bytes()
    reference.unlink()
    reference.mkdir()
    stopped = here(pair.bids, pair.out, "participant", *res_4, "--float32")
    assert stopped.code == 73
    assert "_boldref.nii.gz" in stopped.last_words
    reference.rmdir()
    reference.write_bytes(content)
    assert payloads(pair.out) != before
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert finished.table == {LABEL: ("written", "")}
    assert payloads(pair.out) == before


def test_less_memory_changes_no_value_by_more_than_a_step(pair: Pair, here, res_4) -> None:
    image = nib.load(pair.bold)
    before, step = image.get_fdata(), image.dataobj.slope
    assert here(pair.bids, pair.out, "participant", *res_4, "--low-mem", "--overwrite").code == 0
    assert np.abs(nib.load(pair.bold).get_fdata() - before).max() <= 1.01 * step


def test_only_the_reports(pair: Pair, here, res_4, snapshot) -> None:
    (pair.out / "sub-01.html").unlink()
    before = snapshot(pair.out)
    finished = here(pair.bids, pair.out, "participant", *res_4, "--reports-only")
    assert finished.code == 0
    after = snapshot(pair.out)
    assert set(after) - set(before) == {"sub-01.html"}
    assert {name: after[name] for name in before} == before


def copy_of_the_model(folder: Path) -> Path:
    return Path(shutil.copytree(find_bundle("neuralfield-sim"), folder))


def rewrite(bundle: Path, **entries: object) -> None:
    path = bundle / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_a_second_model_is_refused_where_the_first_has_written(pair: Pair, here, res_4, snapshot) -> None:
    bundle = copy_of_the_model(pair.out.with_name("other-model"))
    weights = load_file(bundle / "model.safetensors")
    weights["linear"] = weights["linear"] * 2
    save_file(weights, bundle / "model.safetensors")
    digest = sha256((bundle / "model.safetensors").read_bytes()).hexdigest()
    rewrite(bundle, name="other", version="9.9", sha256=digest)
    before = snapshot(pair.out)
    finished = here(pair.bids, pair.out, "participant", *res_4, "--model", bundle)
    assert finished.code == 64
    first = pair.sidecar
    for part in (str(pair.out), f"{first['ModelName']} {first['ModelVersion']}", "other 9.9", "another output"):
        assert part in finished.last_words
    assert snapshot(pair.out) == before
    elsewhere = pair.out.with_name("elsewhere")
    assert here(pair.bids, elsewhere, "participant", *res_4, "--model", bundle).code == 0
    assert Pair(pair.bids, elsewhere).sidecar["ModelSHA256"] == digest


def corrupt(bundle: Path) -> str:
    path = bundle / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return "sha256 differs"


def cut_off(bundle: Path) -> str:
    path = bundle / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    rewrite(bundle, sha256=sha256(path.read_bytes()).hexdigest())
    return "do not fit"


def foreign_format(bundle: Path) -> str:
    rewrite(bundle, format="somebody-elses/3")
    return "not a bundle of this program"


def other_network(bundle: Path) -> str:
    rewrite(bundle, hyperparameters=json.loads((bundle / "model.json").read_text())["hyperparameters"] | {"n_maps": 3})
    return "do not fit"


def weights_left_behind(bundle: Path) -> str:
    (bundle / "model.safetensors").unlink()
    return "no model.safetensors"


def no_json(bundle: Path) -> str:
    (bundle / "model.json").write_text("{")
    return "broken JSON"


def a_list(bundle: Path) -> str:
    (bundle / "model.json").write_text("[]")
    return "holds a list, not an object"


def targets_left_out(bundle: Path) -> str:
    rewrite(bundle, targets={})
    return "start_time_s"


@pytest.mark.parametrize(
    "damage",
    [corrupt, cut_off, foreign_format, other_network, weights_left_behind, no_json, a_list, targets_left_out],
    ids=lambda damage: damage.__name__,
)
def test_a_bundle_that_is_corrupt_or_foreign(short_dataset: Path, here, tmp_path: Path, damage) -> None:
    bundle = copy_of_the_model(tmp_path / "bundle")
    says = damage(bundle)
    finished = here(short_dataset, tmp_path / "out", "participant", "--model", bundle)
    assert finished.code == 65
    assert str(bundle) in finished.last_words and says in finished.last_words
    assert "Traceback" not in finished.out + finished.err
    assert not (tmp_path / "out").exists()
