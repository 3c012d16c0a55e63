"""Whether people differ in their connectivity, or the model tells everyone the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ..evaluation.connectivity import all_similarities, pair_similarity
from .figures.similarity import plot_similarity
from .group_section import GroupSection, figures_section, group_figure
from .group_summaries import Panels, of_people
from .panels.connectivity import COLLAPSED_R, decode_correlations
from .style import SYNTHETIC_TEXT

_CAPTION = (
    "How alike the connectivity of two people is: the correlation between their matrices over all pairs of parcels. A "
    f"mean of {COLLAPSED_R:g} or more means that the model repeats one connectivity for everybody (collapse). Two "
    "recordings of one person should be more alike than those of two people."
)


def connectivity_section(summaries: Mapping[str, Sequence[Panels]]) -> GroupSection | None:
    """The matrix of similarities between people; ``None`` with fewer than two people.

    Parameters
    ----------
    summaries
        From :func:`.group_summaries.read_summaries`.
    """
    people = of_people(summaries, _pairs)
    if len(people) < 2:
        return None
    names = sorted(people)
    matrix = all_similarities(np.stack([people[name] for name in names]))
    between = matrix[np.triu_indices(len(names), 1)]
    known = between[np.isfinite(between)]
    if not len(known):
        return None
    mean, within = float(known.mean()), _within(summaries)
    words = f"Mean similarity between {len(names)} people {mean:.2f}, range {known.min():.2f} to {known.max():.2f}."
    if np.isfinite(within):
        words += f" Between two recordings of one person it is {within:.2f} on average."
    figure = plot_similarity(matrix, [f"sub-{name}" for name in names], collapsed=COLLAPSED_R, mark=SYNTHETIC_TEXT)
    picture = group_figure(figure, "Similarity of connectivity", f"Synthetic: {words}")
    warning = None
    if mean >= COLLAPSED_R:
        warning = (
            f"The connectivity of all people is nearly the same (mean similarity {mean:.2f}): it tells of the model "
            "and not of people. Do not compare people by it."
        )
    return figures_section("Connectivity of people", _CAPTION, [picture], warning=warning)


def _pairs(panels: Panels) -> Float[np.ndarray, " pairs"] | None:
    text = (panels.get("connectivity") or {}).get("parcel_r")
    try:
        return decode_correlations(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _within(summaries: Mapping[str, Sequence[Panels]]) -> float:
    """Mean similarity between recordings of one person; NaN when nobody has two."""
    found = []
    for recordings in (several for several in summaries.values() if len(several) > 1):
        own = [pairs for panels in recordings if (pairs := _pairs(panels)) is not None]
        found += [pair_similarity(own[a], own[b]) for a in range(len(own)) for b in range(a)]
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
