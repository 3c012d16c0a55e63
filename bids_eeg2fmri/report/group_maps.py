"""Maps of the group: where the model is reliable for its caps, and where its predictions vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .figures.rows import SliceRow, rows_figure
from .figures.slices import axial_slices, values_of
from .group_section import GroupSection, figures_section, group_figure
from .group_summaries import Panels, of_people
from .mosaic import robust_limits
from .parcel_values import as_parcels, on_template
from .style import DIVERGING, SEQUENTIAL, SYNTHETIC_TEXT, report_style


@dataclass(frozen=True)
class _Quantity:
    panel_id: str
    key: str
    name: str
    unit: str
    diverging: bool

    def take(self, panels: Panels) -> Float[np.ndarray, " parcels"] | None:
        """The parcels' values of a recording."""
        return as_parcels((panels.get(self.panel_id) or {}).get(self.key))


_QUANTITIES = (
    _Quantity("reliability", "parcel_r", "expected correlation with measured BOLD (reliability)", "r", True),
    _Quantity("tstd", "parcel_tstd", "standard deviation over time (amplitude)", "BOLD units", False),
    _Quantity("uncertainty", "parcel_relative", "relative uncertainty (total sd / sd of the signal)", "ratio", False),
)
_LEAST_SPREAD = 1e-4
_CAPTION = (
    "Mean over people, and how far people differ, per parcel; a person's recordings are averaged first. Reliability "
    "differs between people by their number of electrodes only. Read the other maps where reliability is above zero. A "
    "spread of nearly nothing in the amplitude: the model tells everyone the same."
)


def map_section(summaries: Mapping[str, Sequence[Panels]]) -> GroupSection | None:
    """Mean and spread over people of what is mapped; ``None`` when no recording has any of it.

    Parameters
    ----------
    summaries
        From :func:`.group_summaries.read_summaries`.
    """
    figures = []
    for quantity in _QUANTITIES:
        people = of_people(summaries, quantity.take)
        if people:
            figures.append(_draw(quantity, np.stack(list(people.values()))))
    return figures_section("Maps", _CAPTION, figures) if figures else None


def _draw(quantity: _Quantity, values: Float[np.ndarray, "people parcels"]) -> dict[str, str]:
    mean, n_people = _nan_mean(values), len(values)
    rows = [_row(f"Mean over {n_people} people: {quantity.name}", quantity, mean)]
    spread = np.sqrt(_nan_mean((values - mean) ** 2) * n_people / max(n_people - 1, 1))
    differs = n_people > 1 and np.nanmax(spread) > _LEAST_SPREAD
    if differs:
        painted, top = values_of(on_template(spread)), robust_limits(spread)[1]
        title = "Standard deviation over people"
        rows.append(SliceRow(title, painted, SEQUENTIAL, (0.0, top), quantity.unit, "max"))
    with report_style():
        figure = rows_figure(axial_slices(on_template(mean), n_slices=10), rows, SYNTHETIC_TEXT)
    low, middle, high = np.nanpercentile(mean, [5, 50, 95])
    description = (
        f"Synthetic: {quantity.name}, mean over {n_people} {'person' if n_people == 1 else 'people'}: median parcel "
        f"{middle:.3g} {quantity.unit}, 5th to 95th percentile {low:.3g} to {high:.3g}"
        f"{'; the same in all of them' if n_people > 1 and not differs else ''}."
    )
    return group_figure(figure, quantity.name, description)


def _row(title: str, quantity: _Quantity, values: Float[np.ndarray, " parcels"]) -> SliceRow:
    low, high = robust_limits(values)
    if quantity.diverging:
        reach = max(abs(low), abs(high), 0.1)
        return SliceRow(title, values_of(on_template(values)), DIVERGING, (-reach, reach), quantity.unit, "both")
    return SliceRow(title, values_of(on_template(values)), SEQUENTIAL, (0.0, high), quantity.unit, "max")


def _nan_mean(values: Float[np.ndarray, "people parcels"]) -> Float[np.ndarray, " parcels"]:
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
