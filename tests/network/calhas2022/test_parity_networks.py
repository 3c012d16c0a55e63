"""Whole networks with the weights of the published package, against what that package computed with them."""

from dataclasses import dataclass, replace
from itertools import count
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.network.calhas2022 import Calhas2022, VariationalCosine, from_upstream
from bids_eeg2fmri.network.calhas2022.losses import absolute_error, laplace_nll, published_matrix
from bids_eeg2fmri.network.calhas2022.upstream import matched_variables

_TOLERANCE = 1e-4
_LOW = {"decoder_shape": (6, 6, 3)}
_COSINE = {"dct": True, "inverse_dct": True}
_TRAINED = {
    "small_graph_style": {},
    "small_style_prior": {"style": "prior"},
    "small_no_topo": {"attention": False, "style": "none"},
    "small_no_fourier": {"fourier": "none", "style": "none"},
    "small_dct": {"style": "prior", **_LOW, **_COSINE},
}
_OPTIONS = {
    "options_fixed": {"fourier": "fixed"},
    "options_tanh": {"fourier_normalization": "tanh"},
    "options_maxnorm": {"max_norm_regularizer": True},
    "options_wd": {"weight_decay": 0.01},
    "options_organize": {"organize_channels": True},
    "options_dct_nolow": _COSINE,
    "options_idct_only": {"inverse_dct": True, **_LOW},
    "options_var": {"aleatoric": True, "variational_idct": VariationalCosine((2, 2, 1), True, 4), **_LOW, **_COSINE},
    "options_var_ind": {"variational_idct": VariationalCosine((2, 2, 1)), **_LOW, **_COSINE},
    "options_nofourier_graph": {"fourier": "none"},
}
# Zero by construction before batch normalisation: what was recorded for them is rounding noise.
_NOISE = ("left.conv1.bias", "left.conv2.bias", "right.conv1.bias")
# Of Keras' Adam.
_LEARNING_RATE, _BETA_1, _BETA_2, _EPSILON = 0.002980911194116198, 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class Case:
    """A recording, the network with its weights, and what the network makes of its inputs."""

    recorded: dict[str, np.ndarray]
    network: Calhas2022
    eeg: jax.Array
    fmri: jax.Array

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The recorded arrays below a prefix."""
        return {
            name[len(prefix) + 1 :]: array for name, array in self.recorded.items() if name.startswith(prefix + ".")
        }


def _case(recorded, config) -> Case:
    eeg, fmri = (jnp.asarray(recorded[name][..., 0]) for name in ("in.eeg", "in.fmri"))
    return Case(recorded, from_upstream(recorded, config), eeg, fmri)


@pytest.fixture(scope="module", params=_TRAINED)
def case(request, parity, small):
    return _case(parity(request.param), replace(small, **_TRAINED[request.param]))


def _training_step(network, eeg, fmri):
    """Outputs, loss, gradients and batch statistics of one step in training mode."""
    structure, parameters, rest = nnx.split(network, nnx.Param, ...)

    def loss(parameters):
        copy = nnx.merge(structure, parameters, rest, copy=True)
        outputs = copy.outputs(eeg, fmri)
        matrix = published_matrix(absolute_error(fmri, outputs.mean), outputs.z_eeg, outputs.z_fmri)
        return matrix.sum() + matrix.size * outputs.penalty, (outputs, matrix, nnx.state(copy, nnx.BatchStat))

    return jax.grad(loss, has_aux=True)(parameters)


@pytest.fixture(scope="module")
def training(case, compiled):
    network = nnx.clone(case.network)
    network.train()
    gradients, (outputs, matrix, statistics) = compiled(_training_step, network, case.eeg, case.fmri)
    return SimpleNamespace(
        outputs=outputs,
        matrix=matrix,
        gradients=_by_published_names(case, network, gradients),
        statistics=_by_published_names(case, network, statistics),
    )


def _by_published_names(case, network, state):
    """Arrays of a state, which replace the network's own, by their names in Keras."""
    network = nnx.clone(network)
    nnx.update(network, state)
    names = {name: array for name, array in case.arrays("w").items() if "DCT3D_0" not in name}
    return {name: np.asarray(variable[...]) for name, variable in matched_variables(network, names).items()}


@pytest.fixture(scope="module")
def inference(case, compiled):
    return compiled(_inference, case.network, case.eeg, case.fmri)


def _inference(network, eeg, fmri):
    mean, _, z_eeg, z_fmri, _ = network.outputs(eeg, fmri)
    matrix = published_matrix(absolute_error(fmri, mean), z_eeg, z_fmri)
    outputs = {"fmri_hat": mean, "z_eeg": z_eeg, "z_fmri": z_fmri, "loss_mae_cosine_matrix": matrix}
    return outputs, _activations(network, eeg, fmri)


def _activations(network, eeg, fmri):
    """Outputs of the layers by their names in Keras."""
    outputs = {}
    attended, scores = network.eeg_encoder.attend(eeg)
    if scores is not None:
        outputs["eeg_encoder.Topographical_Attention_0"] = attended
        outputs["eeg_encoder.Topographical_Attention_0.out1"] = scores
    encoders = {"eeg_encoder": (network.eeg_encoder.encoder, attended), "fmri_encoder": (network.fmri_encoder, fmri)}
    for part, (encoder, x) in encoders.items():
        x = x[..., None]
        for number, block in enumerate(encoder.blocks):
            x = outputs[f"{part}.ResBlock_{number}"] = block(x)
        outputs[f"{part}.Dense_0"] = encoder.dense(x.reshape(len(x), -1))
    decoded = _decoder_activations(network.decoder, outputs["eeg_encoder.Dense_0"], scores)
    return outputs | {f"decoder.{name}": output for name, output in decoded.items()}


def _decoder_activations(decoder, latent, scores):
    outputs = {}
    dense = (f"Dense_{number}" for number in count())
    phases = decoder.features(latent)
    outputs["RandomFourierFeatures_0" if decoder.takes_cosine else next(dense)] = phases
    if decoder.takes_cosine:
        outputs["Sinusoids_0"] = jnp.cos(phases)
    styled = decoder.styled(phases, scores)
    if hasattr(decoder.style, "dense"):
        outputs[next(dense)] = decoder.style.dense(scores.reshape(len(scores), -1))
        outputs["TFOpLambda_0"] = styled
    elif decoder.style is not None:
        outputs["Style_0"] = styled
    low = decoder.low_resolution(styled)
    if decoder.low_dense is not None:
        outputs[next(dense)] = decoder.low_dense(styled)
        outputs["DCT3D_0"] = low
    voxels = decoder.to_voxels(low)
    outputs["padded_iDCT3D_0" if decoder.inverts else next(dense)] = voxels
    outputs["Conv3D_0"] = decoder.filter(voxels)
    return outputs


def test_inference(case, inference, deviation):
    ours, recorded = inference[0], case.arrays("eval")
    assert set(recorded) == set(ours)
    deviations = {name: deviation(output, recorded[name]) for name, output in ours.items()}
    assert max(deviations.values()) < _TOLERANCE, deviations


def test_output_of_every_layer(case, inference, deviation):
    ours, recorded = inference[1], case.arrays("act")
    assert {name for name in recorded if "Flatten" not in name and "Reshape" not in name} == set(ours)
    deviations = {name: deviation(output, recorded[name]) for name, output in ours.items()}
    assert max(deviations.values()) < _TOLERANCE, deviations


def test_training_mode(case, training, deviation):
    recorded, outputs = case.recorded, training.outputs
    assert deviation(outputs.mean, recorded["train.fmri_hat"]) < _TOLERANCE
    assert deviation(outputs.z_eeg, recorded["train.z_eeg"]) < _TOLERANCE
    assert deviation(outputs.z_fmri, recorded["train.z_fmri"]) < _TOLERANCE
    assert deviation(training.matrix, recorded["train.loss_matrix"]) < _TOLERANCE
    assert float(outputs.penalty) == pytest.approx(float(recorded["train.reg"]))


def test_gradients(case, training, deviation):
    recorded = {name: array for name, array in case.arrays("grad").items() if not name.endswith(_NOISE)}
    assert len(recorded) > 40
    deviations = {name: deviation(training.gradients[name], gradient) for name, gradient in recorded.items()}
    assert max(deviations.values()) < _TOLERANCE, deviations


def test_batch_statistics(case, training, deviation):
    recorded, before = case.arrays("bn_after"), case.arrays("w")
    assert len(recorded) == 24
    deviations = {}
    for name, reference in recorded.items():
        once = training.statistics[name]
        # The published step sends the EEG through its encoder twice: its statistics move once more, and 1 % less far.
        moved = once + 0.99 * (once - before[name]) if name.startswith("eeg_encoder") else once
        deviations[name] = deviation(moved, reference)
    assert max(deviations.values()) < _TOLERANCE, deviations


def test_weights_after_one_step_of_adam(case, training, deviation):
    weights = case.arrays("w")
    recorded = {name: array for name, array in case.arrays("adam1").items() if not name.endswith(_NOISE)}
    deviations = {}
    for name, updated in recorded.items():
        gradient = training.gradients[name].reshape(updated.shape)
        first, second = (1 - _BETA_1) * gradient, (1 - _BETA_2) * gradient**2
        rate = _LEARNING_RATE * np.sqrt(1 - _BETA_2) / (1 - _BETA_1)
        deviations[name] = deviation(weights[name] - rate * first / (np.sqrt(second) + _EPSILON), updated)
    assert max(deviations.values()) < _TOLERANCE, deviations


def _inference_and_training_loss(network, eeg, fmri):
    network.eval()
    mean, sd, z_eeg, z_fmri, _ = network.outputs(eeg, fmri)
    inference = {"fmri_hat": mean, "z_eeg": z_eeg, "z_fmri": z_fmri}
    network.train()
    # Spreads were recorded as zero.
    network.decoder.deterministic = True
    outputs = network.outputs(eeg, fmri)
    latents = (outputs.z_eeg, outputs.z_fmri)
    if sd is None:
        matrix = published_matrix(absolute_error(fmri, outputs.mean), *latents)
    else:
        matrix = published_matrix(laplace_nll(fmri, outputs.mean, outputs.sd), *latents)
        inference["sd"] = sd
    return inference, {"fmri_hat": outputs.mean, "loss_matrix": matrix}, outputs.penalty


@pytest.mark.parametrize("name", _OPTIONS)
def test_inference_and_training_loss_with_other_options(name, parity, small, compiled, deviation):
    case = _case(parity(name), replace(small, **_OPTIONS[name]))
    inference, training, penalty = compiled(_inference_and_training_loss, case.network, case.eeg, case.fmri)
    assert set(inference) == set(case.arrays("eval"))
    for ours, reference in ((inference, case.arrays("eval")), (training, case.arrays("train"))):
        deviations = {output: deviation(array, reference[output]) for output, array in ours.items()}
        assert max(deviations.values()) < _TOLERANCE, deviations
    assert float(penalty) == pytest.approx(float(case.recorded["train.reg"]), rel=_TOLERANCE)
