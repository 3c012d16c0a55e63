from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.image import resample_img
from nilearn.maskers import NiftiMasker
from scipy.signal import detrend
from scipy.stats import zscore

from bids_eeg2fmri.bids.bold_file import BoldFile
from bids_eeg2fmri.bids.pairing import pair_with_bold
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.real_bold import RealBold, check_clock, read_real_bold
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.recording import VolumeClock
from bids_eeg2fmri.errors import BadDataError, MissingInputError, UsageError
from bids_eeg2fmri.phantom.cli import main as phantom
from bids_eeg2fmri.settings import OutputSpace, Settings

SMALL = ["--duration-s", "60", "--cap", "19", "--sfreq-hz", "100", "--resolution", "res-4", "--lead-in-s", "5"]
GRID = make_grid(OutputSpace(resolution="4"))
SHAPE, AFFINE = (6, 5, 4), nib.affines.from_matvec(np.diag([-3.0, 3.0, 3.0]), [9.0, -6.0, 0.0])
CENTRES = nib.affines.apply_affine(AFFINE, np.argwhere(np.ones(SHAPE)))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One simulated person for a minute: 30 volumes of 2 s."""
    out = tmp_path_factory.mktemp("phantom") / "data"
    assert phantom([str(out), *SMALL, "--seed", "2"]) == 0
    return out


@pytest.fixture(scope="module")
def preprocessed(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The person's BOLD laid out as fMRIPrep would."""
    root = tmp_path_factory.mktemp("fmriprep")
    func = root / "sub-01" / "func"
    func.mkdir(parents=True)
    stem = func / "sub-01_task-rest"
    space = f"{stem}_space-MNI152NLin2009cAsym_res-4"
    shutil.copy(simulated / "sub-01/func/sub-01_task-rest_bold.nii.gz", f"{space}_desc-preproc_bold.nii.gz")
    brain = GRID.mask.copy()
    brain[: brain.shape[0] // 2] = False
    nib.Nifti1Image(brain.astype(np.uint8), GRID.affine).to_filename(f"{space}_desc-brain_mask.nii.gz")
    sidecar = {"RepetitionTime": 2.0, "StartTime": 0.97, "SliceTimingCorrected": True}
    Path(f"{space}_desc-preproc_bold.json").write_text(json.dumps(sidecar))
    drift = np.random.default_rng(0).standard_normal((30, 2)).cumsum(axis=0)
    table = pd.DataFrame({"trans_x": drift[:, 0], "rot_z": drift[:, 1], "still": 0.0})
    table["trans_x_derivative1"] = table["trans_x"].diff()
    table.to_csv(f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False, na_rep="n/a")
    return root


def make(
    folder: Path, series: np.ndarray, *, tr_s: float = 2.0, unit: str | None = "sec", name: str = "x_bold.nii.gz"
) -> Path:
    image = nib.Nifti1Image(series, AFFINE)
    image.header.set_xyzt_units("mm", unit)
    if series.ndim == 4:
        image.header["pixdim"][4] = tr_s
    image.to_filename(folder / name)
    return folder / name


@pytest.fixture
def series() -> np.ndarray:
    """20 volumes with a mean of 800 and a drift."""
    noise = np.random.default_rng(3).standard_normal((*SHAPE, 20))
    return (800 + 5 * noise + np.arange(20)).astype(np.float32)


def bold(path: Path, **sidecar: object) -> BoldFile:
    return BoldFile(path, "raw", sidecar={"RepetitionTime": 2.0} | sidecar)


# --- a phantom and its preprocessed copy ------------------------------------------------------------------------


def test_a_simulated_person_is_read_where_it_lies(simulated: Path) -> None:
    settings = Settings(simulated, Path("out"), "train")
    ((pair,), without, failures) = vars(pair_with_bold(select_recordings(settings).recordings, settings)).values()
    assert (without, failures) == ((), ())
    real = read_real_bold(pair.bold)
    assert (real.n_volumes, real.tr_s, real.start_time_s) == (30, 2.0, 0.0)
    targets = real.targets(GRID.coordinates_mm)
    image = nib.load(pair.bold.path)
    reference = image.get_fdata()[GRID.mask].T
    assert targets.valid.all()
    np.testing.assert_allclose(targets.mean, reference.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(targets.sd, detrend(reference, axis=0).std(axis=0), rtol=1e-3)
    np.testing.assert_allclose(targets.z, zscore(detrend(reference, axis=0)), atol=2e-3)

    recording = read_recording(pair.eeg, settings)
    clock = check_clock(recording.clock, real, pair.eeg.path)
    assert clock == recording.clock
    assert (clock.n_volumes, clock.first_volume_onset_s) == (30, pytest.approx(5.0))


def test_preprocessed_bold_is_masked_and_freed_of_confounds(simulated: Path, preprocessed: Path) -> None:
    settings = Settings(simulated, Path("out"), "train", derivatives={"fmriprep": preprocessed})
    (pair,) = pair_with_bold(select_recordings(settings).recordings, settings).pairs
    assert pair.bold.dataset == "fmriprep"
    columns = ("trans_x*", "rot_z", "still")
    real = read_real_bold(pair.bold, confound_columns=columns)
    assert real.start_time_s == 0.97
    targets = real.targets(GRID.coordinates_mm)
    right = np.argwhere(GRID.mask)[:, 0] >= GRID.shape[0] // 2
    assert np.array_equal(targets.valid, right)
    assert not targets.z[:, ~right].any() and not targets.sd[~right].any() and not targets.mean[~right].any()

    masker = NiftiMasker(str(pair.bold.mask), standardize="zscore_sample", detrend=True)
    table = pd.read_csv(pair.bold.confounds, sep="\t").fillna(0)
    expected = masker.fit_transform(str(pair.bold.path), confounds=table[["trans_x", "trans_x_derivative1", "rot_z"]])
    np.testing.assert_allclose(targets.z[:, right], expected * np.sqrt(30 / 29), atol=5e-3)


def test_values_between_voxels_are_those_of_nilearn(simulated: Path) -> None:
    path = simulated / "sub-01/func/sub-01_task-rest_bold.nii.gz"
    grid = make_grid(OutputSpace(resolution="3"))
    targets = read_real_bold(bold(path)).targets(grid.coordinates_mm)
    resampled = resample_img(
        nib.load(path), grid.affine, grid.shape, interpolation="linear", copy_header=True, force_resample=True
    )
    expected = resampled.get_fdata()[grid.mask].T
    # The simulated image is 0 outside the brain of its own, coarser grid.
    assert np.array_equal(targets.valid, np.ptp(expected, axis=0) > 0)
    assert targets.valid.mean() > 0.95
    expected = expected[:, targets.valid]
    np.testing.assert_allclose(targets.mean[targets.valid], expected.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(targets.z[:, targets.valid], zscore(detrend(expected, axis=0)), atol=5e-3)


# --- images made by hand ----------------------------------------------------------------------------------------


def test_series_are_detrended_and_standardised(tmp_path: Path, series: np.ndarray) -> None:
    targets = read_real_bold(bold(make(tmp_path, series))).targets(CENTRES)
    rows = series.reshape(-1, 20).T.astype(float)
    np.testing.assert_allclose(targets.z, zscore(detrend(rows, axis=0)), atol=1e-4)
    np.testing.assert_allclose(targets.mean, rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        targets.mean + targets.sd * targets.z, detrend(rows, axis=0) + rows.mean(axis=0), rtol=1e-5
    )
    assert targets.z.dtype == targets.mean.dtype == targets.sd.dtype == np.float32


def test_stored_integers_and_their_scale(tmp_path: Path, series: np.ndarray) -> None:
    image = nib.Nifti1Image(series, AFFINE)
    image.header.set_data_dtype(">i2")
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 2
    image.header.set_slope_inter(0.05, 700)
    image.to_filename(tmp_path / "x_bold.nii")
    stored = nib.load(tmp_path / "x_bold.nii")
    assert stored.dataobj.slope != 1
    targets = read_real_bold(bold(tmp_path / "x_bold.nii")).targets(CENTRES)
    np.testing.assert_allclose(targets.mean, stored.get_fdata().mean(axis=3).ravel(), rtol=1e-6)


def test_points_without_a_series_are_not_valid(tmp_path: Path, series: np.ndarray) -> None:
    series[0, 0, 0] = 0
    series[1, 1, 1, 5] = np.nan
    series[2, 2, 2] = 100 + 3 * np.arange(20)
    mask = np.ones(SHAPE, np.uint8)
    mask[5] = 0
    path = make(tmp_path, series)
    nib.Nifti1Image(mask, AFFINE).to_filename(tmp_path / "mask.nii.gz")
    file = replace(bold(path), mask=tmp_path / "mask.nii.gz")
    points = np.concatenate([CENTRES, [[500.0, 0.0, 0.0]]])
    targets = read_real_bold(file).targets(points)
    expected = np.ones(SHAPE, bool)
    expected[0, 0, 0] = expected[1, 1, 1] = expected[2, 2, 2] = expected[5] = False
    assert np.array_equal(targets.valid, [*expected.ravel(), False])
    assert np.isfinite(targets.z).all() and not targets.z[:, ~targets.valid].any()
    np.testing.assert_allclose(targets.z[:, targets.valid].std(axis=0), 1, rtol=1e-5)


def test_masks_that_do_not_do(tmp_path: Path, series: np.ndarray) -> None:
    path = make(tmp_path, series)
    mask = make(tmp_path, np.ones(SHAPE, np.uint8), name="mask.nii")
    mask.write_bytes(mask.read_bytes()[:-1])
    with pytest.raises(BadDataError, match=r"mask\.nii: 0 of 1 volumes can be read"):
        read_real_bold(replace(bold(path), mask=mask)).targets(CENTRES)
    with pytest.raises(BadDataError, match="a mask of shape"):
        read_real_bold(replace(bold(path), mask=path)).targets(CENTRES)


def test_regression_takes_the_confounds_away(tmp_path: Path, series: np.ndarray) -> None:
    confound = np.random.default_rng(5).standard_normal(20)
    path = make(tmp_path, (series + 40 * confound).astype(np.float32))
    (tmp_path / "c.tsv").write_text("c\n" + "\n".join(map(str, confound)) + "\n")
    file = replace(bold(path), confounds=tmp_path / "c.tsv")
    assert np.abs(confound @ read_real_bold(file).targets(CENTRES).z).min() > 5
    targets = read_real_bold(file, confound_columns=("c",)).targets(CENTRES)
    design = np.column_stack([np.ones(20), np.arange(20), confound])
    rows = nib.load(path).get_fdata().reshape(-1, 20).T
    residual = rows - design @ np.linalg.lstsq(design, rows, rcond=None)[0]
    np.testing.assert_allclose(targets.z, zscore(residual), atol=1e-3)
    np.testing.assert_allclose(targets.sd, residual.std(axis=0), rtol=1e-3)
    with pytest.raises(UsageError, match=r"no confound named rot_x\. The table has: c"):
        read_real_bold(file, confound_columns=("rot_x",))
    with pytest.raises(UsageError, match="there is no confounds table beside it"):
        read_real_bold(bold(path), confound_columns=("c",))


# --- time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sidecar", "start_time_s"),
    [
        ({}, 0.0),
        ({"SliceTimingCorrected": False}, 0.0),
        ({"SliceTimingCorrected": True}, 1.0),
        ({"SliceTimingCorrected": True, "StartTime": 0.985}, 0.985),
        ({"StartTime": 0}, 0.0),
    ],
)
def test_instant_that_a_volume_stands_for(
    tmp_path: Path, series: np.ndarray, sidecar: dict[str, object], start_time_s: float
) -> None:
    assert read_real_bold(bold(make(tmp_path, series), **sidecar)).start_time_s == start_time_s


@pytest.mark.parametrize(
    ("tr_s", "unit"), [(2.0, "sec"), (2000.0, "msec"), (2.0009, "sec"), (1.0, "unknown"), (0.0, "sec")]
)
def test_header_and_sidecar_agree_or_the_header_says_nothing(
    tmp_path: Path, series: np.ndarray, tr_s: float, unit: str
) -> None:
    assert read_real_bold(bold(make(tmp_path, series, tr_s=tr_s, unit=unit))).tr_s == 2.0


def test_the_header_steps_in_for_a_missing_sidecar(tmp_path: Path, series: np.ndarray) -> None:
    path = make(tmp_path, series, tr_s=2160.0, unit="msec")
    assert read_real_bold(BoldFile(path, "raw")).tr_s == pytest.approx(2.16)


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ({"RepetitionTime": 2.2}, r"header says a repetition time of 2 s, the sidecar 2\.2 s"),
        ({"RepetitionTime": "2"}, "'2', not a number"),
        ({"RepetitionTime": 0}, "no constant repetition time"),
        ({"StartTime": 2.5}, r"StartTime of 2\.5 s is not within the repetition time of 2 s"),
        ({"Synthetic": True}, "no measurement"),
    ],
)
def test_sidecars_that_do_not_do(tmp_path: Path, series: np.ndarray, sidecar: dict[str, object], message: str) -> None:
    with pytest.raises(BadDataError, match=message):
        read_real_bold(bold(make(tmp_path, series), **sidecar))


def test_no_repetition_time_at_all(tmp_path: Path, series: np.ndarray) -> None:
    with pytest.raises(BadDataError, match="no constant repetition time"):
        read_real_bold(BoldFile(make(tmp_path, series, unit="unknown"), "raw", sidecar={"VolumeTiming": [0, 2, 5]}))


# --- images that do not do --------------------------------------------------------------------------------------


def test_images_of_the_wrong_kind(tmp_path: Path, series: np.ndarray) -> None:
    with pytest.raises(BadDataError, match=r"shape \(6, 5, 4\)"):
        read_real_bold(bold(make(tmp_path, series[..., 0])))
    with pytest.raises(BadDataError, match=r"shape \(6, 5, 4, 9\)"):
        read_real_bold(bold(make(tmp_path, series[..., :9])))
    with pytest.raises(BadDataError, match="no measurement"):
        read_real_bold(bold(make(tmp_path, series, name="sub-01_task-rest_rec-eeg2fmri_bold.nii.gz")))
    with pytest.raises(BadDataError, match="real numbers"):
        read_real_bold(bold(make(tmp_path, series.astype(np.complex64))))
    image = nib.Nifti1Image(series, None)
    image.to_filename(tmp_path / "nowhere.nii.gz")
    with pytest.raises(BadDataError, match="no position in space"):
        read_real_bold(bold(tmp_path / "nowhere.nii.gz"))
    (tmp_path / "text.nii.gz").write_text("no image")
    with pytest.raises(BadDataError, match="not a readable image"):
        read_real_bold(bold(tmp_path / "text.nii.gz"))
    with pytest.raises(MissingInputError):
        read_real_bold(bold(tmp_path / "absent.nii.gz"))


@pytest.mark.parametrize("name", ["x_bold.nii", "x_bold.nii.gz"])
def test_a_truncated_image(tmp_path: Path, series: np.ndarray, name: str) -> None:
    path = make(tmp_path, series, name=name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    real = read_real_bold(bold(path))
    with pytest.raises(BadDataError, match=r"\d+ of 20 volumes can be read"):
        real.targets(CENTRES)


def test_a_compressed_image_with_too_few_volumes(tmp_path: Path, series: np.ndarray) -> None:
    path = make(tmp_path, series)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    with pytest.raises(BadDataError, match="19 of 20 volumes can be read"):
        read_real_bold(bold(path)).targets(CENTRES)


def test_damaged_compression(tmp_path: Path, series: np.ndarray) -> None:
    path = make(tmp_path, series)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(BadDataError, match="of 20 volumes can be read"):
        read_real_bold(bold(path)).targets(CENTRES)


def test_an_image_that_does_not_vary(tmp_path: Path) -> None:
    path = make(tmp_path, np.full((*SHAPE, 20), 700.3, np.float32))
    with pytest.raises(BadDataError, match="does not vary over its 20 volumes"):
        read_real_bold(bold(path)).targets(CENTRES)


def test_an_image_elsewhere(tmp_path: Path, series: np.ndarray) -> None:
    with pytest.raises(BadDataError, match="none of 120 points"):
        read_real_bold(bold(make(tmp_path, series))).targets(CENTRES + 1000)


# --- the clock of the EEG ---------------------------------------------------------------------------------------

EEG = Path("sub-01_task-rest_eeg.vhdr")


def image(n_volumes: int = 150, tr_s: float = 2.0, discarded: tuple[int, ...] = ()) -> RealBold:
    return RealBold(Path("sub-01_bold.nii.gz"), tr_s, n_volumes, 0.0, np.eye(4), SHAPE, discarded=discarded)


def markers(n_volumes: int = 150, tr_s: float = 2.0, missing: tuple[int, ...] = ()) -> VolumeClock:
    return VolumeClock(12.5, tr_s, n_volumes, "markers: R128", missing)


@pytest.mark.parametrize("tr_s", [2.0, 2.0019, 1.9981])
def test_clocks_that_agree(tr_s: float) -> None:
    assert check_clock(markers(tr_s=tr_s), image(), EEG) == markers(tr_s=tr_s)


@pytest.mark.parametrize(
    ("clock", "numbers"),
    [
        (markers(151), "151 volumes every 2 s by the EEG's markers: R128, 150 every 2 s"),
        (markers(148), "148 volumes every 2 s by the EEG's markers: R128, 150 every 2 s"),
        (markers(tr_s=2.1), r"150 volumes every 2\.1 s by the EEG's markers: R128, 150 every 2 s"),
    ],
)
def test_clocks_that_disagree_are_refused_with_the_numbers(clock: VolumeClock, numbers: str) -> None:
    with pytest.raises(BadDataError, match=numbers) as caught:
        check_clock(clock, image(), EEG)
    assert caught.value.path == EEG
    assert "sub-01_bold.nii.gz" in caught.value.problem


def test_discarded_volumes_are_left_out_of_the_clock(tmp_path: Path, series: np.ndarray) -> None:
    stated = {"NumberOfVolumesDiscardedByUser": 2, "NumberOfVolumesDiscardedByScanner": 3}
    assert read_real_bold(bold(make(tmp_path, series), **stated)).discarded == (2, 3, 5)
    clock = check_clock(markers(155, missing=(1, 60)), image(discarded=(2, 3, 5)), EEG)
    assert clock == VolumeClock(22.5, 2.0, 150, "markers: R128, without 5 discarded volumes", (55,))
    with pytest.raises(BadDataError):
        check_clock(markers(151), image(discarded=(2, 3, 5)), EEG)


def test_an_assumed_clock_takes_that_of_the_image(caplog: pytest.LogCaptureFixture) -> None:
    assumed = VolumeClock(0.0, 2.0, 151, "assumed: no volume markers")
    clock = check_clock(assumed, image(138, 2.16), EEG)
    assert (clock.first_volume_onset_s, clock.tr_s, clock.n_volumes) == (0.0, 2.16, 138)
    assert clock.source.startswith("assumed: no volume markers; ")
    assert "it is assumed that the first of 138 volumes (every 2.16 s" in caplog.text
    with pytest.raises(BadDataError, match=r"too short for 150 volumes every 2\.16 s"):
        check_clock(assumed, image(150, 2.16), EEG)
    assert check_clock(assumed, image(), EEG, duration_s=298.5).n_volumes == 150
    with pytest.raises(BadDataError, match=r"the EEG of 298 s"):
        check_clock(assumed, image(), EEG, duration_s=298.0)
