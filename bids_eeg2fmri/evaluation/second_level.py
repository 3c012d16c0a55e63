"""Maps of people over a column of a table: a general linear model per voxel, people weighted by how certain they are.

nilearn's :class:`~nilearn.glm.second_level.SecondLevelModel` knows no weights. Here every person's map and row of the
design are divided by the same number, which makes ordinary least squares of the result weighted least squares of the
maps. That number is one per person, not one per voxel, because one design serves all voxels: the square root of the
variance between people plus the person's own, the first by the method of moments (DerSimonian and Laird 1986, Control
Clin Trials 7:177), averaged over voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import nibabel as nib
import numpy as np
import pandas as pd
from jaxtyping import Float
from nilearn.glm.second_level import SecondLevelModel
from scipy.stats import norm

from ..errors import UsageError

INTERCEPT = "intercept"
_LEAST_PER_GROUP = 2
_LEAST_FREEDOM = 2
_MISSING = ("", "n/a")


@dataclass(frozen=True)
class Design:
    """A model of people and what is asked of it.

    Attributes
    ----------
    matrix
        One row per person.
    contrast
        One row per question about the columns; several rows make an F test.
    statistic
        Which test.
    question
        What a positive value means, or what the F test is of.
    """

    matrix: pd.DataFrame
    contrast: Float[np.ndarray, "questions columns"]
    statistic: Literal["t", "F"]
    question: str


@dataclass(frozen=True)
class SecondLevel:
    """Maps of a fitted model.

    Attributes
    ----------
    effect
        Difference or slope, in the maps' units; ``None`` for an F test.
    z, p
        z score, and the p-value it stands for: two-sided, except of an F test.
    weights
        Of every person; their mean is one.
    between_sd
        Sd between people that the weights take as given; ``None`` without weights.
    """

    effect: nib.Nifti1Image | None
    z: nib.Nifti1Image
    p: nib.Nifti1Image
    weights: Float[np.ndarray, " people"]
    between_sd: float | None


def is_known(value: str) -> bool:
    """Whether a cell of a table says anything."""
    return value.strip().lower() not in _MISSING


def make_design(values: Sequence[str], column: str) -> Design:
    """The model for what people's cells hold: numbers, two groups, or more groups.

    Parameters
    ----------
    values
        One known cell per person.
    column
        The column's name.

    Raises
    ------
    UsageError
        Too few people, all alike, or groups of one.
    """
    numbers = _numbers(values)
    groups = sorted(set(values))
    if len(groups) < 2:
        raise _unusable(column, f"holds {groups[0]!r} for everybody" if groups else "holds nothing")
    if numbers is not None and len(groups) > 2:
        matrix = pd.DataFrame({column: numbers - numbers.mean(), INTERCEPT: 1.0})
        design = Design(matrix, np.array([[1.0, 0.0]]), "t", f"increase per unit of {column}")
    else:
        design = _groups(values, groups, column)
    if len(values) < design.matrix.shape[1] + _LEAST_FREEDOM:
        raise _unusable(column, f"is known of {len(values)} people with maps, which is too few")
    return design


def _numbers(values: Sequence[str]) -> Float[np.ndarray, " people"] | None:
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _groups(values: Sequence[str], groups: Sequence[str], column: str) -> Design:
    small = [group for group in groups if list(values).count(group) < _LEAST_PER_GROUP]
    if small:
        raise _unusable(column, f"has {small[0]!r} for one person only")
    first, *others = groups
    member = {group: np.array([float(value == group) for value in values]) for group in groups}
    if len(groups) == 2:
        matrix = pd.DataFrame({column: member[others[0]] - 0.5, INTERCEPT: 1.0})
        return Design(matrix, np.array([[1.0, 0.0]]), "t", f"{others[0]} minus {first}")
    matrix = pd.DataFrame({f"{column} {group}": member[group] for group in others} | {INTERCEPT: 1.0})
    contrast = np.eye(len(groups))[:-1]
    return Design(matrix, contrast, "F", f"any difference between {', '.join(groups)}")


def fit_second_level(
    maps: Sequence[nib.Nifti1Image],
    mask: nib.Nifti1Image,
    design: Design,
    own_sd: Float[np.ndarray, " people"] | None = None,
) -> SecondLevel:
    """Fit the model in every voxel of the mask.

    Parameters
    ----------
    maps
        One per person, in the order of the design's rows.
    mask
        Where to fit.
    design
        The model.
    own_sd
        Sd of every person's map that has nothing to do with the person, in the maps' units; ``None``: people weigh
        the same.
    """
    inside = np.asarray(mask.dataobj) > 0
    data = np.stack([np.asarray(image.dataobj, np.float32)[inside] for image in maps])
    between_sd, weights = None, np.ones(len(maps))
    if own_sd is not None:
        between_sd = _between_sd(data, design.matrix.to_numpy(float), own_sd)
        weights = 1 / np.sqrt(between_sd**2 + np.square(own_sd))
        weights = weights / weights.mean()
    model = SecondLevelModel(mask_img=mask, verbose=0)
    images = [_image(weight * row, inside, mask) for weight, row in zip(weights, data, strict=True)]
    model.fit(images, design_matrix=design.matrix * weights[:, None])
    one_row = len(design.contrast) == 1
    contrast = design.contrast[0] if one_row else design.contrast
    found = model.compute_contrast(contrast, second_level_stat_type=design.statistic, output_type="all")
    z = np.asarray(found["z_score"].dataobj)[inside]
    p = np.asarray(found["p_value"].dataobj)[inside]
    # From z: nilearn's p is one-sided, and 1 - p has no digits left for strong negative effects.
    two_sided = 2 * norm.sf(np.abs(z)) if design.statistic == "t" else p
    return SecondLevel(
        found["effect_size"] if one_row else None,
        _image(z, inside, mask),
        _image(two_sided, inside, mask, outside=1.0),
        np.square(weights) / np.square(weights).mean(),
        between_sd,
    )


def _between_sd(
    data: Float[np.ndarray, "people voxels"],
    matrix: Float[np.ndarray, "people columns"],
    own_sd: Float[np.ndarray, " people"],
) -> float:
    """Sd between people beyond their own: what is left of the residuals' variance, in the mean over voxels."""
    hat = matrix @ np.linalg.pinv(matrix)
    leverage = 1 - np.diag(hat)
    residual = data - hat @ data
    expected = (leverage * np.square(own_sd)).sum()
    excess = np.square(residual).sum(axis=0).mean() - expected
    return float(np.sqrt(max(excess, 0) / leverage.sum()))


def _image(
    values: Float[np.ndarray, " voxels"], inside: np.ndarray, mask: nib.Nifti1Image, outside: float = 0.0
) -> nib.Nifti1Image:
    volume = np.full(inside.shape, outside, np.float32)
    volume[inside] = values
    return nib.Nifti1Image(volume, mask.affine)


def _unusable(column: str, reason: str) -> UsageError:
    return UsageError(
        f"--contrast: the column {column!r} {reason}.",
        remedy="Name a column of participants.tsv with numbers, or with groups of two people or more.",
    )
