"""Drawing the cap of a recording."""

from __future__ import annotations

import numpy as np

from ..eeg.leadfield import template_directions
from .caps import cap_names

_STANDARD = (19, 32, 64, 128)
_SMALLEST = 16
_STANDARD_SHARE = 0.45
_LOPSIDED_SHARE = 0.4


def draw_cap(rng: np.random.Generator) -> tuple[str, ...]:
    """A random cap of 16 to 128 electrodes of the 10-05 system.

    Nearly half of the draws are a standard cap less a few electrodes. The others are any subset of 128, small ones as
    often as large ones; four in ten of all get thinner towards one side of the head.
    """
    if rng.random() < _STANDARD_SHARE:
        names = cap_names(int(rng.choice(_STANDARD)))
        size = max(len(names) - int(rng.integers(0, max(len(names) // 6, 2))), _SMALLEST)
    else:
        names = cap_names(_STANDARD[-1])
        size = round(float(np.exp(rng.uniform(np.log(_SMALLEST), np.log(len(names))))))
    steepness = rng.uniform(0.5, 2.0) if rng.random() < _LOPSIDED_SHARE else 0.0
    side = rng.standard_normal(3)
    likely = np.exp(steepness * (template_directions(names) @ (side / np.linalg.norm(side))))
    chosen = rng.choice(len(names), size, replace=False, p=likely / likely.sum())
    return tuple(names[index] for index in np.sort(chosen))
