"""Layer-wise relevance propagation through the published network, from its volumes to EEG and attention scores.

Products of two functions of the EEG are gated signals, and the signal takes the relevance (Arras et al. 2017, doi
10.18653/v1/W17-5221): attention scores are constant weights of the channels, styles constant factors of the features.
What the scores themselves are relevant for is a second question with two answers, each conservative by itself: all of
the relevance of the attended channels, or of the styled features, is taken back to the scores instead.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..network.calhas2022.attention import Scores
from ..network.calhas2022.blocks import ResBlock
from ..network.calhas2022.encoder import Encoder
from ..network.calhas2022.network import Calhas2022, Eeg, Volumes
from ..network.calhas2022.style import GraphStyle
from .lrp_epsilon import EpsilonRule
from .lrp_rules import Account, Convolution, Rule, around, summed
from .lrp_upstream import UpstreamRule

RuleName = Literal["epsilon", "upstream"]
Accounts = dict[str, Account]


class EegRelevance(NamedTuple):
    """Relevance of what the network received, and of its attention scores.

    Attributes
    ----------
    eeg
        Of every value of the input.
    scores
        Of the attention scores as weights of the channels; ``None`` without attention.
    style_scores
        Of the attention scores as they make the style; ``None`` without a graph style.
    accounts
        Sums of every layer, from the output to the input.
    """

    eeg: Eeg
    scores: Scores | None
    style_scores: Scores | None
    accounts: Accounts


def make_rule(name: RuleName) -> Rule:
    """The rule of that name: conservative, or the published package's."""
    return EpsilonRule() if name == "epsilon" else UpstreamRule()


def explain_volumes(network: Calhas2022, eeg: Eeg, relevance: Volumes, rule: RuleName = "epsilon") -> EegRelevance:
    """Hand the relevance of predicted volumes back to the EEG.

    Parameters
    ----------
    network
        In evaluation mode: weights and coefficients that can be drawn are at their expectation.
    eeg
        What it received.
    relevance
        Of every voxel. That of a weighted mean of voxels is the weights times the volume.
    rule
        ``"epsilon"``: conservative, signed stabiliser. ``"upstream"``: the published package's.
    """
    by, decoder, accounts = make_rule(rule), network.decoder, {}
    latent, scores = network.eeg_encoder(eeg)
    styled = decoder.styled(decoder.features(latent.reshape(len(latent), -1)), scores)
    low = decoder.low_resolution(styled)
    if decoder.filter is not None:
        relevance, accounts["filter"] = by.affine(*around(decoder.filter, decoder.to_voxels(low)), relevance)
    relevance, accounts["voxels"] = by.affine(*around(decoder.to_voxels, low), relevance)
    relevance, accounts["low resolution"] = by.affine(*around(decoder.low_resolution, styled), relevance)
    found = explain_features(network, eeg, relevance, rule)
    return found._replace(accounts=accounts | found.accounts)


def explain_features(
    network: Calhas2022, eeg: Eeg, relevance: Float[Array, "batch features"], rule: RuleName = "epsilon"
) -> EegRelevance:
    """Hand the relevance of the styled features, which the decoder makes volumes of, back to the EEG.

    Parameters are those of :func:`explain_volumes`.
    """
    by, decoder, accounts = make_rule(rule), network.decoder, {}
    attended, scores = network.eeg_encoder.attend(eeg)
    latent = network.eeg_encoder.encoder(attended)
    style_scores = None
    if isinstance(decoder.style, GraphStyle) and scores is not None:
        dense = decoder.style.dense
        factors = around(lambda values: dense(values.reshape(len(values), -1)), scores)
        style_scores, accounts["style"] = by.affine(*factors, relevance)
    relevance, accounts["features"] = by.fourier(decoder.features, latent.reshape(len(latent), -1), relevance)
    relevance, of_encoder = explain_encoding(network.eeg_encoder.encoder, attended, relevance.reshape(latent.shape), by)
    accounts |= of_encoder
    if scores is None:
        return EegRelevance(relevance, None, style_scores, accounts)
    channels, of_attended = _by_channel(eeg), _by_channel(relevance)
    of_eeg, accounts["attention"] = by.affine(*around(lambda values: scores @ values, channels), of_attended)
    of_scores, accounts["attention scores"] = by.affine(*around(lambda each: each @ channels, scores), of_attended)
    return EegRelevance(of_eeg.reshape(eeg.shape), of_scores, style_scores, accounts)


def explain_encoding(
    encoder: Encoder, x: Float[Array, "batch a b c"], relevance: Float[Array, "batch p q r"], rule: Rule
) -> tuple[Float[Array, "batch a b c"], Accounts]:
    """Hand the relevance of latent representations back to an encoder's input, EEG or volumes alike."""
    values, accounts = [x[..., None]], {}
    for block in encoder.blocks:
        values.append(block(values[-1]))
    last = values.pop()
    passed, accounts["latent"] = rule.affine(
        *around(lambda units: encoder.dense(units.reshape(len(units), -1)), last),
        relevance.reshape(len(relevance), -1),
    )
    for number in range(len(values), 0, -1):
        passed, of_block = explain_block(encoder.blocks[number - 1], values[number - 1], passed, rule)
        accounts |= {f"block {number}, {layer}": account for layer, account in of_block.items()}
    return passed[..., 0], accounts


def explain_block(block: ResBlock, x: Array, relevance: Array, rule: Rule) -> tuple[Array, Accounts]:
    """Hand the relevance of a residual block's output back to its input."""
    accounts: Accounts = {}
    first, second = (
        Convolution(block.left_conv, block.left_norm, block.strides, block.pool, block.pool_stride),
        Convolution(block.second_conv, block.second_norm, None, None, block.pool_stride),
    )
    before = first(x)
    hidden = jnp.maximum(before, 0)
    after = second(hidden)
    left = jnp.maximum(after, 0)
    of_right = jnp.zeros_like(x)
    if block.right_conv is not None:
        beside = Convolution(block.right_conv, block.right_norm, block.strides, block.pool, block.pool_stride)
        right = beside(x)
        total = rule.rectifier(left + right, relevance)
        relevance, to_right = rule.addition(left, right, total)
        accounts["sum"] = Account(summed(total), summed(relevance) + summed(to_right), jnp.zeros(len(x)))
        of_right, accounts["right"] = rule.convolution(beside, x, to_right)
    relevance = rule.rectifier(after, relevance)
    relevance, accounts["second"] = rule.convolution(second, hidden, relevance)
    relevance = rule.rectifier(before, relevance)
    relevance, accounts["first"] = rule.convolution(first, x, relevance)
    return relevance + of_right, accounts


def explain_dense(
    dense: nnx.Linear, x: Float[Array, "batch *units"], relevance: Float[Array, "batch outputs"], rule: Rule
) -> tuple[Float[Array, "batch *units"], Account]:
    """Hand the relevance of a linear classifier's logits, or of any dense layer, back to what it looked at."""
    return rule.affine(*around(lambda values: dense(values.reshape(len(values), -1)), x), relevance)


def _by_channel(eeg: Eeg) -> Float[Array, "batch channels features"]:
    return eeg.reshape(*eeg.shape[:2], -1)
