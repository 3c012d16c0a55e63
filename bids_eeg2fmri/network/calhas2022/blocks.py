"""The residual block of both encoders."""

from __future__ import annotations

from typing import cast

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from .config import Shape3
from .convolution import max_pool, same_convolution, valid_convolution, valid_shape

Activations = Float[Array, "batch a b c filters"]


class ResBlock(nnx.Module):
    """Convolution, pooling, normalisation and a second convolution, beside a path without the second.

    The left path is Conv - MaxPool - BatchNorm - ReLU - Conv 3x3x3 - BatchNorm - ReLU, the right one
    Conv - MaxPool - BatchNorm with a kernel of its own; the output is the rectified sum of both.

    Parameters
    ----------
    in_shape, in_filters
        Shape of the input.
    n_filters
        Filters of every convolution.
    kernel, strides
        Of both paths' first convolutions.
    pool, pool_stride
        Window and stride of the pooling; ``pool=None``: none.
    skip_connection
        Whether there is a right path.
    batch_norm
        Whether there is batch normalisation.
    name
        What error messages call the block.

    Raises
    ------
    ArchitectureError
        A window does not fit the input.
    """

    def __init__(
        self,
        in_shape: Shape3,
        in_filters: int,
        n_filters: int,
        *,
        kernel: Shape3,
        strides: Shape3,
        pool: Shape3 | None,
        pool_stride: Shape3,
        skip_connection: bool = True,
        batch_norm: bool = True,
        name: str = "ResBlock",
        rngs: nnx.Rngs,
    ) -> None:
        self.strides, self.pool, self.pool_stride, self.n_filters = strides, pool, pool_stride, n_filters
        self.out_shape = valid_shape(in_shape, kernel, strides, f"The convolution of {name}")
        if pool is not None:
            self.out_shape = valid_shape(self.out_shape, pool, pool_stride, f"The pooling of {name}")
        self.left_conv = _conv(in_filters, n_filters, kernel, rngs)
        self.second_conv = _conv(n_filters, n_filters, (3, 3, 3), rngs)
        self.right_conv = _conv(in_filters, n_filters, kernel, rngs) if skip_connection else None
        self.left_norm = _norm(n_filters, rngs) if batch_norm else None
        self.second_norm = _norm(n_filters, rngs) if batch_norm else None
        self.right_norm = _norm(n_filters, rngs) if batch_norm and skip_connection else None

    def __call__(self, x: Activations) -> Activations:
        """Output of the block."""
        left, right = self._first_convolutions(x)
        left = jax.nn.relu(_normalised(left, self.left_norm))
        kernel = _in_dtype_of(self.second_conv, self.second_conv.kernel[...])
        left = same_convolution(_in_dtype_of(self.second_conv, left), kernel)
        left = jax.nn.relu(_normalised(left + _bias(self.second_conv, left), self.second_norm))
        return left if right is None else jax.nn.relu(left + _normalised(right, self.right_norm))

    def weights(self) -> list[Float[Array, "..."]]:
        """Kernels and biases of all convolutions, which weight decay applies to."""
        convs = [conv for conv in (self.left_conv, self.second_conv, self.right_conv) if conv is not None]
        return [weight[...] for conv in convs for weight in (conv.kernel, conv.bias) if weight is not None]

    def _first_convolutions(self, x: Activations) -> tuple[Activations, Activations | None]:
        """Both paths up to their pooling: one convolution with twice the filters, as they share their input."""
        convs = [self.left_conv] if self.right_conv is None else [self.left_conv, self.right_conv]
        kernel = jnp.concatenate([conv.kernel[...] for conv in convs], axis=-1)
        y = valid_convolution(_in_dtype_of(self.left_conv, x), _in_dtype_of(self.left_conv, kernel), self.strides)
        y = y + jnp.concatenate([_bias(conv, y) for conv in convs])
        if self.pool is not None:
            y = max_pool(y, self.pool, self.pool_stride)
        return (y, None) if self.right_conv is None else (y[..., : self.n_filters], y[..., self.n_filters :])


def _conv(in_filters: int, n_filters: int, kernel: Shape3, rngs: nnx.Rngs) -> nnx.Conv:
    return nnx.Conv(in_filters, n_filters, kernel, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs)


def _norm(n_filters: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    return nnx.BatchNorm(n_filters, momentum=0.99, epsilon=1e-3, use_fast_variance=False, rngs=rngs)


def _normalised(x: Activations, norm: nnx.BatchNorm | None) -> Activations:
    return x if norm is None else norm(x)


def _in_dtype_of(conv: nnx.Conv, array: Array) -> Array:
    """An array in the type that a layer computes in."""
    return array if conv.dtype is None else array.astype(conv.dtype)


def _bias(conv: nnx.Conv, like: Array) -> Float[Array, " filters"]:
    return cast(nnx.Param, conv.bias)[...].astype(like.dtype)
