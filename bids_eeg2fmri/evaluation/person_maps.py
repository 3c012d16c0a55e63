"""One map per recording from its BOLD on disk: how much it varies, and how it follows events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from nilearn.glm.first_level import make_first_level_design_matrix

RESTING_BAND_HZ = (0.01, 0.1)
_HIGH_PASS_HZ = 1 / 128
_SLAB_BYTES = 2**30
AMPLITUDE, TEMPORAL_SD = "amplitude", "tstd"


def recording_maps(
    bold: Path,
    inside: Bool[np.ndarray, "x y z"],
    tr_s: float,
    events: pd.DataFrame | None,
    *,
    start_time_s: float = 0.0,
    n_incomplete: int = 0,
) -> dict[str, Float[np.ndarray, " voxels"]]:
    """Maps of one recording, in BOLD units.

    ``amplitude``: sd between 0.01 and 0.1 Hz, the root of the power whose square roots ALFF averages (Zang et al. 2007,
    Brain Dev 29:83); unlike that average, it does not fall with the recording's length. ``tstd``: sd over time. ``event
    <type>``: response to every type of event, one model each: least squares on the convolved events (Glover 1999,
    NeuroImage 9:416), drifts slower than 128 s and a constant.

    Parameters
    ----------
    bold, inside
        The 4-D image, and the voxels wanted.
    tr_s
        Repetition time.
    events
        ``onset``, ``duration`` (seconds from the first volume) and ``trial_type``; ``None`` without events.
    start_time_s
        Instant within the repetition time that a volume stands for.
    n_incomplete
        Volumes at the beginning that are left out.
    """
    types = [] if events is None else sorted(set(events["trial_type"]))
    parts: dict[str, list[np.ndarray]] = {}
    solvers: dict[str, Float[np.ndarray, " volumes"]] = {}
    for whole in _slabs(bold, inside):
        series = whole[n_incomplete:]
        if not solvers:
            times_s = start_time_s + tr_s * np.arange(n_incomplete, len(whole))
            solvers = {name: solver for name in types if (solver := _response(events, name, times_s)) is not None}
        found = {AMPLITUDE: band_amplitude(series, tr_s), TEMPORAL_SD: series.std(axis=0)}
        found |= {f"event {name}": solver @ series for name, solver in solvers.items()}
        for name, values in found.items():
            parts.setdefault(name, []).append(values.astype(np.float32))
    return {name: np.concatenate(pieces) for name, pieces in parts.items()}


def band_amplitude(series: Float[np.ndarray, "volumes voxels"], tr_s: float) -> Float[np.ndarray, " voxels"]:
    """Sd of what lies between 0.01 and 0.1 Hz; zero where the recording is too short for any of it."""
    n_volumes = len(series)
    freqs_hz = np.fft.rfftfreq(n_volumes, tr_s)
    low, high = RESTING_BAND_HZ
    chosen = np.flatnonzero((freqs_hz >= low - 1e-9) & (freqs_hz <= high + 1e-9))
    if not len(chosen):
        return np.zeros(series.shape[1], np.float32)
    turns = np.exp(-2j * np.pi * np.outer(chosen, np.arange(n_volumes)) / n_volumes).astype(np.complex64)
    sines = 2 / n_volumes * np.abs(turns @ (series - series.mean(axis=0)))
    return np.asarray(np.sqrt(np.square(sines).sum(axis=0) / 2))


def _slabs(bold: Path, inside: Bool[np.ndarray, "x y z"]) -> Iterator[Float[np.ndarray, "volumes voxels"]]:
    """Series of the voxels in C order of the grid, some planes at a time where an image is large."""
    image = nib.load(bold)
    n_slabs = max(int(4 * np.prod(image.shape) // _SLAB_BYTES), 1)
    for planes in np.array_split(np.arange(image.shape[0]), min(n_slabs, image.shape[0])):
        chosen = slice(planes[0], planes[-1] + 1)
        if inside[chosen].any():
            yield np.asarray(image.dataobj[chosen], np.float32)[inside[chosen]].T


def _response(
    events: pd.DataFrame | None, name: str, times_s: Float[np.ndarray, " volumes"]
) -> Float[np.ndarray, " volumes"] | None:
    """Row that takes a series to its response to one type of events; ``None`` when no volume tells."""
    if events is None:
        return None
    chosen = events[events["trial_type"] == name].assign(trial_type="event")
    chosen = chosen[(chosen["onset"] >= 0) & (chosen["onset"] < times_s[-1])]
    if chosen.empty:
        return None
    design = make_first_level_design_matrix(
        times_s, chosen, hrf_model="glover", drift_model="cosine", high_pass=_HIGH_PASS_HZ
    )
    regressor = design["event"].to_numpy(float)
    others = design.drop(columns="event").to_numpy(float)
    own = regressor - others @ np.linalg.lstsq(others, regressor, rcond=None)[0]
    power = own @ own
    return None if power < 1e-3 * max(regressor @ regressor, 1e-12) else (own / power).astype(np.float32)
