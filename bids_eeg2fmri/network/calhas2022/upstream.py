"""Weights of the reference implementation (eeg-to-fmri, on Keras) in our network.

Keras numbers the layers of each kind as they come, and which come depends on the configuration: arrays are matched by
kind, order and shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from flax import nnx

from ...errors import BadDataError
from .blocks import ResBlock
from .config import Calhas2022Config
from .decoder import Decoder, Dense, OutputFilter
from .dense_variational import DenseFlipout, DenseVariational
from .encoder import Encoder
from .fourier import FixedFourierFeatures, RandomFourierFeatures
from .network import Calhas2022
from .style import GraphStyle
from .variational_cosine import VariationalInverseCosine

# part, kind and number of a layer, and one of its arrays: decoder.Dense_1.kernel
_NAME = re.compile(r"(eeg_encoder|fmri_encoder|decoder)\.(\w+?)_(\d+)\.([\w.]+)(?::0)?$")
# Constants that Keras keeps among the weights of cosine transforms: whole layers, or arrays inside another layer.
_CONSTANT = re.compile(r"\.(DCT3D|iDCT3D|padded_iDCT3D)_\d+\.|\.(n|k|N|norm)[123](:0)?$")
# Attributes of the layers that hold weights of another name.
_SYNONYMS = {"loc": "loc_posterior", "scale": "scale_posterior", "w1": "W1", "w2": "W2", "w3": "W3"}

Tensors: TypeAlias = dict[str, nnx.Variable]
Arrays: TypeAlias = dict[str, np.ndarray]


@dataclass(frozen=True)
class Layer:
    """A layer of ours in Keras' terms.

    Attributes
    ----------
    part
        ``eeg_encoder``, ``fmri_encoder`` or ``decoder``.
    kind
        Class of the layer.
    tensors
        Our variable for each of its arrays.
    unused
        Arrays that Keras keeps and nothing reads.
    """

    part: str
    kind: str
    tensors: Tensors
    unused: tuple[str, ...] = ()


def from_upstream(arrays: Mapping[str, np.ndarray], config: Calhas2022Config) -> Calhas2022:
    """The network with the reference implementation's weights, in inference mode.

    Parameters
    ----------
    arrays
        Weights by name, ``part.Kind_number.array``, with or without ``w.`` before it. Parts are ``eeg_encoder``,
        ``decoder`` and ``fmri_encoder``; without arrays of the latter the network has no fMRI encoder.
    config
        What the weights were made for.

    Raises
    ------
    BadDataError
        An array is missing, left over, or of another shape; the message names it.
    """
    weights = _weights(arrays)
    if not any(name.startswith("fmri_encoder.") for name in weights):
        config = replace(config, fmri_blocks=None)
    network = Calhas2022(config, rngs=nnx.Rngs(0))
    for name, variable in matched_variables(network, weights).items():
        variable[...] = jnp.asarray(weights[name], variable.dtype).reshape(variable.shape)
    network.eval()
    return network


def matched_variables(network: Calhas2022, arrays: Mapping[str, np.ndarray]) -> Tensors:
    """Which variable of the network each array belongs to.

    Raises
    ------
    BadDataError
        As in :func:`from_upstream`.
    """
    waiting: dict[tuple[str, str], dict[int, dict[str, str]]] = {}
    for name in arrays:
        part, kind, number, array = _parsed(name)
        layers = waiting.setdefault((part, kind), {})
        layers.setdefault(number, {})[array] = name
    matched: Tensors = {}
    for layer in _layers(network):
        candidates = waiting.get((layer.part, layer.kind), {})
        number = _fitting(layer, candidates, arrays)
        names = candidates.pop(number)
        matched |= {names[array]: variable for array, variable in layer.tensors.items()}
    for layers in waiting.values():
        for names in layers.values():
            raise _refused(f"{next(iter(names.values()))} belongs to no layer of this configuration.")
    return matched


def _weights(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """The weights among the arrays: without prefix, and without constants."""
    if any(name.startswith("w.") for name in arrays):
        arrays = {name[2:]: arrays[name] for name in arrays if name.startswith("w.")}
    return {name: np.asarray(arrays[name]) for name in arrays if not _CONSTANT.search(name)}


def _parsed(name: str) -> tuple[str, str, int, str]:
    match = _NAME.match(name)
    if match is None:
        raise _refused(f"{name} is not the name of a weight.")
    part, kind, number, array = match.groups()
    # Keras also counts the layers inside a layer: layer_normalization_3.gamma.
    array = re.sub(r"_\d+\.", ".", array)
    return part, kind, int(number), _SYNONYMS.get(array, array)


def _fitting(layer: Layer, candidates: dict[int, dict[str, str]], arrays: Mapping[str, np.ndarray]) -> int:
    """Number of the first candidate that has the layer's arrays, in their shapes."""
    problem = f"{layer.part}.{layer.kind} is missing ({', '.join(layer.tensors)})."
    for number in sorted(candidates):
        names = candidates[number]
        missing = [array for array in layer.tensors if array not in names]
        left_over = [name for array, name in names.items() if array not in (*layer.tensors, *layer.unused)]
        wrong = [
            f"{names[array]} has shape {np.shape(arrays[names[array]])}, needed {variable.shape}."
            for array, variable in layer.tensors.items()
            if array in names and _squeezed(np.shape(arrays[names[array]])) != _squeezed(variable.shape)
        ]
        if not (missing or left_over or wrong):
            return number
        where = f"{layer.part}.{layer.kind}_{number}"
        missing = [f"{where}.{array} is missing." for array in missing]
        left_over = [f"{name} is left over." for name in left_over]
        problem = [*wrong, *missing, *left_over][0]
    raise _refused(problem)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _refused(problem: str) -> BadDataError:
    return BadDataError(problem, remedy="Give the configuration that the weights were trained with.")


def _layers(network: Calhas2022) -> Iterator[Layer]:
    """The layers in Keras' order."""
    attention = network.eeg_encoder.attention
    if attention is not None:
        yield Layer("eeg_encoder", "Topographical_Attention", {"A": attention.keys})
    yield from _encoder_layers("eeg_encoder", network.eeg_encoder.encoder)
    if network.fmri_encoder is not None:
        yield from _encoder_layers("fmri_encoder", network.fmri_encoder)
    yield from _decoder_layers(network.decoder)


def _encoder_layers(part: str, encoder: Encoder) -> Iterator[Layer]:
    for block in encoder.blocks:
        yield Layer(part, "ResBlock", _block_tensors(block))
    yield Layer(part, "Dense", _linear_tensors(encoder.dense))


def _block_tensors(block: ResBlock) -> Tensors:
    convs = {"left.conv1": block.left_conv, "left.conv2": block.second_conv, "right.conv1": block.right_conv}
    norms = {"left.bn1": block.left_norm, "left.bn2": block.second_norm, "right.bn1": block.right_norm}
    tensors: Tensors = {}
    for name, conv in convs.items():
        if conv is not None:
            tensors |= _prefixed(name, _linear_tensors(conv))
    for name, norm in norms.items():
        if norm is not None:
            tensors |= _prefixed(name, _norm_tensors(norm))
            tensors |= {f"{name}.moving_mean": norm.mean, f"{name}.moving_variance": norm.var}
    return tensors


def _decoder_layers(decoder: Decoder) -> Iterator[Layer]:
    yield _features_layer(decoder.features)
    if isinstance(decoder.style, GraphStyle):
        yield Layer("decoder", "Dense", _linear_tensors(decoder.style.dense))
    elif decoder.style is not None:
        yield Layer("decoder", "Style", {"style_prior": decoder.style.factors})
    if decoder.low_dense is not None:
        yield _dense_layer(decoder.low_dense)
    if decoder.variational is not None:
        unused = () if decoder.variational.dependent else ("biases",)
        yield Layer("decoder", "variational_iDCT3D", _variational_tensors(decoder.variational), unused)
    if decoder.voxel_dense is not None:
        yield _dense_layer(decoder.voxel_dense)
    if decoder.filter is not None:
        yield Layer("decoder", "Conv3D", _filter_tensors(decoder.filter))
    if decoder.log_scale is not None:
        yield Layer("decoder", "Dense", _filter_tensors(decoder.log_scale))


def _features_layer(features: RandomFourierFeatures | FixedFourierFeatures | nnx.Linear) -> Layer:
    if isinstance(features, nnx.Linear):
        return Layer("decoder", "Dense", _linear_tensors(features))
    if isinstance(features, FixedFourierFeatures):
        return Layer("decoder", "FourierFeatures", {"kernel": features.frequencies})
    tensors: Tensors = {
        "unscaled_kernel": features.frequencies,
        "bias": features.offsets,
        "kernel_scale": features.scale,
    }
    if features.norm is not None:
        tensors |= _prefixed("layer_normalization", _norm_tensors(features.norm))
    return Layer("decoder", "RandomFourierFeatures", tensors)


def _dense_layer(dense: Dense) -> Layer:
    if isinstance(dense, DenseVariational):
        names = ("kernel_mu", "kernel_sigma", "bias_mu", "bias_sigma")
        return Layer("decoder", "DenseVariational", {name: getattr(dense, name) for name in names})
    if isinstance(dense, DenseFlipout):
        kernel = dense.kernel
        tensors = {"kernel_posterior_loc": kernel.mean, "kernel_posterior_untransformed_scale": kernel.raw_sd}
        return Layer("decoder", "DenseFlipout", {**tensors, "bias_posterior_loc": dense.bias})
    return Layer("decoder", "Dense", _linear_tensors(dense))


def _variational_tensors(layer: VariationalInverseCosine) -> Tensors:
    tensors: Tensors = {
        "normal_posterior_loc": layer.amplitude.mean,
        "normal_posterior_untransformed_scale": layer.amplitude.raw_sd,
        "loc_posterior": layer.loc,
        "scale_posterior": layer.scale,
    }
    if layer.dependent:
        tensors["biases"] = layer.biases
        tensors |= {f"W{axis}": mixer for axis, mixer in enumerate(layer.mixers, start=1)}
    return tensors


def _linear_tensors(linear: nnx.Linear | nnx.Conv) -> Tensors:
    tensors: Tensors = {"kernel": linear.kernel}
    return tensors if linear.bias is None else {**tensors, "bias": linear.bias}


def _norm_tensors(norm: nnx.BatchNorm | nnx.LayerNorm) -> Tensors:
    pairs = (("gamma", norm.scale), ("beta", norm.bias))
    return {name: variable for name, variable in pairs if variable is not None}


def _prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {f"{prefix}.{name}": variable for name, variable in tensors.items()}


def _filter_tensors(output_filter: OutputFilter) -> Tensors:
    return {"kernel": output_filter.factor, "bias": output_filter.offset}
