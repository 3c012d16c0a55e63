"""Recorded BOLD on the grid where networks are scored, kept on disk between the splits that need it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..bold.atlas import load_atlas
from ..bold.grid import Grid, make_grid
from ..bold.real_bold import RealBold
from ..derivatives.atomic import atomic_path
from ..evaluation.forecast import Observed
from ..evaluation.online import valid_averages
from ..evaluation.pictures import Picture, standardised_picture
from ..settings import OutputSpace


@lru_cache(maxsize=1)
def scoring_grid() -> Grid:
    """The grid of all scores: 4 mm, about the resolution that a trained network resolves."""
    return make_grid(OutputSpace(resolution="4"))


@lru_cache(maxsize=1)
def scoring_labels() -> Int[np.ndarray, " voxels"]:
    """Parcel of each of the grid's voxels, counted from 1; 0 outside."""
    return load_atlas().labels_at(scoring_grid().coordinates_mm)


def observe(bold: RealBold) -> Observed:
    """Standardised series on the scoring grid, with the person's mean picture.

    Raises
    ------
    BadDataError
        The image holds nothing to score.
    """
    grid = scoring_grid()
    targets = bold.targets(grid.coordinates_mm)
    averaging, parcel_valid = valid_averages(load_atlas().averaging_matrix(grid.coordinates_mm), targets.valid)
    picture = standardised_picture(targets.mean, targets.sd, int(np.prod(grid.shape)))
    return Observed(
        z=targets.z,
        parcel_z=(averaging @ targets.z.T).T.astype(np.float32),
        valid=targets.valid,
        parcel_valid=parcel_valid,
        tr_s=bold.tr_s,
        picture_mean=picture.mean,
        picture_sd=picture.sd,
        picture_background=float(picture.background),
    )


def save_observed(path: Path, observed: Observed) -> None:
    """Write what :func:`load_observed` reads, whole or not at all; voxels in half precision."""
    arrays: dict[str, Any] = vars(observed) | {"z": observed.z.astype(np.float16)}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_observed(path: Path) -> Observed:
    """Read what :func:`save_observed` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    scalars = {name: float(arrays[name]) for name in ("tr_s", "picture_background")}
    return Observed(**arrays | scalars | {"z": arrays["z"].astype(np.float32)})


def mean_picture(paths: tuple[Path, ...]) -> Picture:
    """The mean over recordings of their pictures: what a model without any scan of a person can show.

    At every voxel the recordings without a signal there are left out.
    """
    total, total_sd = (np.zeros(len(scoring_labels())) for _ in range(2))
    count = np.zeros(len(total), np.int64)
    backgrounds = []
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            valid = stored["valid"]
            total += np.where(valid, stored["picture_mean"], 0)
            total_sd += np.where(valid, stored["picture_sd"], 0)
            count += valid
            backgrounds.append(float(stored["picture_background"]))
    background = float(np.mean(backgrounds))
    known, count = count > 0, np.maximum(count, 1)
    mean: Float[np.ndarray, " voxels"] = np.where(known, total / count, background).astype(np.float32)
    return Picture(mean, (total_sd / count).astype(np.float32), background)
