"""One look for every figure: sizes, colours, fonts, and how a figure becomes an SVG."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_IN = 11.0
DPI = 130

INK = "#1f2933"
MUTED = "#66727f"
FAINT = "#d5dbe1"
BLUE = "#0067a5"
ORANGE = "#c24a00"
GREEN = "#00795a"
PURPLE = "#8a3d78"
SAND = "#b07d00"
SYNTHETIC_RED = "#b3001b"
# Seen on every colour of the maps.
OUTLINE = "#f2e94e"

# Perceptually uniform: lightness grows steadily (sequential) or away from zero (diverging, dark zero).
SEQUENTIAL = "viridis"
DIVERGING = "berlin"
# Where most of the picture is near zero and lies on white: a light zero.
DIVERGING_ON_WHITE = "RdBu_r"
GREYS = "gray"

SYNTHETIC_TEXT = "SYNTHETIC BOLD: predicted from EEG, not measured"

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    # Titles stay at the top of their axes: a given height spares the search for what else might be there.
    "axes.titley": 1.0,
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 0.9,
    "figure.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "bids_eeg2fmri",
    # Names of events and channels come from users: a dollar sign in them is not mathematics.
    "text.parse_math": False,
}


@contextmanager
def report_style() -> Iterator[None]:
    """The style of all figures; drawing and saving both happen inside it."""
    with mpl.rc_context(_RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(height_in: float) -> Figure:
    """An empty figure of the report's width."""
    return Figure(figsize=(WIDTH_IN, height_in), dpi=DPI)


def mark_synthetic(figure: Figure) -> None:
    """Write at the top of a figure that what it shows is synthetic."""
    mark(figure, SYNTHETIC_TEXT)


def mark(figure: Figure, text: str | None) -> None:
    """Write at the top of a figure, in a red box, where its data come from; nothing for ``None``."""
    if not text:
        return
    figure.text(
        0.5,
        1 - 0.09 / figure.get_figheight(),
        text,
        ha="center",
        va="top",
        fontsize=10.5,
        fontweight="bold",
        color="white",
        bbox={"boxstyle": "round,pad=0.3", "facecolor": SYNTHETIC_RED, "edgecolor": "none"},
    )


def top_of_axes(figure: Figure, below_in: float = 0.62) -> float:
    """Figure fraction under which axes leave room for the mark and a title."""
    return 1 - below_in / figure.get_figheight()


def quiet(axes: Axes) -> None:
    """Take frame and ticks from an axes that holds a picture."""
    axes.set_axis_off()


def shortened(label: str, length: int = 22) -> str:
    """A label without control characters; of a long one, the beginning and the end."""
    printable = "".join(character if character.isprintable() else "?" for character in label)
    if len(printable) <= length:
        return printable
    tail = length // 2
    return f"{printable[: length - tail - 1]}…{printable[-tail:]}"


def svg_bytes(figure: Figure, title: str, description: str) -> bytes:
    """The figure as SVG; the same figure gives the same bytes.

    Parameters
    ----------
    figure
        A figure drawn inside :func:`report_style`.
    title, description
        Written into the file's metadata.
    """
    buffer = io.BytesIO()
    metadata = {"Date": None, "Title": title, "Description": description}
    figure.savefig(buffer, format="svg", dpi=DPI, metadata=metadata)
    return buffer.getvalue()
