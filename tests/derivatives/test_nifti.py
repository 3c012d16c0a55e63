"""Streamed images read back with nibabel."""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from bids_eeg2fmri.bold.grid import Grid
from bids_eeg2fmri.derivatives.encoding import MASK, Encoding, bold_encoding, sd_encoding, total_sd_encoding
from bids_eeg2fmri.derivatives.nifti import nifti_writer, write_map
from bids_eeg2fmri.errors import BadDataError


@pytest.fixture(scope="module")
def small() -> Grid:
    """An irregular mask on a grid with three different edges and an oblique affine."""
    rng = np.random.default_rng(0)
    shape = (5, 7, 9)
    affine = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.1, 0.2) @ np.diag([-3, 3, 4]), [10, -20, 30])
    return Grid(affine, shape, rng.integers(0, 4, shape).astype(np.uint8), None)


@pytest.fixture(scope="module")
def series_z(small: Grid) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((11, len(small.tissue))).astype(np.float32)


def write(path: Path, grid: Grid, encoding: Encoding, values: np.ndarray, cuts=(4, 9), threads: int = 1) -> int:
    with nifti_writer(path, grid, encoding, n_volumes=len(values), tr_s=2.16, threads=threads) as writer:
        for block in np.split(values, cuts):
            writer.write(block)
    return writer.clipped


@pytest.mark.parametrize("float32", [False, True])
def test_bold_round_trip(tmp_path: Path, small: Grid, series_z: np.ndarray, float32: bool):
    encoding = bold_encoding(float32)
    assert write(tmp_path / "bold.nii.gz", small, encoding, series_z) == 0
    image = nib.load(tmp_path / "bold.nii.gz")
    assert image.shape == (*small.shape, 11)
    assert image.get_data_dtype() == np.dtype(encoding.dtype)
    for precision in (np.float32, np.float64):
        data = np.asarray(image.get_fdata(dtype=precision, caching="unchanged"))
        tolerance = 1e-4 if float32 else encoding.slope / 2 + 1e-4
        np.testing.assert_allclose(data[small.mask].T, 1000 + 10 * series_z, atol=tolerance)
        assert (data[~small.mask] == 0).all()  # exactly


def test_sd_round_trip(tmp_path: Path, small: Grid, series_z: np.ndarray):
    encoding, sd_z = sd_encoding(), np.abs(series_z)
    write(tmp_path / "sd.nii.gz", small, encoding, sd_z)
    data = nib.load(tmp_path / "sd.nii.gz").get_fdata()
    np.testing.assert_allclose(data[small.mask].T, 10 * sd_z, atol=encoding.slope / 2 + 1e-5)
    assert (data[~small.mask] == 0).all()


def test_a_map_and_a_mask_are_three_dimensional(tmp_path: Path, small: Grid, series_z: np.ndarray):
    write_map(tmp_path / "map.nii.gz", small, sd_encoding(True), series_z[0])
    write_map(tmp_path / "mask.nii.gz", small, MASK, np.ones(len(small.tissue)))
    image, mask = nib.load(tmp_path / "map.nii.gz"), nib.load(tmp_path / "mask.nii.gz")
    np.testing.assert_allclose(image.get_fdata()[small.mask], 10 * series_z[0], rtol=1e-6)
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(mask.dataobj), small.mask)


def test_the_header_says_space_time_and_synthetic(tmp_path: Path, small: Grid, series_z: np.ndarray):
    write(tmp_path / "bold.nii.gz", small, bold_encoding(), series_z)
    image = nib.load(tmp_path / "bold.nii.gz")
    header = image.header
    np.testing.assert_allclose(image.affine, small.affine, rtol=1e-6)
    np.testing.assert_allclose(header.get_qform(), small.affine, atol=1e-4)
    assert header["sform_code"] == header["qform_code"] == 4
    assert header.get_xyzt_units() == ("mm", "sec")
    assert header.get_zooms()[3] == pytest.approx(2.16)
    assert header["descrip"].item().decode().startswith("SYNTHETIC BOLD bids_eeg2fmri v")
    assert (image.dataobj.slope, image.dataobj.inter) == (0.01953125, 640)


@pytest.mark.parametrize(
    "encoding", [bold_encoding(), total_sd_encoding(), sd_encoding(), MASK], ids=["bold", "total", "sd", "mask"]
)
def test_zero_is_exact_in_both_precisions(encoding: Encoding):
    stored = np.array([encoding.outside]).astype(encoding.dtype)
    for precision in (np.float32, np.float64):
        assert stored.astype(precision) * precision(encoding.slope) + precision(encoding.intercept) == 0
    assert np.float32(encoding.slope) == encoding.slope


def test_clipped_values_are_counted_and_never_look_like_the_outside(tmp_path: Path, small: Grid, series_z: np.ndarray):
    wild = series_z.copy()
    wild[3, :2] = -1000, 1000
    assert write(tmp_path / "bold.nii.gz", small, bold_encoding(), wild) == 2
    data = nib.load(tmp_path / "bold.nii.gz").get_fdata()[small.mask].T
    lowest, highest = bold_encoding().range_units
    np.testing.assert_allclose(data[3, :2], [lowest, highest])
    assert lowest > 0


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_missing_number_is_refused_and_nothing_appears(
    tmp_path: Path, small: Grid, series_z: np.ndarray, number: float
):
    broken = series_z.copy()
    broken[6, 3] = number
    for encoding in (bold_encoding(), bold_encoding(True)):
        with pytest.raises(BadDataError, match="not numbers"):
            write(tmp_path / "bold.nii.gz", small, encoding, broken)
    assert not list(tmp_path.iterdir())


def test_bytes_depend_on_the_values_alone(tmp_path: Path, grid: Grid):
    values = np.random.default_rng(2).standard_normal((5, len(grid.tissue))).astype(np.float32)
    first, second = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    write(first, grid, bold_encoding(), values, cuts=(2,))
    write(second, grid, bold_encoding(), values, cuts=(1, 2, 3), threads=2)
    assert first.read_bytes() == second.read_bytes()
    gzip_flags, gzip_time = first.read_bytes()[3], first.read_bytes()[4:8]
    assert gzip_flags == 0  # no file name
    assert gzip_time == bytes(4)
    assert len(gzip.decompress(first.read_bytes())) == 352 + grid.mask.size * 5 * 2


def test_too_few_or_too_many_volumes_leave_nothing(tmp_path: Path, small: Grid, series_z: np.ndarray):
    for announced in (10, 12):
        with (
            pytest.raises(ValueError, match="announced"),
            nifti_writer(tmp_path / "x.nii.gz", small, bold_encoding(), n_volumes=announced, tr_s=2) as writer,
        ):
            writer.write(series_z)
    assert not list(tmp_path.iterdir())


def test_more_volumes_than_a_header_can_say_are_refused(tmp_path: Path, small: Grid):
    with (
        pytest.raises(BadDataError, match="32767"),
        nifti_writer(tmp_path / "x.nii.gz", small, bold_encoding(), n_volumes=32768, tr_s=2),
    ):
        pass
    huge = replace(small, shape=(40000, 1, 1), dseg=np.zeros((40000, 1, 1), np.uint8))
    with pytest.raises(BadDataError, match="32767"):
        write_map(tmp_path / "x.nii.gz", huge, MASK, np.zeros(0))
    assert not list(tmp_path.iterdir())


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from bids_eeg2fmri.bold.grid import Grid
from bids_eeg2fmri.derivatives.encoding import bold_encoding
from bids_eeg2fmri.derivatives.nifti import nifti_writer
from bids_eeg2fmri.errors import WriteError
grid = Grid(np.eye(4), (50, 50, 50), np.ones((50, 50, 50), np.uint8), None)
values = np.random.default_rng(0).standard_normal((10, 125_000)).astype(np.float32)
for limit in (0, 500_000, 6_000_000):
    for threads in (1, 2):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            with nifti_writer(Path(sys.argv[1]), grid, bold_encoding(), n_volumes=50, threads=threads) as writer:
                for _ in range(5):
                    writer.write(values)
        except WriteError as error:
            print(error.exit_code, error)
"""


def test_a_full_disk_is_said_and_nothing_appears(tmp_path: Path):
    path = tmp_path / "bold.nii.gz"
    path.write_bytes(b"what was there")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert not done.stderr
    messages = done.stdout.splitlines()
    assert len(messages) == 6
    for message in messages:
        assert message.startswith(f"74 {path}: the disk or its quota is full")
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]
