"""The scorecard of a recording, the streamed comparison beside it, and the table over people."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest

from bids_eeg2fmri.evaluation import baselines
from bids_eeg2fmri.evaluation.definitions import SCORES
from bids_eeg2fmri.evaluation.nulls import swapped_people
from bids_eeg2fmri.evaluation.online import OnlineComparison
from bids_eeg2fmri.evaluation.recording_scores import score_recording
from bids_eeg2fmri.evaluation.score_table import Entry, ScoreTable
from bids_eeg2fmri.evaluation.scorecard import null_scores, scorecard

PICTURE = {name for name in SCORES if name.startswith(("ssim", "rmse", "psnr"))}


def test_the_best_forecast_scores_what_is_predictable(make_recording, grid):
    recording = make_recording(explained=0.3, n_volumes=300)
    scores = scorecard(recording.forecast, recording.observed, grid, truth=recording.forecast.parcel_mean_z)
    assert scores["voxel_r"] == pytest.approx(np.sqrt(0.3), abs=0.03)
    assert scores["r2"] == pytest.approx(0.3, abs=0.03)
    assert scores["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert scores["parcel_r_truth"] == pytest.approx(1)
    assert scores["parcel_r"] > 0.9
    assert scores.keys() <= SCORES.keys()
    assert scores.keys() >= PICTURE


def test_the_mean_volume_is_zero_by_definition(make_recording, grid):
    observed = make_recording().observed
    scores = scorecard(baselines.mean_volume(observed), observed, grid)
    assert scores["parcel_r"] == scores["voxel_r"] == scores["spatial_r"] == scores["skill"] == 0
    assert scores["crps_ratio"] == pytest.approx(1)
    assert scores["parcel_crps_ratio"] == pytest.approx(1)
    assert scores["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert np.isnan(scores["fc_r"])
    assert scores["ssim"] > 0.9


def test_the_pictures_of_others_score_less_than_the_persons_own(make_recording, grid):
    observed, other = make_recording(0).observed, make_recording(1).observed
    own = scorecard(baselines.person_mean(observed), observed, grid)
    others = scorecard(baselines.mean_volume(observed, other.picture), observed, grid)
    assert others["ssim"] < own["ssim"]
    assert others["voxel_r"] == own["voxel_r"] == 0


def test_points_without_signal_may_be_nan(make_recording, grid):
    recording = make_recording()
    z, valid = recording.observed.z.copy(), recording.observed.valid.copy()
    parcels, parcel_valid = recording.observed.parcel_z.copy(), recording.observed.parcel_valid.copy()
    z[:, 5], valid[5] = np.nan, False
    parcels[:, 2], parcel_valid[2] = np.nan, False
    observed = dataclasses.replace(recording.observed, z=z, valid=valid, parcel_z=parcels, parcel_valid=parcel_valid)
    assert np.isfinite(list(scorecard(recording.forecast, observed, grid).values())).all()
    assert np.isfinite(null_scores(recording.forecast, observed, count=50).phase["voxel_r"]).all()


def test_without_a_picture_there_are_no_published_metrics(make_recording, grid):
    recording = make_recording()
    observed = dataclasses.replace(recording.observed, picture_mean=None)
    assert not PICTURE & scorecard(recording.forecast, observed, grid).keys()


def test_shapes_must_agree(make_recording, grid):
    recording, longer = make_recording(), make_recording(n_volumes=121)
    with pytest.raises(ValueError, match="voxels have shape"):
        scorecard(longer.forecast, recording.observed, grid)


def test_few_pictures_are_nearly_all_pictures(make_recording, grid):
    recording = make_recording()
    few = scorecard(recording.forecast, recording.observed, grid)
    every = scorecard(recording.forecast, recording.observed, grid, max_pictures=None)
    assert few["ssim"] == pytest.approx(every["ssim"], abs=0.002)
    assert few["voxel_r"] == every["voxel_r"]


@pytest.mark.parametrize("size", [7, 64, 200])
def test_streaming_gives_the_scorecard(make_recording, grid, averaging, size):
    recording = make_recording()
    forecast, observed = recording.forecast, recording.observed
    comparison = OnlineComparison(averaging.shape[1], averaging, observed.tr_s)
    for start in range(0, len(observed.z), size):
        block = slice(start, start + size)
        comparison.update(forecast.mean_z[block], forecast.sd_z[block], observed.z[block])
    result = comparison.finish(parcel_sd_z=forecast.parcel_sd_z, seed=3)
    expected = scorecard(forecast, observed, grid)
    for name in expected.keys() - PICTURE:
        assert result.scores[name] == pytest.approx(expected[name], abs=1e-5), name
    null = null_scores(forecast, observed, 3)
    np.testing.assert_allclose(result.null.phase["parcel_r"], null.phase["parcel_r"], atol=1e-5)
    assert result.n_volumes == len(observed.z)
    assert result.scores.keys() <= SCORES.keys()


def test_streaming_leaves_out_what_was_not_observed(make_recording, averaging):
    recording = make_recording()
    forecast, observed = recording.forecast, recording.observed
    gone = np.isin(np.arange(len(observed.z)), [3, 50])
    valid = np.arange(averaging.shape[1]) % 7 != 0
    holes = np.where(gone[:, None] | ~valid, np.nan, observed.z)
    with_holes, without = (OnlineComparison(len(valid), averaging, 2.0, valid=valid) for _ in range(2))
    with_holes.update(forecast.mean_z, forecast.sd_z, holes)
    without.update(forecast.mean_z[~gone], forecast.sd_z[~gone], observed.z[~gone])
    one = with_holes.finish(parcel_sd_z=forecast.parcel_sd_z)
    other = without.finish(parcel_sd_z=forecast.parcel_sd_z[~gone])
    assert one.scores == pytest.approx(other.scores)
    assert one.n_volumes == len(observed.z) - 2
    np.testing.assert_array_equal(np.isnan(one.voxels.r), ~valid)


def test_streaming_averages_valid_voxels_alone(make_recording, averaging):
    observed = make_recording().observed
    valid = np.ones(averaging.shape[1], bool)
    members = averaging.toarray() > 0
    valid[members[0]] = False
    valid[np.flatnonzero(members[1])[:3]] = False
    comparison = OnlineComparison(len(valid), averaging, 2.0, valid=valid)
    comparison.update(observed.z, None, observed.z)
    result = comparison.finish()
    np.testing.assert_allclose(
        result.observed_parcels_z[:, 1], observed.z[:, members[1] & valid].mean(axis=1), atol=1e-6
    )
    assert np.isnan(result.parcel_r[0])
    np.testing.assert_allclose(result.parcel_r[1:], 1, rtol=1e-6)
    assert result.null.n_valid == len(members) - 1
    assert "crps" not in result.scores


def test_streaming_without_a_single_observation_says_nothing(averaging):
    comparison = OnlineComparison(averaging.shape[1], averaging, 2.0)
    volumes = np.zeros((3, averaging.shape[1]), np.float32)
    comparison.update(volumes, volumes + 1, volumes + np.nan)
    result = comparison.finish()
    assert result.n_volumes == 0
    assert np.isnan(list(result.scores.values())).all()
    assert np.isnan(result.parcel_r).all()


@pytest.fixture(scope="module")
def entries(make_recording, grid):
    """Two recordings of one person, one of two others."""
    found = []
    for number, person in enumerate(["01", "01", "02", "03"]):
        recording = make_recording(number)
        found += score_recording(
            person,
            f"run-{number}",
            {"model": recording.forecast},
            recording.observed,
            grid,
            models={"model"},
            truth=recording.forecast.parcel_mean_z,
            max_pictures=1,
        )
    return found


def test_the_table_has_models_baselines_and_nulls(entries):
    table = ScoreTable.of(entries)
    assert table.n_people == 3
    untrained = [baselines.MEAN_VOLUME, baselines.PERSON_MEAN, baselines.PREVIOUS_VOLUME, baselines.NEIGHBOURS]
    assert list(table.rows) == ["model", *untrained]
    assert table.rows["model"]["voxel_r"].low > 0.3
    assert table.rows[baselines.MEAN_VOLUME]["parcel_r"].mean == 0
    nulls = table.null_rows["model: circular shift, null 95 %"]
    assert set(nulls) == {"parcel_r", "parcel_r_truth", "voxel_r"}
    assert nulls["voxel_r"] < 0.1 < table.rows["model"]["voxel_r"].mean
    assert table.rows["model"]["fdr_parcels"].mean == 1


def test_model_and_mean_volume_share_the_training_peoples_picture(make_recording, grid):
    recording, other = make_recording(0), make_recording(1)
    pictures = {"person, own": None, "person, others": other.observed.picture}
    ssim = {
        label: {
            entry.name: entry.scores["ssim"]
            for entry in score_recording(
                "01", "run", {"model": recording.forecast}, recording.observed, grid, models=(), picture=picture
            )
        }
        for label, picture in pictures.items()
    }
    for row in ("model", baselines.MEAN_VOLUME):
        assert ssim["person, others"][row] < ssim["person, own"][row]
    assert ssim["person, others"][baselines.PERSON_MEAN] == ssim["person, own"][baselines.PERSON_MEAN]


def test_recordings_are_averaged_within_people_first(entries):
    table = ScoreTable.of(entries)
    values = [entry.scores["parcel_r"] for entry in entries if entry.name == "model"]
    z = np.arctanh(values)
    expected = np.tanh(np.mean([z[:2].mean(), z[2], z[3]]))
    assert table.rows["model"]["parcel_r"].mean == pytest.approx(expected)
    assert table.rows["model"]["parcel_r"].n_people == 3


def test_the_tables_texts(entries):
    table = ScoreTable.of(entries, {"model": np.linspace(0, 0.1, 101)})
    text = table.markdown(["parcel_r", "fc_r"])
    lines = text.splitlines()
    assert lines[0] == "| | Parcel r | FC similarity |"
    assert any(line.startswith(f"| {baselines.MEAN_VOLUME} | 0.000 [0.000, 0.000] | n/a |") for line in lines)
    assert "| model: swapped people, null 95 % | 0.095 |  |" in lines
    assert {line.count("|") for line in lines} == {4}
    rows = list(csv.DictReader(io.StringIO(table.tsv()), delimiter="\t"))
    assert {row["name"] for row in rows} == {*table.rows, *table.null_rows}
    assert "nan" not in table.tsv()
    stored = json.loads(json.dumps(table.as_json(), allow_nan=False))
    assert stored["rows"][baselines.MEAN_VOLUME]["fc_r"]["mean"] is None
    assert stored["null_95"].keys() == table.null_rows.keys()


def test_one_person_has_no_interval(entries):
    table = ScoreTable.of(entry for entry in entries if entry.person == "02")
    assert "[n/a]" in table.markdown(["parcel_r"])
    assert np.isfinite(table.rows["model"]["parcel_r"].mean)


def test_a_row_without_all_people_says_so(entries):
    extra = Entry("01", "ridge", {"parcel_r": 0.4})
    assert "| ridge | 0.400 [n/a] (1 people) |" in ScoreTable.of([*entries, extra]).markdown(["parcel_r"])


def test_no_table_without_the_mean_volume_the_null_and_definitions(entries):
    with pytest.raises(ValueError, match="mean volume"):
        ScoreTable.of(entry for entry in entries if entry.name != baselines.MEAN_VOLUME)
    with pytest.raises(ValueError, match="cover all people"):
        ScoreTable.of([*entries, Entry("04", "model", {"parcel_r": 0.1})])
    with pytest.raises(ValueError, match="null"):
        ScoreTable.of(dataclasses.replace(entry, null=None) for entry in entries)
    with pytest.raises(ValueError, match="without a definition: made_up"):
        ScoreTable.of([*entries, Entry("01", "model", {"made_up": 1.0})])


def test_the_nulls_of_people_narrow_with_their_number(make_recording, grid):
    def table(n_people):
        found = []
        for person in range(n_people):
            recording, stranger = make_recording(person), make_recording(100 + person)
            observed = recording.observed
            found.append(
                Entry(
                    str(person),
                    "model",
                    scorecard(stranger.forecast, observed, grid, max_pictures=1),
                    null_scores(stranger.forecast, observed, person, count=500),
                )
            )
            found.append(Entry(str(person), baselines.MEAN_VOLUME, {"parcel_r": 0.0}))
        return ScoreTable.of(found)

    few, many = table(2), table(8)
    for name, row in many.null_rows.items():
        assert 0 < row["parcel_r"] < few.null_rows[name]["parcel_r"]
    assert abs(many.rows["model"]["parcel_r"].mean) < 0.05


def test_swapped_people_of_strangers_are_at_zero(make_recording):
    recordings = [make_recording(seed) for seed in range(5)]
    series = [[r.forecast.parcel_mean_z for r in recordings], [r.observed.parcel_z for r in recordings]]
    assert abs(np.median(swapped_people(*series))) < 0.05
