"""Schedule, early stopping, log, precision, and what one step does."""

from __future__ import annotations

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from test_published_curves import rows
from tiny_training import OPTIONS, TinyNetwork

from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published import loop
from bids_eeg2fmri.learning.published.course import Course
from bids_eeg2fmri.learning.published.devices import make_mesh
from bids_eeg2fmri.learning.published.feed import Batch
from bids_eeg2fmri.learning.published.fit import make_network
from bids_eeg2fmri.learning.published.log import read_log, write_log
from bids_eeg2fmri.learning.published.objective import Objective
from bids_eeg2fmri.learning.published.optimiser import learning_rate, make_optimiser
from bids_eeg2fmri.learning.published.precision import compute_in_bfloat16
from bids_eeg2fmri.learning.published.state import first_state, take_apart
from bids_eeg2fmri.learning.published.step import draw_anew, make_step
from bids_eeg2fmri.learning.published.validation import make_validation
from bids_eeg2fmri.network.calhas2022 import Calhas2022Config
from bids_eeg2fmri.network.calhas2022.config import Blocks


def batch_of(volumes, numbers, weights=None):
    weights = np.ones(len(numbers), np.float32) if weights is None else np.array(weights, np.float32)
    return Batch(jnp.asarray(volumes.spectra(numbers)), jnp.asarray(volumes.targets(numbers)), jnp.asarray(weights))


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    rate = learning_rate(TrainingOptions(learning_rate=0.01, warmup_share=0.1), 100)
    values = np.array([float(rate(step)) for step in range(101)])
    assert values.argmax() == 10
    assert values[10] == pytest.approx(0.01)
    assert 0 < values[0] < 0.0011
    assert (np.diff(values[10:]) < 0).all()
    assert values[100] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("n_steps", [1, 2])
def test_the_shortest_trainings_have_a_rate(n_steps):
    assert float(learning_rate(TrainingOptions(), n_steps)(0)) > 0


def test_early_stopping():
    course = Course()
    for epoch, loss in enumerate((0.9, 0.7, 0.8, 0.75), start=1):
        assert not course.finished
        course = course.after_epoch(10 * epoch, loss, patience=2, epochs=100)
    assert course.finished
    assert (course.best_epoch, course.best_loss, course.step) == (2, 0.7, 40)
    assert Course().after_epoch(10, 1.0, patience=5, epochs=1).finished
    assert Course().after_epoch(10, math.nan, patience=5, epochs=9).best_epoch == 0


def test_the_log_comes_back_without_epochs_that_will_be_repeated(tmp_path):
    path = tmp_path / "training_log.tsv"
    assert read_log(path, 3) == []
    write_log(path, rows(5))
    assert read_log(path, 3) == rows(5)[:3]


def test_a_volume_that_fills_up_does_not_count(people):
    volumes, _ = people
    network = TinyNetwork()
    network.eval()
    whole, _ = Objective().of_batch(network, batch_of(volumes, np.array([3, 8])))
    filled, parts = Objective().of_batch(network, batch_of(volumes, np.array([3, 8, 1]), [1, 1, 0]))
    assert float(filled) == pytest.approx(float(whole), rel=1e-6)
    by_volume = Objective().by_volume(network, batch_of(volumes, np.array([3, 8])))
    assert float(by_volume["loss"].mean()) == pytest.approx(float(whole), rel=1e-6)
    assert float(parts["reconstruction"] + parts["latent"]) == pytest.approx(float(whole), rel=1e-6)


class Spread(TinyNetwork):
    """States a spread of its errors, and has a distribution over weights."""

    def outputs(self, eeg, fmri):
        outputs = super().outputs(eeg, fmri)
        return outputs._replace(sd=0.5 + jnp.abs(outputs.mean))

    def divergence(self):
        return jnp.asarray(12.0)


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        ("absolute", lambda error, sd: np.abs(error)),
        ("squared", lambda error, sd: error**2 / 2),
        ("laplace", lambda error, sd: np.abs(error) / sd + np.log(2 * sd)),
        ("gaussian", lambda error, sd: (error / sd) ** 2 / 2 + np.log(sd)),
        ("sd_score", lambda error, sd: (error**2 / sd + sd) / 2),
    ],
)
def test_the_loss_is_a_choice_and_the_divergence_part_of_it(people, loss, by_hand):
    volumes, _ = people
    network, batch = Spread(), batch_of(volumes, np.array([3, 8]))
    network.eval()
    outputs = network.outputs(jnp.moveaxis(batch.spectra, 1, -1), batch.targets)
    mean, sd = np.asarray(outputs.mean), np.asarray(outputs.sd)
    _, parts = Objective(loss, 0.25).of_batch(network, batch)
    assert float(parts["reconstruction"]) == pytest.approx(
        by_hand(np.asarray(batch.targets) - mean, sd).mean(), rel=1e-3
    )
    assert float(parts["penalty"]) == pytest.approx(3.0)


def test_the_divergence_counts_once_per_voxel_of_the_training_data():
    config = Calhas2022Config(fmri_shape=(4, 3, 2), aleatoric=True, divergence_weight=0.5)
    assert Objective.of(config, 10) == Objective("laplace", 0.5 / 240)


def test_a_step_is_clipped_adam_and_the_average_lags_behind(people):
    volumes, _ = people
    batch = batch_of(volumes, np.arange(8))
    network, options = TinyNetwork(), replace(OPTIONS, clip_norm=0.1, ema_decay=0.15)
    anatomy, weights = take_apart(network)
    optimiser = make_optimiser(options, 100)
    step = make_step(anatomy, optimiser, options, make_mesh(8), Objective())
    after, loss = step(first_state(weights, optimiser), batch)

    by_hand = TinyNetwork()
    draw_anew(by_hand, options.seed, 0)
    by_hand.train()
    value, gradient = nnx.jit(nnx.value_and_grad(lambda network: Objective().of_batch(network, batch)[0]))(by_hand)
    parameters = nnx.state(by_hand, nnx.Param)
    factor = min(1.0, 0.1 / float(optax.global_norm(gradient)))
    assert factor < 1, "the limit is at work"
    adam = optax.adam(float(learning_rate(options, 100)(0)), eps=1e-7)
    updates, _ = adam.update(jax.tree.map(lambda g: factor * g, gradient), adam.init(parameters))
    expected = optax.apply_updates(parameters, updates)

    assert float(loss) == pytest.approx(float(value), rel=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), after.weights.parameters, expected)
    # Batch statistics moved once.
    moved = jax.tree.leaves(nnx.state(by_hand, nnx.BatchStat))
    np.testing.assert_allclose(jax.tree.leaves(after.weights.statistics)[0], moved[0], atol=1e-6)
    assert (int(after.step), float(after.sums["volumes"])) == (1, 8)

    first, second = kernel(weights), kernel(after.weights)
    average = 0.1 * first + 0.9 * second
    np.testing.assert_allclose(kernel(after.average), average, atol=1e-6)
    later, _ = step(after, batch)
    np.testing.assert_allclose(kernel(later.average), 0.15 * average + 0.85 * kernel(later.weights), atol=1e-6)


@pytest.mark.parametrize("n_volumes", [3, 10])
def test_all_weights_of_the_network_get_their_gradient(n_volumes):
    config = Calhas2022Config(
        eeg_shape=(4, 8, 3),
        fmri_shape=(5, 4, 3),
        latent_shape=(2, 2, 2),
        n_filters=2,
        eeg_blocks=Blocks(((2, 3, 2),), ((1, 1, 1),), (2, 2, 1), (1, 1, 1)),
        fmri_blocks=Blocks(((2, 2, 2),), ((1, 1, 1),), (2, 2, 1), (1, 1, 1)),
        fmri_dropout=0.0,
    )
    rng = np.random.default_rng(0)
    shapes = ((n_volumes, 3, 4, 8), (n_volumes, 5, 4, 3))
    batch = Batch(*(jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in shapes), jnp.ones(n_volumes))
    network, options = make_network(config, 0), replace(OPTIONS, clip_norm=0.1)
    anatomy, weights = take_apart(network)
    optimiser = make_optimiser(options, 100)
    step = make_step(anatomy, optimiser, options, make_mesh(n_volumes), Objective())
    after, _ = step(first_state(weights, optimiser), batch)

    network.train()
    gradient = nnx.jit(nnx.grad(lambda network: Objective().of_batch(network, batch)[0]))(network)
    norm = float(optax.global_norm(gradient))
    assert norm > 0.1
    assert float(after.sums["gradient_norm"]) == pytest.approx(norm, rel=1e-4)
    # After one step the first moment is a tenth of the gradient.
    moment = optax.tree.get(after.optimiser, "mu")
    assert "kernel" in moment["decoder"]["voxel_dense"]
    jax.tree.map(lambda m, g: np.testing.assert_allclose(m, 0.01 / norm * g, atol=1e-6), moment, gradient)


def kernel(weights):
    return np.asarray(weights.parameters["decoder"]["kernel"][...])


def test_validation_counts_people_not_volumes(people):
    _, volumes = people
    network = TinyNetwork()
    anatomy, weights = take_apart(network)
    scores = make_validation(anatomy, volumes, 8, make_mesh(8), Objective())(weights)
    network.eval()
    losses = Objective().by_volume(network, batch_of(volumes, np.arange(len(volumes))))
    for name, values in losses.items():
        values = np.asarray(values)
        first = volumes.person_of_volume == 0
        assert scores[name] == pytest.approx((values[first].mean() + values[~first].mean()) / 2, rel=1e-5)


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32(people):
    volumes, _ = people
    network, exact = TinyNetwork(), TinyNetwork()
    compute_in_bfloat16(network)
    assert network.decoder(jnp.ones((1, 8))).dtype == jnp.bfloat16
    anatomy, weights = take_apart(network)
    optimiser = make_optimiser(OPTIONS, 100)
    batch = batch_of(volumes, np.arange(8))
    step = make_step(anatomy, optimiser, OPTIONS, make_mesh(8), Objective())
    state, loss = step(first_state(weights, optimiser), batch)
    draw_anew(exact, OPTIONS.seed, 0)

    assert {leaf.dtype for leaf in jax.tree.leaves(state.weights)} == {jnp.dtype("float32")}
    assert loss.dtype == jnp.float32
    assert float(loss) == pytest.approx(float(Objective().of_batch(exact, batch)[0]), rel=0.02)
    assert float(loss) != float(Objective().of_batch(exact, batch)[0])


def test_a_loss_without_bounds_ends_training(people, tmp_path):
    options = replace(OPTIONS, learning_rate=1e30, clip_norm=1e30)
    with pytest.raises(BadDataError, match="the loss is"):
        loop.train(TinyNetwork(), *people, options, tmp_path / "run", {}, Objective())
