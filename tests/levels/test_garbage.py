"""The collector is told once of what stays."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

from bids_eeg2fmri.levels.garbage import loading_to_stay


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("atexit.register", lambda function: function)
    usual = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*usual)
    gc.unfreeze()


def test_what_is_loaded_is_never_looked_at_again() -> None:
    with loading_to_stay():
        assert not gc.isenabled()
        loaded = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= 1000
    assert not any(each is loaded for each in gc.get_objects())


def test_only_the_first_use_counts() -> None:
    with loading_to_stay():
        pass
    frozen = gc.get_freeze_count()
    with loading_to_stay():
        assert gc.isenabled()
        later = [[number] for number in range(1000)]
    assert gc.get_freeze_count() <= frozen
    assert any(each is later for each in gc.get_objects())


def test_later_collections_are_few() -> None:
    with loading_to_stay():
        pass
    assert gc.get_threshold()[0] > 10_000


def test_nothing_is_looked_through_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr("atexit.register", at_exit.append)
    with loading_to_stay():
        pass
    later = [[number] for number in range(1000)]
    (leave,) = at_exit
    try:
        leave()
        assert not gc.isenabled()
        assert not any(each is later for each in gc.get_objects())
    finally:
        gc.enable()


def test_collecting_goes_on_after_a_failure() -> None:
    with pytest.raises(ValueError, match="broken"), loading_to_stay():
        raise ValueError("broken")
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with loading_to_stay():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
