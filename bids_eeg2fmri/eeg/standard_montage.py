"""Electrode positions of the standard montages, in the head frame."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

import mne
import numpy as np
from jaxtyping import Float

from ..errors import UsageError

# MNE-Python 1.13 renamed the montages of the Colin27 head.
_OLD_PREFIX, _NEW_PREFIX = "standard_", "colin27_"
_N_SUGGESTIONS = 3


@lru_cache(maxsize=4)
def standard_positions(name: str) -> Mapping[str, Float[np.ndarray, " 3"]]:
    """Positions of a standard montage in metres, head frame (RAS, origin between the ears).

    Parameters
    ----------
    name
        A built-in montage of MNE-Python; ``standard_*`` and ``colin27_*`` name the same ones.

    Raises
    ------
    UsageError
        When there is no such montage.
    """
    known = mne.channels.get_builtin_montages()
    renamed = name.replace(_OLD_PREFIX, _NEW_PREFIX) if name.startswith(_OLD_PREFIX) else name
    older = name.replace(_NEW_PREFIX, _OLD_PREFIX) if name.startswith(_NEW_PREFIX) else name
    found = next((candidate for candidate in (renamed, name, older) if candidate in known), None)
    if found is None:
        raise UsageError(
            f"There is no standard montage {name!r}.", remedy=f"Choose one of: {', '.join(sorted(known))}."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        montage = mne.channels.make_standard_montage(found)
        to_head = mne.channels.compute_native_head_t(montage)
    positions = montage.get_positions()["ch_pos"]
    return MappingProxyType({label: mne.transforms.apply_trans(to_head, xyz) for label, xyz in positions.items()})


def suggest_montages(names: Iterable[str]) -> list[str]:
    """Standard montages that know most of the names, best first.

    Parameters
    ----------
    names
        Channel names that could not be placed.
    """
    wanted = {name.lower() for name in names}
    counts = {
        montage: len(wanted & {label.lower() for label in standard_positions(montage)})
        for montage in mne.channels.get_builtin_montages()
    }
    ranked = sorted(counts, key=lambda montage: -counts[montage])
    return [montage for montage in ranked if counts[montage] >= len(wanted) / 2][:_N_SUGGESTIONS]
