from __future__ import annotations

import json
import warnings
from pathlib import Path

import mne
import numpy as np
import pytest

from bids_eeg2fmri.eeg.head_frame import RawPositions, to_head_frame
from bids_eeg2fmri.eeg.montage import place_electrodes
from bids_eeg2fmri.eeg.names import parse_names
from bids_eeg2fmri.eeg.standard_montage import standard_positions, suggest_montages
from bids_eeg2fmri.errors import BadDataError, UsageError

VHDR = Path("x.vhdr")


def raw_of(names: list[str], positions=None) -> mne.io.RawArray:
    raw = mne.io.RawArray(np.zeros((len(names), 100)), mne.create_info(names, 100.0, "eeg"), verbose="ERROR")
    if positions is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw.set_montage(mne.channels.make_dig_montage(positions, coord_frame="head"))
    return raw


def place(names: list[str], raw=None, **options):
    return place_electrodes(parse_names(names), raw or raw_of(names), path=VHDR, **options)


def rotation(seed: int) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    return q * np.sign(np.linalg.det(q))


def write_table(folder: Path, names: list[str], points: np.ndarray, **system) -> dict[str, Path]:
    table, sidecar = folder / "electrodes.tsv", folder / "coordsystem.json"
    lines = [f"{name}\t{x:.6f}\t{y:.6f}\t{z:.6f}" for name, (x, y, z) in zip(names, points, strict=True)]
    table.write_text("name\tx\ty\tz\n" + "\n".join(lines) + "\nREF\tn/a\tn/a\tn/a\n")
    sidecar.write_text(json.dumps(system))
    return {"electrodes_tsv": table, "coordsystem_json": sidecar}


def test_standard_montage_is_mnes(cap: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        standard_positions.cache_clear()
        placement = place(cap)
    raw = raw_of(cap)
    name = "colin27_1005" if "colin27_1005" in mne.channels.get_builtin_montages() else "standard_1005"
    raw.set_montage(name)
    assert placement.source == "standard_1005"
    for channel in raw.info["chs"]:
        np.testing.assert_allclose(placement.positions_m[channel["ch_name"]], channel["loc"][:3], atol=1e-6)


def test_both_names_of_one_montage() -> None:
    old, new = standard_positions("standard_1005"), standard_positions("colin27_1005")
    assert set(old) == set(new)
    assert all(np.array_equal(old[name], new[name]) for name in old)
    with pytest.raises(UsageError, match="no standard montage"):
        standard_positions("my_cap")


def test_unknown_channels_stay_without_position(cap: list[str]) -> None:
    placement = place([*cap, "O9", "O10"])
    assert set(placement.positions_m) == set(cap)


def test_too_few_are_refused_with_the_list_and_a_montage_that_knows_them() -> None:
    with pytest.raises(BadDataError, match=r"E1, E2") as caught:
        place([f"E{i}" for i in range(1, 129)])
    assert "GSN-HydroCel-128" in str(caught.value.remedy)
    assert "GSN-HydroCel-128" in suggest_montages([f"E{i}" for i in range(1, 129)])
    placement = place([f"E{i}" for i in range(1, 129)], montage="GSN-HydroCel-128")
    assert placement.source == "GSN-HydroCel-128"
    assert len(placement.positions_m) == 128


def test_digitised_positions_with_landmarks(tmp_path: Path, cap: list[str]) -> None:
    # A head that was turned and shifted in the digitiser's frame, in millimetres.
    standard = standard_positions("standard_1005")
    head = 1.07 * np.array([standard[name] for name in cap])
    landmarks = np.array([[0, 0.1, 0], [-0.08, 0, 0], [0.08, 0, 0]])
    turn, shift = rotation(3), np.array([0.02, -0.4, 0.1])
    files = write_table(
        tmp_path,
        cap,
        1e3 * (head @ turn.T + shift),
        EEGCoordinateSystem="Other",
        EEGCoordinateUnits="mm",
        AnatomicalLandmarkCoordinateSystem="Other",
        AnatomicalLandmarkCoordinateUnits="mm",
        AnatomicalLandmarkCoordinates=dict(
            zip(("NAS", "LPA", "RPA"), (1e3 * (landmarks @ turn.T + shift)).tolist(), strict=True)
        ),
    )
    placement = place(cap, montage=None, **files)
    assert placement.source == "electrodes.tsv"
    assert placement.warnings == ()
    np.testing.assert_allclose([placement.positions_m[name] for name in cap], head, atol=1e-5)


@pytest.mark.parametrize("unit", ["mm", "cm", "m", "n/a"])
def test_without_landmarks_positions_are_fitted_by_name(tmp_path: Path, cap: list[str], unit: str) -> None:
    standard = np.array([standard_positions("standard_1005")[name] for name in cap])
    per_metre = {"mm": 1e3, "cm": 1e2, "m": 1.0, "n/a": 1e3}[unit]
    points = per_metre * (standard @ rotation(5).T + 0.3)
    placement = place(cap, **write_table(tmp_path, cap, points, EEGCoordinateSystem="Other", EEGCoordinateUnits=unit))
    assert placement.source == "electrodes.tsv"
    assert "fitted" in placement.warnings[-1]
    np.testing.assert_allclose([placement.positions_m[name] for name in cap], standard, atol=1e-5)


def test_wrong_unit_is_noticed(tmp_path: Path, cap: list[str]) -> None:
    standard = np.array([standard_positions("standard_1005")[name] for name in cap])
    files = write_table(tmp_path, cap, 1e3 * standard, EEGCoordinateSystem="CapTrak", EEGCoordinateUnits="m")
    placement = place(cap, **files)
    assert "fit no human head" in placement.warnings[0]
    np.testing.assert_allclose(placement.positions_m["Cz"], standard[cap.index("Cz")], atol=1e-5)


LANDMARKS_M = np.array([[0, 0.1, 0], [-0.08, 0, 0], [0.08, 0, 0]])


def measured(landmarks_m: np.ndarray) -> dict[str, object]:
    """A coordinate system in metres with landmarks."""
    return {
        "EEGCoordinateSystem": "Other",
        "EEGCoordinateUnits": "m",
        "AnatomicalLandmarkCoordinates": dict(zip(("NAS", "LPA", "RPA"), landmarks_m.tolist(), strict=True)),
    }


def test_cells_of_a_biosemi_cap_are_no_electrodes_of_the_standard_montage(tmp_path: Path) -> None:
    sphere = standard_positions("biosemi128")
    names = list(sphere)
    head = np.array(list(sphere.values())) * [0.9, 1.1, 1.0]
    turn, shift = rotation(3), np.array([0.1, -0.2, 0.3])
    table = write_table(tmp_path, names, head @ turn.T + shift, **measured(LANDMARKS_M @ turn.T + shift))
    placement = place(names, **table)
    assert placement.source == "electrodes.tsv" and placement.warnings == ()
    np.testing.assert_allclose([placement.positions_m[name] for name in names], head, atol=1e-5)
    for montage in (None, "standard_1005", "standard_1020"):
        with pytest.raises(BadDataError, match="Only 0 electrodes") as caught:
            place(names, montage=montage)
        assert "biosemi128" in caught.value.remedy
    assert len(place(names, montage="biosemi128").positions_m) == 128


def test_a_small_head_is_fitted_and_the_landmarks_are_told(tmp_path: Path, cap: list[str]) -> None:
    template = standard_positions("standard_1005")
    head = np.array([template[name] for name in cap])
    table = write_table(tmp_path, cap, 0.6 * head, **measured(0.6 * LANDMARKS_M))
    placement = place(cap, **table)
    (warning,) = placement.warnings
    assert "landmarks that put its electrodes 4." in warning and "fitted to the standard montage" in warning
    np.testing.assert_allclose([placement.positions_m[name] for name in cap], head, atol=1e-5)


def test_mirrored_positions_are_not_used(tmp_path: Path, cap: list[str]) -> None:
    standard = np.array([standard_positions("standard_1005")[name] for name in cap])
    files = write_table(tmp_path, cap, standard * [-1, 1, 1], EEGCoordinateSystem="Other", EEGCoordinateUnits="m")
    placement = place(cap, **files)
    assert placement.source == "standard_1005"
    assert "contradicts the electrode names" in placement.warnings[0]


def test_eeglab_orientation_without_known_names() -> None:
    names = [f"X{i}" for i in range(12)]
    rng = np.random.default_rng(0)
    points = rng.standard_normal((12, 3))
    points *= rng.uniform(0.08, 0.1, (12, 1)) / np.linalg.norm(points, axis=1, keepdims=True)
    head = to_head_frame(RawPositions(dict(zip(names, points, strict=True)), {}, "m", "ALS"), "electrodes.tsv")
    # EEGLAB: x to the front, y to the left.
    np.testing.assert_allclose(head.positions_m["X0"], [-points[0, 1], points[0, 0], points[0, 2]])


def test_positions_in_the_file(cap: list[str]) -> None:
    sphere = standard_positions("biosemi64")
    raw = raw_of(cap, {name: sphere[name] for name in cap})
    placement = place(cap, raw)
    assert placement.source == "file"
    standard = standard_positions("standard_1005")
    distance_m = [np.linalg.norm(placement.positions_m[name] - standard[name]) for name in cap]
    assert np.mean(distance_m) < 0.015
    assert place(cap, raw, montage="standard_1005").source == "standard_1005"


def test_table_that_places_too_few_gives_way(tmp_path: Path, cap: list[str]) -> None:
    standard = np.array([standard_positions("standard_1005")[name] for name in cap[:3]])
    placement = place(cap, **write_table(tmp_path, cap[:3], standard, EEGCoordinateUnits="m"))
    assert placement.source == "standard_1005"
    assert "places only 3" in placement.warnings[0]


@pytest.mark.parametrize(
    ("table", "system"),
    [
        ("name\tx\ty\nCz\t0\t0\n", "{}"),
        ("name\tx\ty\tz\nCz\t0\t0\n", "{}"),
        ("name\tx\ty\tz\nCz\t1\t2\t3\n", "{broken"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, cap: list[str], table: str, system: str) -> None:
    (tmp_path / "electrodes.tsv").write_text(table)
    (tmp_path / "coordsystem.json").write_text(system)
    with pytest.raises(BadDataError) as caught:
        place(cap, electrodes_tsv=tmp_path / "electrodes.tsv", coordsystem_json=tmp_path / "coordsystem.json")
    assert caught.value.path is not None
    assert caught.value.path.parent == tmp_path
