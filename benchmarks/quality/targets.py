"""What must hold of the model, as one list."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from bids_eeg2fmri.evaluation.intervals import LEVELS

from . import conditions as c
from .baselines import CEILING, HONEST, SEEN_THE_SCAN, SENSOR_RIDGE
from .people_scores import PeopleScores
from .scoring import DEEP_OF_USUAL, MODEL, level_90

_RELATIONS = MappingProxyType({">": operator.gt, "≥": operator.ge, "≤": operator.le})
SENSOR_FACTOR = 1.15
COVERAGE_MARGIN, PARCEL_MARGIN, PARCEL_SHARE, WORST_PERSON = 0.02, 0.05, 0.90, 0.80
SHARPER = 0.90
# "No worse" and "as wide": what two decimals show, and within 5 %.
NO_WORSE, AS_WIDE = 1.005, 0.95
CORRUPTED_COVERAGE, NOVELTY_AUC = 0.85, 0.95
# "Low" and "high", which the design leaves open.
DEEP_R_SHARE, DEEP_WIDTH = 0.5, 0.9


@dataclass(frozen=True)
class Target:
    """One thing that must hold.

    Attributes
    ----------
    name
        What is measured.
    value, relation, threshold
        What was measured, and what it must be.
    against
        What the threshold is, where it is measured as well.
    ceiling
        What the predictor that knows the sources reaches; NaN where there is none.
    best_baseline
        From where the share of the ceiling's gain is counted.
    seen_the_scan
        The comparison is with a forecast that knows the person's BOLD: counted apart.
    """

    name: str
    value: float
    relation: str
    threshold: float
    against: str = ""
    ceiling: float = float("nan")
    best_baseline: float = float("nan")
    seen_the_scan: bool = False

    @property
    def holds(self) -> bool:
        """Whether it does; what could not be measured does not."""
        return bool(_RELATIONS[self.relation](self.value, self.threshold))

    @property
    def ceiling_share(self) -> float:
        """Share of the ceiling's gain over the best baseline that is reached."""
        gain = self.ceiling - self.best_baseline
        return (self.value - self.best_baseline) / gain if gain else float("nan")


def all_targets(scores: PeopleScores) -> list[Target]:
    """Every target of the model."""
    return [
        *_correlations(scores),
        *_coverage(scores),
        *_sharpness(scores),
        *_controls(scores),
        *_corruptions(scores),
        *_deep(scores),
    ]


def best_of(scores: PeopleScores, label: str, names: tuple[str, ...]) -> tuple[float, str]:
    """The highest mean r among predictors, and whose it is; NaN where one could not be measured."""
    reached = {name: float(scores.r(label, name).mean) for name in names}
    unknown = [name for name, r in reached.items() if r != r]
    if unknown:
        return float("nan"), f"{unknown[0]} could not be measured"
    best = max(reached, key=reached.__getitem__)
    return reached[best], best


def _correlations(scores: PeopleScores) -> Iterator[Target]:
    labels = [*(c.on_cap(cap) for cap in c.CAPS), c.TRANSFER]
    for label in labels:
        r, ceiling = (float(scores.r(label, name).mean) for name in (MODEL, CEILING))
        best, whose = best_of(scores, label, HONEST)
        yield Target(f"mean parcel r, {label}: above every baseline", r, ">", best, whose, ceiling, best)
        if label == c.on_cap(c.CAP):
            sensors = SENSOR_FACTOR * float(scores.r(label, SENSOR_RIDGE).mean)
            against = f"{SENSOR_FACTOR:g} x {SENSOR_RIDGE}"
            yield Target(f"mean parcel r, {label}: beyond the electrodes", r, "≥", sensors, against, ceiling, best)
    for label in labels:
        r = float(scores.r(label, MODEL).mean)
        for name in SEEN_THE_SCAN:
            seen = float(scores.r(label, name).mean)
            yield Target(f"mean parcel r, {label}: above {name}", r, ">", seen, name, seen_the_scan=True)


def _coverage(scores: PeopleScores) -> Iterator[Target]:
    for cap in c.CAPS:
        label = c.on_cap(cap)
        for level, covered in zip(LEVELS, scores.coverage(label), strict=True):
            name = f"coverage of {100 * level:g} % intervals of voxels, {label}: points off"
            off = 100 * abs(float(covered) - level)
            yield Target(name, off, "≤", 100 * COVERAGE_MARGIN, f"{100 * covered:.1f} % are inside")
        share, worst = scores.parcels_within(label, PARCEL_MARGIN), scores.worst_person(label)
        yield Target(f"share of parcels within 5 points at every level, {label}", share, "≥", PARCEL_SHARE)
        yield Target(f"coverage at 90 % of the worst person's voxels, {label}", worst, "≥", WORST_PERSON)


def _sharpness(scores: PeopleScores) -> Iterator[Target]:
    label = c.on_cap(c.CAP)
    crps, width = (scores.mean(label, lambda s, name=name: getattr(s, name)) for name in ("crps", "width"))
    best_crps, best_width = (
        scores.mean(label, lambda s, name=name: getattr(s, name)) for name in ("ceiling_crps", "ceiling_width")
    )
    yield Target("CRPS of parcels / climatology, 64 channels", crps, "≤", SHARPER, "", best_crps, 1.0)
    yield Target(
        "width of 90 % intervals of parcels / climatology, 64 channels", width, "≤", SHARPER, "", best_width, 1.0
    )


def _controls(scores: PeopleScores) -> Iterator[Target]:
    for label in (c.UNMODULATED, c.DECOUPLED):
        shifted, swapped = scores.null(label)
        against = f"97.5th percentile of the nulls: shifts {shifted:.3f}, swapped people {swapped:.3f}"
        r = float(scores.r(label, MODEL).mean)
        yield Target(f"mean parcel r, {label}: inside the null", r, "≤", min(shifted, swapped), against)
    crps = scores.mean(c.UNMODULATED, lambda s: s.crps)
    yield Target(f"CRPS of parcels / climatology, {c.UNMODULATED}: no worse", crps, "≤", NO_WORSE)
    width = scores.mean(c.UNMODULATED, lambda s: s.width)
    yield Target(f"width of 90 % intervals of parcels / climatology, {c.UNMODULATED}: as wide", width, "≥", AS_WIDE)


def _corruptions(scores: PeopleScores) -> Iterator[Target]:
    usual = c.on_cap(c.CAP)
    for label in c.CORRUPTIONS:
        yield Target(f"sd / sd of the usual recording, {label}", float(scores.sd_ratio(label, usual).mean), ">", 1.0)
    for label in c.CORRUPTIONS:
        covered = float(level_90(scores.coverage(label)))
        yield Target(f"coverage of 90 % intervals of voxels, {label}", covered, "≥", CORRUPTED_COVERAGE)
    for label in c.FLAGGED:
        yield Target(f"AUC of novelty, {label}", scores.novelty_auc(label, usual), "≥", NOVELTY_AUC)


def _deep(scores: PeopleScores) -> Iterator[Target]:
    usual = DEEP_R_SHARE * float(scores.r(c.on_cap(c.CAP), MODEL).mean)
    against = f"{DEEP_R_SHARE:g} x r of all parcels, {c.on_cap(c.CAP)}"
    yield Target(f"mean r of deep parcels, {c.DEEP}: low", float(scores.r(c.DEEP, MODEL).mean), "≤", usual, against)
    width = scores.mean(c.DEEP, lambda s: s.width)
    against = f"in the {DEEP_OF_USUAL}: {scores.mean(DEEP_OF_USUAL, lambda s: s.width):.3f}"
    yield Target(f"width of deep parcels' intervals / climatology, {c.DEEP}: high", width, "≥", DEEP_WIDTH, against)
