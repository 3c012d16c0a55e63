"""From the bipolar channels of the Oddball cap to potentials at its electrodes.

Channels and pairs are those of the dataset's ``shortestpath.m`` and ``EEGfMRI_cap_bipolar_pair_mapping.pdf``; the noisy
channels of each person are those of its README (github.com/OpenNeuroDatasets/ds000116). The 43 channels join 36
electrodes, so that potentials follow from them by least squares, up to the common average. The authors' function
adds channels along the shortest path to a reference instead, which uses fewer of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

_CHANNELS = """
C3-T7 T7-LM LM-CP5 CP5-P7 P7-PO7 PO7-PO3 PO3-O1 O1-Oz PO3-P3 P3-CP1 Pz-CP1 CP1-C3 Cz-C3 Fp2-Fp1 Fp1-AF3 AF4-Fp2
AF3-F3 F4-AF4 F3-F7 F8-F4 FC1-F3 F4-FC2 F7-FC5 FC6-F8 FC5-T7 T8-FC6 Cz-Fz Fz-FC1 FC2-Fz T8-C4 RM-T8 CP6-RM P8-CP6
PO8-P8 PO4-PO8 O2-PO4 Oz-O2 P4-PO4 CP2-P4 CP2-Pz C4-CP2 C4-Cz Pz-Oz
"""
PAIRS = tuple((pair.partition("-")[0], pair.partition("-")[2]) for pair in _CHANNELS.split())
MASTOIDS = ("LM", "RM")
ELECTRODES = (
    *("Fp1", "Fp2", "AF3", "AF4", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6", "T7", "C3", "Cz", "C4"),
    *("T8", "CP5", "CP1", "CP2", "CP6", "P7", "P3", "Pz", "P4", "P8", "PO7", "PO3", "PO4", "PO8", "O1", "Oz", "O2"),
)
"""The 34 electrodes of the scalp; the two mastoids are solved for and left out."""

NOISY: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        **{"01": (8, 24), "02": (5, 30), "03": (29, 30, 34, 36), "04": (23, 24, 30), "05": (8, 30), "06": (9, 24, 30)},
        **{"07": (30,), "08": (28, 29, 30, 33, 36), "09": (29, 30, 33), "10": (24, 29, 33), "11": (16, 24, 30)},
        **{"12": (30,), "13": (30,), "14": (30,), "15": (8, 16, 28, 34, 37), "16": (16, 24, 30, 28, 37), "17": (7, 33)},
    }
)
"""Channels, counted from 1, that the authors judged noisy, by person."""


def differences() -> Float[np.ndarray, "channels nodes"]:
    """What each channel records: +1 at its first electrode, -1 at its second; mastoids come last."""
    nodes = [*ELECTRODES, *MASTOIDS]
    matrix = np.zeros((len(PAIRS), len(nodes)))
    for channel, (first, second) in enumerate(PAIRS):
        matrix[channel, nodes.index(first)], matrix[channel, nodes.index(second)] = 1.0, -1.0
    return matrix


def to_electrodes(
    bipolar: Float[np.ndarray, "channels samples"], noisy: Sequence[int] = ()
) -> Float[np.ndarray, "electrodes samples"]:
    """Potentials at the 34 electrodes, with the average over electrodes and mastoids as reference.

    Parameters
    ----------
    bipolar
        The 43 channels.
    noisy
        Channels, counted from 1, to leave out.

    Raises
    ------
    ValueError
        Without the noisy channels the electrodes fall apart.
    """
    matrix = differences()
    keep = np.setdiff1d(np.arange(len(matrix)), np.array(noisy, int) - 1)
    if np.linalg.matrix_rank(matrix[keep]) < matrix.shape[1] - 1:
        raise ValueError("the channels that are left do not join all electrodes")
    # The pseudo-inverse gives the solution of mean zero: the average reference.
    return (np.linalg.pinv(matrix[keep]) @ bipolar[keep])[: len(ELECTRODES)]
