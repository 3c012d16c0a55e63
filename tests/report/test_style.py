from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from bids_eeg2fmri.report.style import new_figure, quiet, report_style, svg_bytes


def _picture(values: np.ndarray) -> str:
    with report_style():
        figure = new_figure(2.0)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.imshow(values, cmap="gray", vmin=0, vmax=255, interpolation="none")
        quiet(axes)
        return svg_bytes(figure, "title", "description").decode()


def test_the_pictures_of_a_figure_keep_every_pixel() -> None:
    values = np.random.default_rng(0).integers(0, 256, (20, 30))
    (encoded,) = re.findall(r"base64,\s*([A-Za-z0-9+/=\s]+)\"", _picture(values))
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("L"), int)
    # Matplotlib's shades of 0-255 are one off here and there.
    assert np.abs(shown - values).max() <= 1
