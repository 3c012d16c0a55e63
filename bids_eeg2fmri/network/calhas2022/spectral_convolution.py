"""Convolution as products of Fourier coefficients, for kernels that cover much of what they move over.

The convolution theorem holds for signals that repeat. A window that lies fully inside the input never sees the
repetition, so a period as long as the input is enough. Strides keep every s-th value: coefficients that then fall
together (aliases) are averaged before the inverse transform, which is s times shorter. Two samples travel as the real
and the imaginary part of one complex array: kernels are real, so the parts stay apart, and complex transforms of half
as many arrays are faster than real ones. What is not a number in one of them is not a number in the other, either.

Gradients are written out: that of the input is a product with the same coefficients, that of the kernel a product
summed over samples, so that one inverse transform serves the whole batch.
"""

from __future__ import annotations

from functools import partial
from math import log2, prod
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float
from scipy.fft import next_fast_len

from .config import Shape3
from .windows import Kernel, Volumes, n_windows

Spectra: TypeAlias = Complex[Array, "*leading a b c"]

# Operations of a transform of n values, divided by n log2 n; and of a product of two coefficients, with its sum.
_TRANSFORM = 5
_PRODUCT = 8


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def spectral_convolution(x: Volumes, kernel: Kernel, strides: Shape3) -> Volumes:
    """Cross-correlation with a kernel, wherever it lies fully inside the input."""
    return _forward(x, kernel, strides)[0]


def spectral_operations(x: Volumes, kernel: Kernel, strides: Shape3) -> float:
    """Operations that a batch takes: transforms of it, of the kernel, of the outputs; products."""
    n_values = prod(_period(x.shape[1:4], strides))
    n_inputs, n_outputs = kernel.shape[3:]
    n_pairs = -(-len(x) // 2)
    n_transforms = (n_inputs + n_outputs / prod(strides)) * n_pairs + n_inputs * n_outputs
    n_products = n_pairs * n_inputs * n_outputs
    return n_values * (_TRANSFORM * log2(n_values) * n_transforms + _PRODUCT * n_products)


def _forward(x: Volumes, kernel: Kernel, strides: Shape3) -> tuple[Volumes, tuple[Volumes, Kernel]]:
    size = _period(x.shape[1:4], strides)
    k = _folded(jnp.conj(_kernel_spectra(kernel, size)), strides)
    kept = list(map(n_windows, x.shape[1:4], kernel.shape[:3], strides))

    def of_pair(pair: Volumes) -> Volumes:
        inputs = _folded(_spectra(pair, size), strides)
        aliases = sum(inputs[i] * k[:, i] for i in range(len(inputs)))
        return _apart(jnp.mean(aliases, axis=(1, 3, 5)), kept)

    return _unpaired(lax.map(of_pair, _paired(x)), len(x)), (x, kernel)


def _backward(strides: Shape3, saved: tuple[Volumes, Kernel], gradient: Volumes) -> tuple[Volumes, Kernel]:
    x, kernel = saved
    size = _period(x.shape[1:4], strides)
    k = _folded(_kernel_spectra(kernel, size), strides)
    short = [n // stride for n, stride in zip(size, strides, strict=True)]

    def of_pair(total: Spectra, pair: tuple[Volumes, Volumes]) -> tuple[Spectra, Volumes]:
        inputs = _folded(_spectra(pair[0], size), strides)
        # The coefficients of values spread apart by strides repeat, once for every alias.
        g = _folded(_spectra(pair[1], short), (1, 1, 1))
        back = jnp.stack([sum(g[o] * k[o, i] for o in range(len(g))) for i in range(len(inputs))])
        total = total + inputs * jnp.conj(g)[:, None]
        return total, _apart(back.reshape(-1, *size), x.shape[1:4])

    total, gradients = lax.scan(of_pair, jnp.zeros_like(k), (_paired(x), _paired(gradient)))
    inside = tuple(slice(n) for n in kernel.shape[:3])
    of_kernel = _inverse(total.reshape(*kernel.shape[:2:-1], *size)).real[:, :, *inside]
    return _unpaired(gradients, len(x)), jnp.moveaxis(of_kernel, (0, 1), (4, 3))


spectral_convolution.defvjp(_forward, _backward)


def _period(shape: tuple[int, ...], strides: Shape3) -> Shape3:
    """Lengths that hold the input, are multiples of the strides, and are quick to transform."""
    a, b, c = (stride * next_fast_len(-(-n // stride)) for n, stride in zip(shape, strides, strict=True))
    return a, b, c


def _paired(x: Volumes) -> Float[Array, "pairs 2 a b c filters"]:
    x = jnp.pad(x, [(0, len(x) % 2), *[(0, 0)] * 4])
    return x.reshape(-1, 2, *x.shape[1:])


def _unpaired(pairs: Float[Array, "pairs 2 a b c filters"], n_samples: int) -> Volumes:
    return pairs.reshape(-1, *pairs.shape[2:])[:n_samples]


def _spectra(pair: Float[Array, "2 a b c filters"], size: Shape3 | list[int]) -> Spectra:
    """Coefficients of the filters of two samples, each filter's together."""
    first, second = jnp.moveaxis(pair, -1, 1)
    return _transform(_padded(lax.complex(first, second), size))


def _apart(coefficients: Spectra, kept: tuple[int, ...] | list[int]) -> Float[Array, "2 a b c filters"]:
    """The two samples that coefficients stand for, as far as they are valid."""
    values = _inverse(coefficients)[:, *(slice(n) for n in kept)]
    return jnp.moveaxis(jnp.stack([values.real, values.imag]), 1, -1)


def _kernel_spectra(kernel: Kernel, size: Shape3) -> Complex[Array, "outputs inputs a b c"]:
    return _transform(_padded(jnp.moveaxis(kernel, (4, 3), (0, 1)).astype(jnp.complex64), size))


def _folded(spectra: Spectra, strides: Shape3) -> Complex[Array, "*leading s a t b u c"]:
    """Aliases side by side."""
    axes = [part for n, s in zip(spectra.shape[-3:], strides, strict=True) for part in (s, n // s)]
    return spectra.reshape(*spectra.shape[:-3], *axes)


def _padded(x: Spectra, size: Shape3 | list[int]) -> Spectra:
    missing = [(0, n - have) for n, have in zip(size, x.shape[-3:], strict=True)]
    return jnp.pad(x, [(0, 0)] * (x.ndim - 3) + missing)


def _transform(x: Spectra) -> Spectra:
    return lax.fft(x, "FFT", x.shape[-3:])


def _inverse(x: Spectra) -> Spectra:
    return lax.fft(x, "IFFT", x.shape[-3:])
