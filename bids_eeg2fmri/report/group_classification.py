"""The section of the group page on a classification."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..classification.analysis import EEG, LENGTH, MAJORITY, NOTHING, SYNTHETIC, Classification, Scored
from ..classification.view_features import AMPLITUDE, RESPONSE
from .figures.rows import SliceRow, rows_figure
from .figures.slices import axial_slices, values_of
from .group_section import GroupSection, figures_section, group_figure
from .parcel_values import on_template
from .style import BLUE, DIVERGING, FAINT, INK, MUTED, ORANGE, SYNTHETIC_TEXT, new_figure, report_style

_SHOWN = {"balanced_accuracy": "Balanced accuracy", "auc": "AUC"}
_COLOURS = {SYNTHETIC: BLUE, EEG: ORANGE, LENGTH: MUTED, NOTHING: MUTED}
_NAMES = {SYNTHETIC: "synthetic BOLD", EEG: "EEG band power", LENGTH: "recording length", NOTHING: ""}
_CAPTION = (
    "Can {unit} be told apart by {source}? {classes}; cross-validated over {people} people in {folds}, nobody in "
    "training and test at once. Bars: 95 % intervals over people. Grey ticks: what 5 % of permuted labellings exceed "
    "(labels permuted {permuted}). Synthetic BOLD is made from the EEG and holds nothing that the EEG does not: read "
    "its rows against band power. A bad picture: intervals across the dashed line of chance, or band power as good as "
    "the synthetic BOLD, so that the detour adds nothing. The best of many rows is good by luck: read one row that "
    "was chosen before."
)
_LENGTH_WARNING = (
    "The length of the recordings alone tells the classes apart with an AUC of {auc:.2f}. Amplitude and connectivity "
    "were computed in windows of one length, but whatever else goes with the length is not ruled out."
)
_LENGTH_LIMIT = 0.65


def classification_section(result: Classification) -> GroupSection:
    """Scores beside the baselines, and where in the brain the decision comes from.

    Parameters
    ----------
    result
        The classification.
    """
    problem, units = result.problem, result.units
    counts = np.bincount(problem.classes, minlength=len(problem.class_names))
    classes = ", ".join(f"{name}: {count}" for name, count in zip(problem.class_names, counts, strict=True))
    caption = _CAPTION.format(
        unit="events" if units.window_s is None else "people or recordings",
        source=units.source,
        classes=classes,
        people=len(problem.people_names),
        folds=f"{problem.folds} folds" if problem.folds != "loso" else "as many folds",
        permuted="within people" if problem.within_people else "between people",
    )
    figures = [group_figure(_draw_scores(result), "Scores of classifiers", _describe(result))]
    figures.append(_pattern_picture(result))
    table = {"columns": _columns(), "rows": [_row(scored) for scored in result.scored]}
    title = f"Classification by {result.column}"
    return figures_section(title, caption, figures, warning=_warning(result), table=table)


def _warning(result: Classification) -> str | None:
    of_length = [scored.scores["auc"] for scored in result.scored if scored.features == LENGTH]
    if of_length and max(of_length[0], 1 - of_length[0]) >= _LENGTH_LIMIT:
        return _LENGTH_WARNING.format(auc=of_length[0])
    return None


def _name(scored: Scored) -> str:
    return scored.classifier if scored.features == NOTHING else f"{scored.classifier}, {_NAMES[scored.features]}"


def _draw_scores(result: Classification) -> Figure:
    with report_style():
        figure = new_figure(0.9 + 0.27 * len(result.scored))
        both = figure.subplots(1, len(_SHOWN), sharey=True)
        for axes, (metric, label) in zip(both, _SHOWN.items(), strict=True):
            for height, scored in enumerate(reversed(result.scored)):
                _draw_row(axes, height, scored, metric)
            chance = 1 / len(result.problem.class_names) if metric == "balanced_accuracy" else 0.5
            axes.axvline(chance, color=INK, linestyle="--", linewidth=0.8)
            axes.set(xlim=(0, 1.02), xlabel=label)
            axes.grid(axis="x", color=FAINT, linewidth=0.6)
        names = [_name(scored) for scored in reversed(result.scored)]
        both[0].set_yticks(range(len(names)), labels=names)
        figure.subplots_adjust(left=0.22, right=0.98, top=0.97, bottom=0.5 / figure.get_figheight(), wspace=0.08)
    return figure


def _draw_row(axes: Axes, height: int, scored: Scored, metric: str) -> None:
    low, high = scored.intervals[metric]
    colour = _COLOURS[scored.features]
    if np.isfinite([low, high]).all():
        axes.plot([low, high], [height, height], color=colour, linewidth=2.2, alpha=0.5)
    axes.plot(scored.scores[metric], height, "o", color=colour, markersize=5)
    limit = scored.chance.get(metric, float("nan"))
    if np.isfinite(limit):
        axes.plot([limit, limit], [height - 0.32, height + 0.32], color=MUTED, linewidth=1.4)


def _pattern_picture(result: Classification) -> dict[str, str]:
    pattern = result.pattern
    of_parcels = np.isin(pattern.blocks, (AMPLITUDE, RESPONSE))
    correlation = pattern.correlation[:, of_parcels]
    reach = max(float(np.abs(correlation).max()), 0.1)
    rows = [
        SliceRow(
            f"Goes along with the decision for {name}", values_of(on_template(values)), DIVERGING, (-reach, reach), "r"
        )
        for name, values in zip(pattern.classes, correlation, strict=True)
    ]
    with report_style():
        figure = rows_figure(axial_slices(on_template(correlation[0]), n_slices=10), rows, SYNTHETIC_TEXT)
    strongest = np.argsort(-np.abs(correlation[0]))[:3]
    named = ", ".join(f"{pattern.names[index]} ({correlation[0][index]:+.2f})" for index in strongest)
    text = (
        f"Synthetic: correlation of every parcel with the linear decision for {pattern.classes[0]}, fitted to "
        f"everybody; strongest {named}. It shows where the decision comes from, not whether it is right: read it only "
        "if the linear row above is better than chance."
    )
    return group_figure(figure, "Pattern of the decision", text)


def _describe(result: Classification) -> str:
    parts = [
        f"{_name(scored)}: balanced accuracy {scored.scores['balanced_accuracy']:.2f}, AUC {scored.scores['auc']:.2f}"
        for scored in result.scored
        if scored.classifier in ("linear", MAJORITY)
    ]
    return "; ".join(parts) + "."


def _columns() -> list[str]:
    return [
        "classifier, features",
        "accuracy",
        "balanced accuracy",
        "sensitivity",
        "specificity",
        "F1",
        "AUC",
        "p of AUC",
    ]


def _row(scored: Scored) -> list[str]:
    cells = [_name(scored)]
    for name, value in scored.scores.items():
        low, high = scored.intervals[name]
        interval = f" [{low:.2f}, {high:.2f}]" if name in _SHOWN and np.isfinite([low, high]).all() else ""
        cells.append(f"{value:.2f}{interval}" if np.isfinite(value) else "–")
    p = scored.p["auc"]
    return [*cells, f"{p:.3f} (of {scored.n_permutations})" if np.isfinite(p) else "–"]
