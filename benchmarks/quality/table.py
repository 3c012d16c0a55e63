"""The tables, as Markdown and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bids_eeg2fmri.evaluation.intervals import LEVELS

from . import conditions as c
from .baselines import CEILING, HONEST, SEEN_THE_SCAN
from .people_scores import PeopleScores
from .scoring import DEEP_OF_USUAL, MODEL, level_90
from .targets import PARCEL_MARGIN, Target

_COMPARED = (*(c.on_cap(cap) for cap in c.CAPS), c.TRANSFER)
_PREDICTORS = (MODEL, *HONEST, *SEEN_THE_SCAN, CEILING)


def correlation_table(scores: PeopleScores) -> str:
    """Mean parcel r with the noise-free truth of every predictor."""
    rows = []
    for name in _PREDICTORS:
        cells = []
        for label in _COMPARED:
            mean, low, high, _ = scores.r(label, name)
            cells.append(f"{mean:.3f} [{low:.3f}, {high:.3f}]")
        rows.append([f"{name} (has seen the scan)" if name in SEEN_THE_SCAN else name, *cells])
    return _markdown(["mean parcel r over time", *_COMPARED], rows)


def interval_table(scores: PeopleScores) -> str:
    """What the intervals cover and how wide they are, for every kind of recording."""
    usual = c.on_cap(c.CAP)
    levels = [f"{100 * level:g} %" for level in LEVELS]
    head = [
        "recordings",
        "r [95 % CI]",
        *(f"voxels {level}" for level in levels),
        *(f"parcels {level}" for level in levels),
        "worst person",
        "parcels within 5",
        "CRPS ratio",
        "to own",
        "width ratio",
        "sd / usual",
        "novelty AUC",
        "refused",
    ]
    rows = []
    for label in (*c.tested_labels(), DEEP_OF_USUAL):
        r, low, high, _ = scores.r(label, MODEL)
        on_part = label in (c.DEEP, DEEP_OF_USUAL)
        rows.append(
            [
                label,
                f"{r:.3f} [{low:.3f}, {high:.3f}]",
                *(f"{100 * value:.1f}" for value in (*scores.coverage(label), *scores.parcel_coverage(label))),
                f"{100 * scores.worst_person(label):.1f}",
                f"{100 * scores.parcels_within(label, PARCEL_MARGIN):.0f} %",
                f"{scores.mean(label, lambda s: s.crps):.3f}",
                f"{scores.mean(label, lambda s: s.own_crps):.3f}",
                f"{scores.mean(label, lambda s: s.width):.3f}",
                "" if on_part else f"{scores.sd_ratio(label, usual).mean:.3f}",
                f"{scores.novelty_auc(label, usual):.2f}",
                str(scores.refused(label)),
            ]
        )
    return _markdown(head, rows)


def target_table(targets: Sequence[Target]) -> str:
    """Every target, what was measured, and whether it holds."""
    rows = []
    for target in targets:
        required = f"{target.relation} {target.threshold:.3f}" + (f" ({target.against})" if target.against else "")
        rows.append([target.name, f"{target.value:.3f}", required, "yes" if target.holds else "**no**", _note(target)])
    return _markdown(["target", "measured", "must be", "holds", "where the ceiling is"], rows)


def _note(target: Target) -> str:
    if target.holds or not math.isfinite(target.ceiling):
        return ""
    return (
        f"ceiling {target.ceiling:.3f}; {100 * target.ceiling_share:.0f} % of its gain over {target.best_baseline:.3f}"
    )


def report(scores: PeopleScores, targets: Sequence[Target]) -> str:
    """Everything that is printed; the last line counts the targets."""
    counted = [target for target in targets if not target.seen_the_scan]
    seen = [target for target in targets if target.seen_the_scan]
    decoupled = scores.mean(c.DECOUPLED, lambda s: s.crps)
    raw = scores.refused(c.WHITE_NOISE_RAW)
    ceiling = scores.mean(c.on_cap(c.CAP), lambda s: s.ceiling_crps)
    width = scores.mean(c.on_cap(c.CAP), lambda s: s.ceiling_width)
    return "\n".join(
        [
            correlation_table(scores),
            interval_table(scores),
            target_table(counted),
            "Beside them, forecasts that have seen the person's scan:\n",
            target_table(seen),
            f"- {c.DECOUPLED}: CRPS {decoupled:.3f} times climatology's is the price of envelopes that mean nothing.",
            f"- Raw recordings of white noise: cleaning refuses {raw} of {len(scores.people)}.",
            f"- Who knows the sources, 64 channels: CRPS {ceiling:.3f}, width {width:.3f} of climatology's.",
            f"\n{_count(seen)} comparisons with forecasts that have seen the scan hold.",
            f"{_count(counted)} targets hold",
        ]
    )


def as_json(scores: PeopleScores, targets: Sequence[Target], measured: dict[str, Any]) -> dict[str, Any]:
    """The same for machines; NaN is null."""
    return {
        "measured": measured,
        "r": {
            label: {
                name: dict(zip(("mean", "low", "high"), map(_number, scores.r(label, name)[:3]), strict=True))
                for name in _PREDICTORS
            }
            for label in _COMPARED
        },
        "recordings": {label: _recording(scores, label) for label in (*c.tested_labels(), DEEP_OF_USUAL)},
        "targets": [
            {
                **{name: getattr(target, name) for name in ("name", "relation", "against", "holds", "seen_the_scan")},
                **{name: _number(getattr(target, name)) for name in ("value", "threshold", "ceiling", "ceiling_share")},
            }
            for target in targets
        ],
        "markdown": report(scores, targets),
    }


def _recording(scores: PeopleScores, label: str) -> dict[str, Any]:
    levels = [f"{level:g}" for level in LEVELS]
    return {
        "r": _number(scores.r(label, MODEL).mean),
        "coverage": dict(zip(levels, map(_number, scores.coverage(label)), strict=True)),
        "parcel_coverage": dict(zip(levels, map(_number, scores.parcel_coverage(label)), strict=True)),
        "coverage_90_by_person": [_number(level_90(one.coverage)) for one in scores.of(label)],
        "crps_ratio": _number(scores.mean(label, lambda s: s.crps)),
        "crps_ratio_to_own_climatology": _number(scores.mean(label, lambda s: s.own_crps)),
        "width_ratio": _number(scores.mean(label, lambda s: s.width)),
        "sd": _number(scores.mean(label, lambda s: s.sd)),
        "novelty_auc": _number(scores.novelty_auc(label, c.on_cap(c.CAP))),
        "refused": scores.refused(label),
    }


def _number(value: Any) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None


def _count(targets: Sequence[Target]) -> str:
    return f"{sum(target.holds for target in targets)} of {len(targets)}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
