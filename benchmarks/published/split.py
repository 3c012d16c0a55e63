"""Who trains and who is tested in the published protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bids_eeg2fmri.errors import UsageError

from .benchmark import ProtocolName


@dataclass(frozen=True)
class PeopleOfProtocol:
    """People by name.

    Attributes
    ----------
    everyone
        All whose recordings are used, sorted.
    test
        Those who are tested in the fixed split; empty where everybody is, in turn.
    """

    everyone: tuple[str, ...]
    test: tuple[str, ...]


def choose_people(
    people: Sequence[str], protocol: ProtocolName, n_train: int, n_test: int, exclude: Sequence[str] = ()
) -> PeopleOfProtocol:
    """The people of a protocol.

    ``fixed``: of the people sorted by name the first ``n_train`` train and the next ``n_test`` are tested, as in
    eeg-to-fmri, which takes no one else. ``loso``: everybody is tested once.

    Raises
    ------
    UsageError
        Too few people, or one to exclude who is not there.
    """
    unknown = sorted(set(exclude) - set(people))
    if unknown:
        raise UsageError(
            f"--exclude: nobody is called {', '.join(unknown)}.", remedy=f"There are: {', '.join(people) or 'none'}."
        )
    left = tuple(person for person in sorted(people) if person not in exclude)
    needed = n_train + n_test if protocol == "fixed" else 3
    if len(left) < needed:
        raise UsageError(
            f"the protocol needs {needed} people; the download holds {len(left)}: {', '.join(left) or 'nobody'}.",
            remedy="Check that DOWNLOADED is the folder described in docs/published_benchmarks.md and is complete.",
        )
    if protocol == "loso":
        return PeopleOfProtocol(left, ())
    return PeopleOfProtocol(left[:needed], left[n_train:needed])
