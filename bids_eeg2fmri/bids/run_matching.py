"""Which EEG run and which BOLD run of a person, session and task were recorded together.

Names decide where they can: runs with the same ``run-`` and ``acq-``, then with the same ``run-``, then one that
has no ``run-`` with one that has. Where these leave several possibilities, or runs are numbered differently, the
times of ``scans.tsv`` decide. What is still open is not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .filter_file import same_run

# Two machines are started within minutes of each other, and their clocks may differ by as much.
LARGEST_GAP = timedelta(minutes=10)
# The next best must be this many times farther away, or the times do not tell the runs apart.
_CLEARLY = 2
_SAME_NAME, _SAME_RUN, _ONE_RUN_UNNAMED, _OTHER_RUN = range(4)


@dataclass(frozen=True)
class Run:
    """A run as the names of one modality's files and ``scans.tsv`` describe it.

    Attributes
    ----------
    label
        Its entities, for messages.
    acquisition, run
        Entity values without prefix; ``None`` when absent.
    start
        When it was recorded, where that is known.
    """

    label: str
    acquisition: str | None = None
    run: str | None = None
    start: datetime | None = None


@dataclass(frozen=True)
class Match:
    """What was found for one EEG run.

    Attributes
    ----------
    bold
        The BOLD run that belongs to it, or ``None``.
    problem
        Why ``bold`` is ``None`` although there are candidates, in one sentence.
    """

    bold: Run | None = None
    problem: str | None = None


def match_runs(eeg: Sequence[Run], bold: Sequence[Run]) -> list[Match]:
    """Match the EEG runs of one person, session and task with their BOLD runs.

    Parameters
    ----------
    eeg, bold
        All runs; no two of a modality are equal.

    Returns
    -------
    list of Match
        One per EEG run. No BOLD run belongs to two of them.
    """
    by_time = {run: _nearest(run, eeg, bold) for run in eeg}
    matches: dict[Run, Match] = {}
    open_eeg, open_bold = list(eeg), list(bold)
    for level in (_SAME_NAME, _SAME_RUN, _ONE_RUN_UNNAMED):
        links = {run: [other for other in open_bold if _level(run, other) == level] for run in open_eeg}
        links = {run: others for run, others in links.items() if others}
        matches |= {run: _decide(run, links, by_time[run]) for run in links}
        open_eeg = [run for run in open_eeg if run not in links]
        used = [other for others in links.values() for other in others]
        open_bold = [other for other in open_bold if other not in used]
    for run in open_eeg:
        matches[run] = Match(by_time[run] if by_time[run] in open_bold else None)
    return [matches[run] for run in eeg]


def _level(eeg: Run, bold: Run) -> int:
    if eeg.run is not None and bold.run is not None:
        if not same_run(eeg.run, bold.run):
            return _OTHER_RUN
    elif eeg.run is not bold.run:
        return _ONE_RUN_UNNAMED
    return _SAME_NAME if eeg.acquisition == bold.acquisition else _SAME_RUN


def _decide(eeg: Run, links: dict[Run, list[Run]], by_time: Run | None) -> Match:
    """Choose among the BOLD runs that an EEG run may belong to by name."""
    candidates = links[eeg]
    rivals = [run for run, others in links.items() if any(other in candidates for other in others)]
    if len(candidates) == len(rivals) == 1:
        if by_time not in (None, candidates[0]):
            return Match(
                problem=f"by name it belongs to {candidates[0].label}, by the times of scans.tsv to {by_time.label}."
            )
        return Match(candidates[0])
    if by_time in candidates:
        return Match(by_time)
    if len(candidates) > 1:
        return Match(problem=f"several BOLD runs may belong to it: {_listed(candidates)}.")
    return Match(problem=f"the BOLD run {candidates[0].label} may belong to several EEG recordings: {_listed(rivals)}.")


def _nearest(eeg: Run, all_eeg: Sequence[Run], all_bold: Sequence[Run]) -> Run | None:
    """The BOLD run that started nearest, when both sides agree and nothing else is nearly as near."""
    gaps = {run: gap for run in all_bold if (gap := _gap(eeg, run)) is not None}
    if not gaps:
        return None
    best = min(gaps, key=lambda run: gaps[run])
    others = [gap for run, gap in gaps.items() if run is not best]
    others += [gap for run in all_eeg if run is not eeg and (gap := _gap(run, best)) is not None]
    least = gaps[best]
    return best if least <= LARGEST_GAP and all(other > _CLEARLY * least for other in others) else None


def _gap(eeg: Run, bold: Run) -> timedelta | None:
    return None if eeg.start is None or bold.start is None else abs(eeg.start - bold.start)


def _listed(runs: Sequence[Run]) -> str:
    return ", ".join(sorted(run.label for run in runs))
