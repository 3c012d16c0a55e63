"""People of the published protocols."""

from __future__ import annotations

import pytest

from benchmarks.published.split import choose_people
from bids_eeg2fmri.errors import UsageError

PEOPLE = tuple(f"{number:02d}" for number in range(1, 17))


def test_first_train_and_next_are_tested():
    chosen = choose_people(PEOPLE[::-1], "fixed", 8, 2)

    assert chosen.everyone == PEOPLE[:10]
    assert chosen.test == ("09", "10")


def test_excluded_people_make_room():
    assert choose_people(PEOPLE, "fixed", 8, 2, exclude=["03"]).test == ("10", "11")


def test_leave_one_out_takes_everybody():
    chosen = choose_people(PEOPLE, "loso", 8, 2)

    assert chosen.everyone == PEOPLE
    assert chosen.test == ()


@pytest.mark.parametrize(
    ("people", "exclude", "said"), [(PEOPLE[:9], (), "needs 10 people"), (PEOPLE, ("99",), "nobody is called 99")]
)
def test_impossible_splits_are_refused(people, exclude, said):
    with pytest.raises(UsageError, match=said):
        choose_people(people, "fixed", 8, 2, exclude)
