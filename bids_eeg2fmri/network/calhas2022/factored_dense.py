"""A dense layer that passes on the factors of its kernel's gradient rather than the gradient.

The gradient of a kernel is the product of what came in and of what is passed back, summed over the batch: for the layer
to the voxels 42 million numbers made of some hundred thousand. Its norm follows from the factors, and with few samples
its entries cost less to compute where they are used than to be written out and read again.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

# Samples whose products are summed up wherever an entry of the gradient is needed.
_FEW = 8
# Values of the kernel that are multiplied at a time, so that they stay in the cache.
_AT_ONCE = 2**20


class Factors(NamedTuple):
    """Factors of the gradient of a kernel.

    Attributes
    ----------
    inputs
        What came into the layer.
    passed_back
        The gradient of what came out of it.
    """

    inputs: Float[Array, "batch inputs"]
    passed_back: Float[Array, "batch outputs"]

    def squared_norm(self) -> Float[Array, ""]:
        """Sum of the squares of all entries of the gradient."""
        squares = jnp.vdot(self.inputs @ self.inputs.T, self.passed_back @ self.passed_back.T)
        # Rounding can leave less than nothing of terms that cancel.
        return jnp.maximum(squares, 0)

    def product(self) -> Float[Array, "inputs outputs"]:
        """The gradient."""
        if len(self.inputs) > _FEW:
            return self.inputs.T @ self.passed_back
        # Otherwise what computes the factors would be merged into the sums, and computed anew for every entry.
        pairs = zip(*lax.optimization_barrier(self), strict=True)
        return sum((x[:, None] * back for x, back in pairs), start=jnp.zeros(()))


class FactoredLinear(nnx.Module):
    """A dense layer; differentiate with respect to ``factors`` to have those of its kernel's gradient.

    Parameters
    ----------
    layer
        Whose kernel and bias are used. The kernel itself has no gradient.
    factors
        Zeros (see :func:`no_factors`).
    """

    def __init__(self, layer: nnx.Linear, factors: Factors) -> None:
        self.layer, self.factors = layer, nnx.data(factors)

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        """Outputs of the layer."""
        dtype = x.dtype if self.layer.dtype is None else self.layer.dtype
        y = _product(x.astype(dtype), self.layer.kernel[...].astype(dtype), self.factors)
        return y if self.layer.bias is None else y + self.layer.bias[...].astype(dtype)


def no_factors(batch_size: int, kernel: Float[Array, "inputs outputs"]) -> Factors:
    """Zeros in place of factors."""
    return Factors(*(jnp.zeros((batch_size, n), kernel.dtype) for n in kernel.shape))


@jax.custom_vjp
def _product(
    x: Float[Array, "batch inputs"], kernel: Float[Array, "inputs outputs"], factors: Factors
) -> Float[Array, "batch outputs"]:
    return x @ kernel


def _forward(x: Array, kernel: Array, factors: Factors) -> tuple[Array, tuple[Array, Array]]:
    return x @ kernel, (x, kernel)


def _backward(saved: tuple[Array, Array], passed_back: Array) -> tuple[Array, None, Factors]:
    x, kernel = saved
    width = _width(kernel)

    def add(number: Array, total: Array) -> Array:
        weights, back = (lax.dynamic_slice_in_dim(a, number * width, width, axis=1) for a in (kernel, passed_back))
        return total + jnp.matmul(weights, back.T, preferred_element_type=total.dtype)

    # One product would be slow on a CPU, which first turns long rows into columns.
    total = lax.fori_loop(0, kernel.shape[1] // width, add, jnp.zeros((kernel.shape[0], len(x)), jnp.float32))
    return total.T.astype(x.dtype), None, Factors(x.astype(jnp.float32), passed_back.astype(jnp.float32))


def _width(kernel: Float[Array, "inputs outputs"]) -> int:
    """How many columns to take at a time: few enough for the cache and a divisor of their number, or all of them."""
    n_inputs, n_outputs = kernel.shape
    at_most = max(1, _AT_ONCE // n_inputs)
    fitting = (width for width in range(at_most, at_most // 4, -1) if n_outputs % width == 0)
    return next(fitting, n_outputs)


_product.defvjp(_forward, _backward)
