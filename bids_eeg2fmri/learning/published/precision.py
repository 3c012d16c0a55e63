"""Mixed precision: layers compute in bfloat16, weights, statistics and losses stay in float32."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from ..options import TrainingOptions

_LAYERS = (nnx.Conv, nnx.Linear, nnx.BatchNorm)


def is_mixed(options: TrainingOptions) -> bool:
    """Whether to compute in bfloat16: as asked, or on a GPU by itself."""
    if options.precision == "auto":
        return jax.default_backend() == "gpu"
    return options.precision == "mixed"


def compute_in_bfloat16(network: nnx.Module) -> None:
    """Let convolutions, dense layers and batch normalisation round their inputs and weights to bfloat16.

    Their parameters stay in float32, as do the sums of batch normalisation; what has few operations and is sensitive
    (attention, Fourier features, layer normalisation) is not touched.
    """
    for _, module in nnx.iter_graph(network):
        if isinstance(module, _LAYERS):
            module.dtype = jnp.bfloat16
