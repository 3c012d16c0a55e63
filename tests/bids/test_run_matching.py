from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.bids.run_matching import Match, Run, match_runs

MORNING = datetime(2020, 3, 1, 10)


def eeg(run: str | None = None, acq: str | None = None, minute: float | None = None) -> Run:
    start = None if minute is None else MORNING + timedelta(minutes=minute)
    return Run(f"eeg acq-{acq} run-{run}", acq, run, start)


def bold(run: str | None = None, acq: str | None = None, minute: float | None = None, more: str = "") -> Run:
    start = None if minute is None else MORNING + timedelta(minutes=minute)
    return Run(f"bold acq-{acq} run-{run}{more}", acq, run, start)


def found(eegs: list[Run], bolds: list[Run]) -> list[str | None]:
    return [match.bold.label if match.bold else match.problem for match in match_runs(eegs, bolds)]


def test_runs_pair_by_number_whatever_their_zeros_and_acquisition() -> None:
    assert found([eeg("01"), eeg("2", "cap")], [bold("2", "sms"), bold("1", "sms")]) == [
        "bold acq-sms run-1",
        "bold acq-sms run-2",
    ]


def test_the_same_acquisition_goes_first() -> None:
    both = [bold("1", "fast"), bold("1", "slow")]
    assert found([eeg("1", "slow"), eeg("1", "fast")], both) == ["bold acq-slow run-1", "bold acq-fast run-1"]
    assert found([eeg("1", "slow"), eeg("1", "cap")], both) == ["bold acq-slow run-1", "bold acq-fast run-1"]


def test_one_run_without_a_number_pairs_with_one_that_has_it() -> None:
    assert found([eeg()], [bold("1")]) == ["bold acq-None run-1"]
    assert found([eeg("3")], [bold()]) == ["bold acq-None run-None"]


def test_what_names_leave_open_is_a_problem_that_names_the_candidates() -> None:
    (match,) = match_runs([eeg()], [bold("1"), bold("2")])
    assert match.bold is None
    assert match.problem == "several BOLD runs may belong to it: bold acq-None run-1, bold acq-None run-2."
    one, other = match_runs([eeg("1"), eeg("2")], [bold()])
    assert one == other
    assert one.problem is not None and "eeg acq-None run-1, eeg acq-None run-2" in one.problem
    (match,) = match_runs([eeg("1")], [bold("1", more=" dir-AP"), bold("1", more=" dir-PA")])
    assert match.problem is not None and "dir-AP" in match.problem and "dir-PA" in match.problem


def test_different_numbers_are_no_pair() -> None:
    assert match_runs([eeg("1")], [bold("2")]) == [Match()]
    assert match_runs([eeg("1")], []) == [Match()]


def test_times_decide_what_names_leave_open() -> None:
    bolds = [bold("1", minute=1), bold("2", minute=11)]
    assert found([eeg(minute=10)], bolds) == ["bold acq-None run-2"]
    assert found([eeg("1", "a", 0), eeg("1", "b", 10)], [bold("1", "x", 11), bold("1", "y", 0.5)]) == [
        "bold acq-y run-1",
        "bold acq-x run-1",
    ]


def test_times_pair_runs_that_are_numbered_differently() -> None:
    eegs = [eeg("1", minute=0), eeg("2", minute=10), eeg("3", minute=20)]
    bolds = [bold("4", minute=1), bold("5", minute=11), bold("6", minute=21)]
    assert found(eegs, bolds) == [f"bold acq-None run-{number}" for number in (4, 5, 6)]


@pytest.mark.parametrize("offset", [2, 3, 16, 600])
def test_clocks_that_are_too_far_apart_tell_nothing(offset: float) -> None:
    eegs = [eeg("1", minute=0), eeg("2", minute=5)]
    bolds = [bold("8", minute=offset), bold("9", minute=5 + offset)]
    assert [match.bold for match in match_runs(eegs, bolds)] == [None, None]


def test_names_and_times_that_contradict_each_other_are_a_problem() -> None:
    eegs = [eeg("1", minute=10), eeg("2", minute=20)]
    bolds = [bold("1", minute=0), bold("2", minute=10.5), bold("3", minute=20.5)]
    first, _ = match_runs(eegs, bolds)
    assert first.bold is None
    assert first.problem is not None and "run-1" in first.problem and "run-2" in first.problem


def test_entities_pair_even_when_times_are_far_apart() -> None:
    assert found([eeg("1", minute=0)], [bold("1", minute=5000)]) == ["bold acq-None run-1"]


labels = st.none() | st.sampled_from("ab")
runs = st.none() | st.sampled_from(["1", "01", "2"])
minutes = st.none() | st.integers(0, 40)
described = st.lists(st.tuples(runs, labels, minutes), max_size=4)


@given(described, described)
def test_no_bold_is_given_twice_and_every_claim_is_possible(one: list[tuple], other: list[tuple]) -> None:
    eegs = [_numbered("e", index, *values) for index, values in enumerate(one)]
    bolds = [_numbered("b", index, *values) for index, values in enumerate(other)]
    matches = match_runs(eegs, bolds)
    given_away = [match.bold for match in matches if match.bold is not None]
    assert len(matches) == len(eegs)
    assert len(set(given_away)) == len(given_away) and set(given_away) <= set(bolds)
    assert all(match.bold is None or match.problem is None for match in matches)
    assert [match.bold for match in match_runs(eegs[::-1], bolds[::-1])] == [match.bold for match in matches[::-1]]
    assert bolds or all(match.problem is None for match in matches)


def _numbered(kind: str, index: int, run: str | None, acq: str | None, minute: float | None) -> Run:
    return Run(f"{kind}{index}", acq, run, None if minute is None else MORNING + timedelta(minutes=minute))
