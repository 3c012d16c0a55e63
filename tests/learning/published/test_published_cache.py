"""The cache of a recording, and the numbered list of volumes."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.learning.published.cache import content_key, find_cached, write_cached
from bids_eeg2fmri.learning.published.volumes import Volumes


def arrays(n_volumes=9):
    rng = np.random.default_rng(n_volumes)
    return {
        "spectra": rng.standard_normal((n_volumes, 4, 5)).astype(np.float32),
        "targets": rng.standard_normal((n_volumes, 3, 2, 2)).astype(np.float16),
        "usable": np.arange(3, n_volumes),
        "profile": rng.standard_normal(7).astype(np.float32),
    }


def test_arrays_come_back_as_memory_maps(tmp_path):
    content = arrays()
    assert find_cached(tmp_path, "key", "01") is None
    write_cached(tmp_path, "key", "01", **content)
    found = find_cached(tmp_path, "key", "01")

    for name, array in content.items():
        assert isinstance(getattr(found, name), np.memmap)
        np.testing.assert_array_equal(getattr(found, name), array)


def test_writing_twice_keeps_one_whole_folder(tmp_path):
    write_cached(tmp_path, "key", "01", **arrays())
    write_cached(tmp_path, "key", "01", **arrays())
    assert [folder.name for folder in tmp_path.iterdir()] == ["key"]


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="could not convert"):
        write_cached(tmp_path, "key", "01", **{**arrays(), "profile": np.array(["no number"])})
    assert not list(tmp_path.iterdir())


def test_the_key_knows_values_shapes_types_and_order():
    array = np.arange(6.0)
    keys = {
        content_key(array, 1.0),
        content_key(array + 1e-12, 1.0),
        content_key(array.reshape(2, 3), 1.0),
        content_key(array.astype(np.float32), 1.0),
        content_key(1.0, array),
        content_key(array, 2.0),
        content_key(array, "1.0"),
    }
    assert len(keys) == 7
    assert content_key(array.copy(), 1.0) in keys
    assert content_key(np.asfortranarray(array.reshape(2, 3)), 1.0) in keys


def test_volumes_are_numbered_over_recordings(tmp_path):
    contents = [arrays(9), arrays(7), arrays(12)]
    recordings = tuple(
        write_cached(tmp_path, str(number), person, **content)
        for number, (content, person) in enumerate(zip(contents, ("a", "b", "a"), strict=True))
    )
    volumes = Volumes(recordings, n_windows=3)
    owners = [(index, v) for index, content in enumerate(contents) for v in content["usable"]]

    assert len(volumes) == len(owners) == 6 + 4 + 9
    assert volumes.people == ("a", "b")
    np.testing.assert_array_equal(volumes.person_of_volume, ["aba"[index] == "b" for index, _ in owners])
    chosen = np.array([18, 0, 6, 5, 9, 10])
    expected = [owners[number] for number in chosen]
    np.testing.assert_array_equal(volumes.targets(chosen), [contents[i]["targets"][v] for i, v in expected])
    np.testing.assert_array_equal(volumes.spectra(chosen), [contents[i]["spectra"][v - 3 : v] for i, v in expected])
    assert volumes.digest() != Volumes(recordings[::-1], 3).digest()
