"""Global, white-matter and CSF series, and the statement that there is no motion."""

from __future__ import annotations

import numpy as np

from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, INK, MUTED, SAND, mark_synthetic
from ..timeaxis import confound, draw_series, time_figure, volume_span_s

_SERIES = (
    ("global_signal", "Global signal", INK),
    ("white_matter", "White matter", SAND),
    ("csf", "CSF", BLUE),
)


def draw_confounds(run: RunReport) -> Drawing:
    """Draw the tissue series of the confounds table."""
    figure, rows = time_figure((0.65,) * len(_SERIES), above_in=0.85)
    mark_synthetic(figure)
    for axes, (column, name, colour) in zip(rows, _SERIES, strict=True):
        draw_series(axes, run, confound(run, column), f"{name} (BOLD units)", colour)
    rows[-1].set_xlim(*volume_span_s(run))
    statement = motion_statement(run)
    figure.text(0.5, 1 - 0.38 / figure.get_figheight(), statement, ha="center", va="top", fontsize=9, color=MUTED)
    return Drawing(figure, f"Synthetic: global, white-matter and CSF series of the confounds table. {statement}")


def motion_statement(run: RunReport) -> str:
    """What the motion columns of the confounds table hold, as found there."""
    columns = [name for name in run.confounds.columns if str(name).startswith(("trans_", "rot_"))]
    if not columns:
        return "The table has no motion columns."
    values = [confound(run, name) for name in columns]
    if all(series is None or not np.nan_to_num(series).any() for series in values):
        return f"Motion is zero by construction: all {len(columns)} motion columns hold zeros (no head, no movement)."
    return "The motion columns of this table are not zero."
