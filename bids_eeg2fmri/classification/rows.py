"""Compiled fits of many labellings, a few at a time, so that one compiled program serves any number."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from .rotated import Rotated

MAX_AXES = 32
_AT_ONCE = 10


def fit_rows(
    fit: Callable[..., Array], rotated: Rotated, penalty: float, *tables: Shaped[np.ndarray | Array, "labellings ..."]
) -> Float[np.ndarray, "labellings units"]:
    """Decision values by ``fit`` of every labelling.

    Parameters
    ----------
    fit
        A compiled function that maps values (units x :data:`MAX_AXES`), a penalty and a few rows of every table to as
        many rows of decision values.
    rotated
        The units. Axes beyond :data:`MAX_AXES`, those of the smallest variance, are left out; missing ones are zero.
    penalty
        Handed on.
    tables
        What differs between labellings.
    """
    values = np.zeros((len(rotated.values), MAX_AXES), np.float32)
    values[:, : rotated.values.shape[1]] = rotated.values[:, :MAX_AXES]
    count = len(tables[0])
    decided = []
    for start in range(0, count, _AT_ONCE):
        rows = np.minimum(np.arange(start, start + _AT_ONCE), count - 1)
        given = (table[rows] for table in tables)
        decided.append(np.asarray(fit(jnp.asarray(values), jnp.float32(penalty), *given), float))
    return np.concatenate(decided)[:count]
