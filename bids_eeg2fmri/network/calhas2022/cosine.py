"""Cosine transforms of three axes, unnormalised: types II and III as SciPy's ``dctn`` and ``idctn`` define them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .config import Shape3


def cosine_transform(x: Float[Array, "batch a b c"]) -> Float[Array, "batch a b c"]:
    """Coefficients of the type-II transform: twice the sum of the values times a cosine, along each axis."""
    return _along_all_axes(x, [_forward_matrix(n) for n in x.shape[1:]])


def inverse_cosine(
    coefficients: Float[Array, "batch a b c"], out_shape: Shape3 | None = None
) -> Float[Array, "batch x y z"]:
    """Volumes from the coefficients of their lowest frequencies; higher ones are zero.

    Parameters
    ----------
    coefficients
        Of the type-II transform.
    out_shape
        Shape of the volumes; default: that of the coefficients. As published, amplitudes are not adapted to a larger
        shape: they shrink by the ratio of the sizes.
    """
    shape = coefficients.shape[1:] if out_shape is None else out_shape
    pairs = zip(coefficients.shape[1:], shape, strict=True)
    return _along_all_axes(coefficients, [_inverse_matrix(known, size) for known, size in pairs])


def _along_all_axes(x: Array, matrices: list[Float[np.ndarray, "known size"]]) -> Array:
    # The last axis first: it grows least, and the largest product comes last.
    for axis in (3, 2, 1):
        matrix = matrices[axis - 1].astype(x.dtype)
        x = jnp.moveaxis(jnp.tensordot(x, matrix, axes=(axis, 0)), -1, axis)
    return x


def _forward_matrix(n: int) -> Float[np.ndarray, "positions frequencies"]:
    return 2 * _cosines(n)


def _inverse_matrix(known: int, n: int) -> Float[np.ndarray, "frequencies positions"]:
    weights = np.where(np.arange(known) == 0, 1.0, 2.0) / (2 * n)
    return weights[:, None] * _cosines(n)[:, :known].T


def _cosines(n: int) -> Float[np.ndarray, "positions frequencies"]:
    return np.cos(np.pi * np.outer(2 * np.arange(n) + 1, np.arange(n)) / (2 * n))
