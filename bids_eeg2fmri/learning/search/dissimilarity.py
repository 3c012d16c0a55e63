"""How different architectures are: the Hamming distance of their binary encodings (openreview TCvkaP15O7e)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from ...network.calhas2022.config import Blocks
from .space import SearchSpace


def encode(blocks: Blocks, space: SearchSpace) -> Bool[np.ndarray, " bits"]:
    """Kernels and strides as binary numbers, lowest bit first; zeros for a layer that is not there.

    Parameters
    ----------
    blocks
        A solution.
    space
        Its space, whose longest axis decides how many bits a number has and whose deepest stack how many numbers.
    """
    numbers = np.zeros((2, space.max_layers, 3), int)
    n_layers = len(blocks.kernels)
    numbers[0, :n_layers], numbers[1, :n_layers] = blocks.kernels, blocks.strides
    return (numbers[..., None] >> np.arange(max(space.in_shape).bit_length()) & 1).astype(bool).ravel()


def dissimilarity(architectures: Sequence[Blocks], space: SearchSpace) -> float:
    """Mean Hamming distance, in bits, of all pairs; 0 for fewer than two.

    The published metric takes consecutive pairs only, which has the same expectation for a sample in random order.
    """
    count = len(architectures)
    if count < 2:
        return 0.0
    share = np.mean([encode(blocks, space) for blocks in architectures], axis=0)
    return float(2 * np.sum(share * (1 - share)) * count / (count - 1))
