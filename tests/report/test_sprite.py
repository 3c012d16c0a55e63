"""The viewer's picture holds every slice at its place, in the colours that its bars show."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
from PIL import Image

from bids_eeg2fmri.bold.film import SLICES_MM
from bids_eeg2fmri.report.panels.viewer import make_viewer
from bids_eeg2fmri.report.run import RunReport
from bids_eeg2fmri.report.sprite import make_sprite
from bids_eeg2fmri.report.style import DIVERGING, SEQUENTIAL


def test_slices_lie_where_the_page_looks_for_them(report_of: Callable[..., RunReport]) -> None:
    run = report_of(n_volumes=60)
    film = run.film
    assert film is not None
    sprite = make_sprite(film)
    data = make_viewer(run).data
    width, height = data["width"], data["height"]
    picture = np.asarray(Image.open(io.BytesIO(sprite.png)).convert("RGB"), int)
    frames = len(data["times_s"])
    assert picture.shape == (2 * frames * height + 8, len(SLICES_MM) * width, 3)
    low, high = sprite.sd_limits_z
    kinds = (
        (film.mean_z, DIVERGING, -sprite.mean_limit_z, sprite.mean_limit_z),
        (film.sd_z, SEQUENTIAL, low, high),
    )
    for quantity, (values, cmap, bottom, top) in enumerate(kinds):
        for frame, place in ((0, 0), (7, 9), (frames - 1, len(SLICES_MM) - 1)):
            rows = slice((2 * frame + quantity) * height, (2 * frame + quantity + 1) * height)
            tile = picture[rows, place * width : (place + 1) * width]
            shown = values[frame, place][::-1]
            inside = np.isfinite(shown)
            colours = 255 * mpl.colormaps[cmap](np.clip((shown[inside] - bottom) / (top - bottom), 0, 1))[:, :3]
            # A shade is a 126th of the scale.
            assert np.abs(tile[inside] - colours).max() < 6
            assert (tile[~inside] == 255).all()
    assert np.abs(picture[-8, 0] - 255 * np.array(mpl.colormaps[DIVERGING](0.0)[:3])).max() < 2
    assert np.abs(picture[-1, -1] - 255 * np.array(mpl.colormaps[SEQUENTIAL](1.0)[:3])).max() < 2


def test_the_picture_is_small(report_of: Callable[..., RunReport]) -> None:
    run = report_of(n_volumes=90)
    assert len(make_viewer(run).png) < 1_000_000
