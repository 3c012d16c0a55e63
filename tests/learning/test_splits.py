"""Splits share nobody, test everybody once, and do not depend on the order of the people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.learning.splits import Split, make_splits

PEOPLE = st.lists(st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True), min_size=4, max_size=30, unique=True)


@given(people=PEOPLE, folds=st.one_of(st.just("loso"), st.integers(2, 4)), seed=st.integers(0, 5))
def test_everybody_is_tested_once_and_nobody_is_in_two_groups(people: list[str], folds: int | str, seed: int) -> None:
    splits = make_splits(people, folds=folds, seed=seed)
    *scored, kept = splits
    assert sorted(person for split in scored for person in split.test) == sorted(people)
    assert kept.test == ()
    assert {*kept.training, *kept.validation} == set(people)
    for split in splits:
        assert {*split.training, *split.validation, *split.test} == set(people)
        assert split.training and split.validation
        assert len(split.training) + len(split.validation) + len(split.test) == len(people)
    assert splits == make_splits(people[::-1], folds=folds, seed=seed)


def test_leave_one_out_has_one_split_per_person() -> None:
    assert [len(split.test) for split in make_splits("abcde", folds="loso")] == [1, 1, 1, 1, 1, 0]


def test_named_people_make_one_split() -> None:
    (split,) = make_splits("abcdefgh", folds=5, test=("b", "a"), validation=("h",))
    assert split == Split("test", ("c", "d", "e", "f", "g"), ("h",), ("a", "b"))


def test_named_validation_people_are_never_tested() -> None:
    splits = make_splits("abcdef", folds="loso", validation=("c",))
    assert all(split.validation == ("c",) for split in splits)
    assert sorted(person for split in splits for person in split.test) == list("abdef")


def test_another_seed_draws_others() -> None:
    people = [f"{number:02d}" for number in range(20)]
    assert make_splits(people, folds=4, seed=0) != make_splits(people, folds=4, seed=1)


@pytest.mark.parametrize(
    ("people", "how", "message"),
    [
        ("ab", {"folds": 2}, "needs recordings of 3 people"),
        ("abcd", {"folds": 5}, "only 4 people"),
        ("abcd", {"folds": 2, "test": ("z",)}, "--test-participants: nobody .* z"),
        ("abcd", {"folds": 2, "validation": ("z",)}, "--validation-participants: nobody .* z"),
        ("abcd", {"folds": 2, "test": ("a",), "validation": ("a",)}, "cannot both"),
        ("abcd", {"folds": 2, "test": ("a", "b"), "validation": ("c", "d")}, "nobody is left"),
    ],
)
def test_impossible_splits_are_refused(people: str, how: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_splits(people, **how)
