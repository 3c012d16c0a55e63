"""Prediction and uncertainty over time, to be leafed through."""

from __future__ import annotations

from ...bold.film import SLICES_MM
from ..panel import Interactive
from ..run import RunReport
from ..sprite import make_sprite


def has_film(run: RunReport) -> bool:
    """Whether slices over time were kept."""
    return run.film is not None


def make_viewer(run: RunReport) -> Interactive:
    """What the page's viewer needs: the picture of all slices and times, and what they are."""
    if run.film is None:
        raise ValueError("no slices over time were kept")
    sprite = make_sprite(run.film)
    _, n_along, n_across = run.film.inside.shape
    low, high = sprite.sd_limits_z
    data = {
        "times_s": [round(float(volume * run.recording.clock.tr_s), 3) for volume in run.film.volumes],
        "slices_mm": list(SLICES_MM),
        "width": n_across,
        "height": n_along,
        "mean_limits": [f"{-sprite.mean_limit_z:.2f}", f"{sprite.mean_limit_z:.2f}"],
        "sd_limits": [f"{low:.2f}", f"{high:.2f}"],
    }
    return Interactive(data, sprite.png)
