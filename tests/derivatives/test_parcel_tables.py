"""Parcel tables: content, what vouches for them, and a dataset that validators take and readers of regressors miss."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.bold.parcellation import load_parcellation
from bids_eeg2fmri.derivatives.atomic import write_json
from bids_eeg2fmri.derivatives.completeness import RunHashes, input_hash
from bids_eeg2fmri.derivatives.dataset import write_dataset_files
from bids_eeg2fmri.derivatives.encoding import bold_encoding
from bids_eeg2fmri.derivatives.names import output_names, sidecar
from bids_eeg2fmri.derivatives.parcel_names import ParcelNames, ParcelRequest, parcels_are_done
from bids_eeg2fmri.derivatives.parcels import remove_outdated_parcels, write_parcels
from bids_eeg2fmri.derivatives.parcels_dataset import write_parcels_dataset
from bids_eeg2fmri.derivatives.sidecars import RunFacts, bold_sidecar

N_VOLUMES = 6
RNG = np.random.default_rng(0)
MEAN, SD = RNG.standard_normal((N_VOLUMES, 200)), RNG.uniform(0.3, 0.6, (N_VOLUMES, 200))
DRAWS = RNG.standard_normal((2, N_VOLUMES, 200))


@pytest.fixture
def facts(tmp_path, recording_file, recording_of, grid, model) -> RunFacts:
    names = output_names(tmp_path / "out", recording_file, grid)
    hashes = RunHashes(input_hash(recording_file), model.sha256, "config")
    return RunFacts(names, recording_file, recording_of(recording_file), grid, model, hashes)


@pytest.fixture
def request_of_two() -> ParcelRequest:
    return ParcelRequest(load_parcellation("schaefer200"), n_samples=2, seed=5)


@pytest.fixture
def paths(facts, request_of_two) -> ParcelNames:
    """Written tables, with the second parcel empty."""
    description = bold_sidecar(facts, encoding=bold_encoding(), clipped=0, metrics={"n_volumes": N_VOLUMES})
    write_parcels(facts, request_of_two, description, MEAN, SD, DRAWS, np.array([1])).complete()
    return ParcelNames(facts.names, "Schaefer200")


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", na_values="n/a")


def test_values_are_bold_units(paths, request_of_two):
    names = list(request_of_two.parcellation.names)
    mean, sd, draws = read(paths.mean), read(paths.std), read(paths.samples)
    assert list(mean.columns) == list(sd.columns) == names
    assert mean[names[1]].isna().all() and sd[names[1]].isna().all()
    filled = [name for name in names if name != names[1]]
    index = [names.index(name) for name in filled]
    np.testing.assert_allclose(mean[filled], 1000 + 10 * MEAN[:, index], atol=6e-4)
    np.testing.assert_allclose(sd[filled], 10 * SD[:, index], atol=6e-4)
    assert list(draws.columns[:2]) == ["sample", "volume"]
    np.testing.assert_array_equal(draws["sample"], np.repeat([0, 1], N_VOLUMES))
    np.testing.assert_array_equal(draws["volume"], np.tile(np.arange(N_VOLUMES), 2))
    np.testing.assert_allclose(draws[filled], (1000 + 10 * DRAWS[:, :, index]).reshape(-1, len(index)), atol=6e-4)


def test_names_and_places(paths, facts):
    assert paths.mean.relative_to(facts.names.output_dir).as_posix() == (
        "parcels/sub-01/ses-1/func/sub-01_ses-1_task-faces_rec-eeg2fmri_run-1_space-MNI152NLin2009cAsym_res-4"
        "_seg-Schaefer200_stat-mean_timeseries.tsv.gz"
    )
    assert not list(facts.names.func_dir.glob("*seg-*"))
    assert all(path.is_file() for path in (*paths.required, *paths.with_samples))


def test_sidecars_say_what_it_is(paths, facts, request_of_two):
    contents = [json.loads(sidecar(path).read_text()) for path in (paths.mean, paths.std, paths.samples)]
    for content in contents:
        assert content["Synthetic"] is True
        assert "not a measurement" in content["Description"]
        assert content["RepetitionTime"] == 2.0
        assert content["Parcellation"]["SHA256"] == request_of_two.parcellation.sha256
        assert content["Parcellation"]["EmptyParcels"] == [request_of_two.parcellation.names[1]]
        assert content["Sources"][0].startswith("bids:raw:")
    mean, _, samples = contents
    assert mean["Metrics"] == {"n_volumes": N_VOLUMES}
    assert facts.hashes.as_metadata.items() <= mean.items()
    assert "SkullStripped" not in mean and "Slope" not in mean["IntensityScaling"]
    assert (samples["Samples"], samples["RandomSeed"]) == (2, 5)


def test_the_same_values_give_the_same_bytes(paths, facts, request_of_two):
    before = {path: path.read_bytes() for path in (*paths.required, *paths.with_samples)}
    with gzip.open(paths.mean) as stream:
        stream.read()
        assert stream.mtime == 0
    description = bold_sidecar(facts, encoding=bold_encoding(), clipped=0, metrics={"n_volumes": N_VOLUMES})
    write_parcels(facts, request_of_two, description, MEAN, SD, DRAWS, np.array([1])).complete()
    assert before == {path: path.read_bytes() for path in before}


def test_what_is_done(paths, facts, request_of_two, tmp_path):
    def done(request=request_of_two, hashes=facts.hashes) -> bool:
        return parcels_are_done(facts.names, hashes, request)

    assert done() and done(replace(request_of_two, n_samples=0, seed=9))
    assert not done(replace(request_of_two, n_samples=3))
    assert not done(replace(request_of_two, seed=6))
    assert not done(replace(request_of_two, parcellation=replace(request_of_two.parcellation, sha256="other")))
    assert not done(hashes=replace(facts.hashes, input="other"))
    paths.samples.unlink()
    assert not done() and done(replace(request_of_two, n_samples=0))
    paths.std.write_bytes(b"")
    assert not done(replace(request_of_two, n_samples=0))


def test_nothing_vouches_for_tables_that_are_being_written(paths, facts, request_of_two):
    def failing():
        yield DRAWS[0]
        raise OSError("stopped")

    with pytest.raises(Exception, match="stopped"):
        write_parcels(facts, request_of_two, {}, MEAN, SD, failing(), np.array([], int))
    assert not sidecar(paths.mean).exists() and not paths.samples.exists()
    assert not list(paths.mean.parent.glob(".tmp-*"))


def test_draws_of_before_go_when_none_are_asked_for(paths, facts, request_of_two):
    write_parcels(facts, replace(request_of_two, n_samples=0), {}, MEAN, SD, (), np.array([], int)).complete()
    assert not any(path.exists() for path in paths.with_samples)


def test_only_outdated_parcels_are_removed(paths, facts):
    remove_outdated_parcels(facts.names, facts.hashes)
    assert paths.mean.exists()
    other = paths.mean.with_name(paths.mean.name.replace("run-1", "run-2").replace(".tsv.gz", ".json"))
    write_json(other, {})
    remove_outdated_parcels(facts.names, replace(facts.hashes, config="other"))
    assert not any(path.exists() for path in (*paths.required, *paths.with_samples))
    assert other.exists()


@pytest.mark.filterwarnings("ignore")
def test_readers_of_regressors_do_not_find_them_and_validators_accept_them(paths, facts, model, validator_issues):
    from bids import BIDSLayout

    out, raw = facts.names.output_dir, facts.file.root
    write_dataset_files(out, raw, {}, model)
    write_parcels_dataset(out, raw, {}, model, load_parcellation("schaefer200"))
    layout = BIDSLayout(out, validate=False, is_derivative=True)
    assert layout.get(suffix=["timeseries", "regressors"], extension=".tsv") == []
    assert validator_issues(out / "parcels") == []
    # The dataset above has no images here, which is no concern of this test.
    assert not [issue for issue in validator_issues(out) if "parcels" in str(issue.get("location", ""))]
    table = read(out / "parcels/tpl-MNI152NLin2009cAsym/anat/tpl-MNI152NLin2009cAsym_seg-Schaefer200_dseg.tsv")
    assert list(table["index"]) == list(range(1, 201))
    description = json.loads((out / "parcels" / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "bids_eeg2fmri"
