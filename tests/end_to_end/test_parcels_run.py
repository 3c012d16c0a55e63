"""Parcels beside the images, after them, and instead of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

END = "_space-MNI152NLin2009cAsym_res-4_seg-Schaefer200_"


def table(out: Path, ending: str) -> pd.DataFrame:
    (path,) = out.glob(f"parcels/sub-01/func/*{END}{ending}_timeseries.tsv.gz")
    return pd.read_csv(path, sep="\t", na_values="n/a")


@pytest.fixture(scope="module")
def without_images(tmp_path_factory, short_dataset, here, res_4) -> Path:
    out = tmp_path_factory.mktemp("parcels") / "out"
    assert here(short_dataset, out, "participant", *res_4, "--parcels-only", "--n-samples", 2).code == 0
    return out


def test_without_images_there_are_parcels_tables_and_a_report(without_images: Path):
    out = without_images
    assert not list(out.rglob("*.nii.gz"))
    assert len(table(out, "stat-mean")) == len(table(out, "stat-std")) == 40
    assert len(table(out, "desc-samples")) == 80
    assert len(list(out.glob("sub-01/func/*_desc-confounds_timeseries.tsv"))) == 1
    assert len(list(out.glob("sub-01/func/*_events.tsv"))) == 1
    assert "sub-01" in (out / "sub-01.html").read_text("utf-8")


def test_they_are_done_the_next_time_and_in_the_group_table(without_images: Path, short_dataset, here, res_4, snapshot):
    before = snapshot(without_images)
    again = here(short_dataset, without_images, "participant", *res_4, "--parcels-only")
    assert again.code == 0 and "1 done, 0 stale, 0 to do" in again.out
    assert snapshot(without_images) == before
    assert here(short_dataset, without_images, "group").code == 0
    rows = pd.read_csv(without_images / "group_eeg2fmri.tsv", sep="\t")
    assert list(rows["n_volumes"]) == [40]
    assert rows["total_sd_median"].notna().all()


def test_parcels_are_added_to_finished_images(without_images: Path, tmp_path, short_dataset, here, res_4, payloads):
    out = tmp_path / "out"
    assert here(short_dataset, out, "participant", *res_4).code == 0
    images = payloads(out)
    (sidecar,) = out.glob("sub-01/func/*_desc-preproc_bold.json")
    untouched = sidecar.stat().st_mtime_ns
    added = here(short_dataset, out, "participant", *res_4, "--parcellation", "schaefer200")
    assert added.code == 0 and "1 stale" in added.out
    assert payloads(out) == images and sidecar.stat().st_mtime_ns == untouched
    assert f"{END}stat-mean_timeseries.tsv.gz" in (out / "sub-01.html").read_text("utf-8")
    pd.testing.assert_frame_equal(table(out, "stat-mean"), table(without_images, "stat-mean"))
    pd.testing.assert_frame_equal(table(out, "stat-std"), table(without_images, "stat-std"))
    for options in ((), ("--parcellation", "schaefer200"), ("--parcels-only",)):
        done = here(short_dataset, out, "participant", *res_4, *options)
        assert "1 done, 0 stale, 0 to do" in done.out
    _agree_with_the_image(out, sidecar)


def _agree_with_the_image(out: Path, sidecar: Path) -> None:
    from bids_eeg2fmri.bold.atlas import load_atlas
    from bids_eeg2fmri.bold.grid import make_grid
    from bids_eeg2fmri.settings import OutputSpace

    grid = make_grid(OutputSpace(resolution="4"))
    bold = np.asarray(nib.load(str(sidecar).replace(".json", ".nii.gz")).dataobj)[grid.mask]
    averaged = (load_atlas().averaging_matrix(grid.coordinates_mm) @ bold)[:200].T
    np.testing.assert_allclose(table(out, "stat-mean"), averaged, atol=0.02)


def test_images_stay_beside_parcels_only_unless_they_are_of_other_settings(tmp_path, short_dataset, here, res_4):
    out = tmp_path / "out"
    assert here(short_dataset, out, "participant", *res_4).code == 0
    (image,) = out.glob("sub-01/func/*_desc-preproc_bold.nii.gz")
    vouching = image.with_name(image.name.replace(".nii.gz", ".json"))
    before = image.read_bytes(), vouching.read_bytes()
    assert here(short_dataset, out, "participant", *res_4, "--parcels-only", "--explain", "Vis").code == 0
    assert (image.read_bytes(), vouching.read_bytes()) == before
    # A finished recording gets the page that was asked for.
    assert here(short_dataset, out, "participant", *res_4, "--embed-report").code == 0
    assert "data:image" in (out / "sub-01.html").read_text("utf-8")
    assert here(short_dataset, out, "participant", *res_4, "--parcels-only", "--float32").code == 0
    assert not list(out.glob("sub-01/func/*.nii.gz"))
    assert not vouching.exists()


def test_a_file_that_is_no_parcellation_stops_before_any_work(tmp_path, short_dataset, here, res_4):
    path = tmp_path / "series.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4, 3), np.float32), np.eye(4)), path)
    refused: Any = here(short_dataset, tmp_path / "out", "participant", *res_4, "--parcellation", path)
    assert refused.code == 65
    assert "one 3-D volume is expected" in refused.err
    assert not list((tmp_path / "out").rglob("*bold*"))


def test_the_sidecar_of_the_means_holds_what_that_of_the_bold_would(without_images: Path):
    (path,) = without_images.glob(f"parcels/sub-01/func/*{END}stat-mean_timeseries.json")
    content = json.loads(path.read_text())
    assert {"InputHash", "ModelSHA256", "ConfigHash", "Metrics", "EEG", "Samples", "RandomSeed"} <= set(content)
