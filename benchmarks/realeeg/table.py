"""The table, and which targets hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .findings import Findings, similarities

MIN_BAND_SHARE, MIN_NEGATIVE_SHARE, MAX_SIMILARITY = 0.8, 0.9, 0.95
USUAL_PERCENTILE, MIN_USUAL_SHARE = 99.0, 0.9


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured on real and on simulated EEG; ``holds`` is ``None`` without a target."""

    question: str
    measured: tuple[str, ...]
    target: str = ""
    holds: bool | None = None


def mean_and_range(values: Sequence[float] | Float[np.ndarray, " values"]) -> str:
    """``mean (smallest to largest)``; empty without values."""
    return f"{np.mean(values):.2f} ({np.min(values):.2f} to {np.max(values):.2f})" if len(values) else ""


def judge(real: Sequence[Findings], simulated: Sequence[Findings], n_failed: int = 0, n_refused: int = 0) -> list[Row]:
    """The lines of the table.

    Parameters
    ----------
    real, simulated
        Findings of the recordings that ran.
    n_failed, n_refused
        How many others there were, of each.
    """
    counts = (f"{len(real)} of {len(real) + n_failed}", f"{len(simulated)} of {len(simulated) + n_refused}")
    runs = Row("recordings that run", counts, "all", bool(real) and not n_failed)
    if not real:
        return [runs]
    return [
        runs,
        _band(real, simulated),
        *_alpha(real, simulated),
        *_similarity(real, simulated),
        *_novelty(real, simulated),
    ]


def _band(real: Sequence[Findings], simulated: Sequence[Findings]) -> Row:
    shares = [[finding.band_share for finding in group] for group in (real, simulated)]
    return Row(
        "power between .01 and .1 Hz: median (smallest) recording",
        tuple(f"{np.median(values):.2f} ({min(values):.2f})" if values else "" for values in shares),
        f"median >= {MIN_BAND_SHARE:g}",
        bool(np.median(shares[0]) >= MIN_BAND_SHARE),
    )


def _alpha(real: Sequence[Findings], simulated: Sequence[Findings]) -> Iterator[Row]:
    known = [[one.alpha_r for one in group if one.alpha_r is not None] for group in (real, simulated)]
    shares = [float(np.mean(np.array(values) < 0)) if values else None for values in known]
    if shares[0] is not None:
        yield Row(
            "recordings in which visual synthetic BOLD falls when alpha rises",
            tuple("" if share is None else f"{share:.0%} of {len(r)}" for share, r in zip(shares, known, strict=True)),
            f">= {MIN_NEGATIVE_SHARE:.0%}",
            shares[0] >= MIN_NEGATIVE_SHARE,
        )
    for task in tasks_of(real):
        of_task = [
            [x.alpha_r for x in group if x.task == task and x.alpha_r is not None] for group in (real, simulated)
        ]
        yield Row(f"alpha r, {task}: mean (range)", tuple(map(mean_and_range, of_task)))


def _similarity(real: Sequence[Findings], simulated: Sequence[Findings]) -> Iterator[Row]:
    for task in tasks_of(real):
        between = [similarities(group, task=task) for group in (real, simulated)]
        question = f"FC similarity between people, {task}: mean (range)"
        if len(between[0]):
            holds = bool(between[0].max() < MAX_SIMILARITY)
            yield Row(question, tuple(map(mean_and_range, between)), f"all < {MAX_SIMILARITY:g}", holds)
    within = [similarities(group, same_person=True) for group in (real, simulated)]
    yield Row("FC similarity within people, between tasks: mean (range)", tuple(map(mean_and_range, within)))


def _novelty(real: Sequence[Findings], simulated: Sequence[Findings]) -> Iterator[Row]:
    groups = [np.array([one.novelty for one in group]) for group in (real, simulated)]
    shares = [float((values <= USUAL_PERCENTILE).mean()) if len(values) else None for values in groups]
    yield Row(
        f"recordings whose median volume is within the {USUAL_PERCENTILE:g}th percentile of training",
        tuple("" if share is None else f"{share:.0%}" for share in shares),
        f">= {MIN_USUAL_SHARE:.0%}",
        shares[0] is not None and shares[0] >= MIN_USUAL_SHARE,
    )
    quartiles = [" / ".join(f"{x:.0f}" for x in np.percentile(v, (25, 50, 75))) if len(v) else "" for v in groups]
    yield Row("novelty percentile of recordings: quartiles", tuple(quartiles))
    yield Row(
        "predictive sd of a parcel", tuple(mean_and_range([one.sd_z for one in group]) for group in (real, simulated))
    )
    amplitudes = tuple(mean_and_range([one.mean_z_rms for one in group]) for group in (real, simulated))
    yield Row("size of the prediction (rms)", amplitudes)


def tasks_of(findings: Sequence[Findings]) -> tuple[str, ...]:
    """The tasks, in the order in which they come."""
    return tuple(dict.fromkeys(finding.task for finding in findings))


def as_markdown(rows: Sequence[Row]) -> str:
    """The table, and how many targets hold."""
    answers = {True: "yes", False: "**no**", None: ""}
    lines = ["| | real EEG | simulated | target | holds |", "|---|---|---|---|---|"]
    lines += [f"| {x.question} | {' | '.join(x.measured)} | {x.target} | {answers[x.holds]} |" for x in rows]
    asked = [row.holds for row in rows if row.holds is not None]
    return "\n".join(lines) + f"\n\n{sum(asked)} of {len(asked)} hold\n"
