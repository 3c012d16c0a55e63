"""Variational layers: published outputs at vanishing spread, and draws that follow their distributions."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy import special, stats
from scipy.fft import idctn

from bids_eeg2fmri.network.calhas2022.config import ArchitectureError
from bids_eeg2fmri.network.calhas2022.dense_variational import DenseFlipout, DenseVariational
from bids_eeg2fmri.network.calhas2022.mean_field import MeanFieldNormal
from bids_eeg2fmri.network.calhas2022.variational_cosine import VariationalInverseCosine
from bids_eeg2fmri.network.calhas2022.von_mises import one_minus_mean_cosine, sample_von_mises, von_mises_divergence

_PARITY = Path(__file__).parents[2] / "data" / "parity"
_IN, _OUT, _DRAWN = (4, 4, 3), (12, 12, 6), (2, 2, 1)


def _output(layer, x, key):
    # One compiled function is quicker here than many small ones.
    return np.asarray(nnx.jit(type(layer).__call__)(layer, x, key))


def _layer(recorded, distribution, dependent):
    layer = VariationalInverseCosine(
        _IN,
        _OUT,
        _DRAWN,
        dependent=dependent,
        n_heads=len(recorded["loc"]),
        distribution=distribution,
        rngs=nnx.Rngs(0),
    )
    layer.loc[...] = recorded["loc"]
    layer.scale[...] = recorded["scale"]
    layer.amplitude.mean[...] = recorded["normal_loc"]
    layer.amplitude.raw_sd[...] = jnp.full(_IN, -80.0)
    if dependent:
        layer.biases[...] = recorded["biases"]
        for index, mixer in enumerate(layer.mixers, start=1):
            mixer[...] = recorded[f"w{index}"]
    return layer


# The recorded von Mises layer has a concentration of 1e8: its angles vary by 1e-4, and no two draws are equal.
@pytest.mark.parametrize(
    ("name", "distribution", "dependent", "tolerance"),
    [
        ("Normal_dep", "Normal", True, 5e-6),
        ("Normal_indep", "Normal", False, 5e-6),
        ("VonMises_dep", "VonMises", True, 1e-4),
    ],
)
def test_variational_cosine_is_published(name, distribution, dependent, tolerance):
    recorded = np.load(_PARITY / f"layer_variational_idct3d_{name}.npz")
    layer = _layer(recorded, distribution, dependent)
    for key in (jax.random.key(5), None):
        deviation = np.abs(_output(layer, recorded["x"], key) - recorded["out"]).max()
        assert deviation < tolerance * np.abs(recorded["out"]).max()


@pytest.mark.parametrize("distribution", ["Normal", "VonMises"])
def test_expectation_is_the_mean_of_draws(distribution):
    layer = VariationalInverseCosine(
        (2, 2, 2), (4, 4, 4), (1, 1, 1), dependent=True, n_heads=3, distribution=distribution, rngs=nnx.Rngs(1)
    )
    x = np.random.default_rng(0).normal(size=(2, 2, 2, 2)).astype(np.float32)
    draws = jax.jit(jax.vmap(lambda key: layer(x, key)))(jax.random.split(jax.random.key(2), 6000))
    error = np.asarray(draws).std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - _output(layer, x, None)) < 5 * error + 1e-7).all()


def test_random_padding_keeps_every_coefficient():
    layer = VariationalInverseCosine((3, 3, 3), (7, 8, 6), (2, 2, 2), random_padding=True, rngs=nnx.Rngs(3))
    layer.amplitude.mean[...] = jnp.ones((3, 3, 3))
    x = np.arange(1.0, 28.0, dtype=np.float32).reshape(1, 3, 3, 3)
    coefficients = np.zeros((5, 5, 5))
    places = [np.flatnonzero(np.asarray(order[...]) < 3) for order in layer.orders]
    coefficients[np.ix_(*places)] = x[0]
    layer.loc[...] = jnp.zeros_like(layer.loc[...])
    padded = np.zeros((7, 8, 6))
    padded[:5, :5, :5] = coefficients
    np.testing.assert_allclose(_output(layer, x, None)[0], idctn(padded, type=2), atol=1e-5)
    assert all(sorted(np.asarray(order[...])) == list(range(len(order[...]))) for order in layer.orders)


def test_random_padding_prefers_the_lowest_frequency():
    def is_known(seed):
        layer = VariationalInverseCosine((1, 1, 1), (5, 5, 5), (4, 4, 4), random_padding=True, rngs=nnx.Rngs(seed))
        return [int(order[0]) == 0 for order in layer.orders]

    weights = np.exp(1 / np.arange(1, 6) ** 2)
    share = np.mean([is_known(seed) for seed in range(40)])
    assert abs(share - weights[0] / weights.sum()) < 0.12


def test_contradicting_options_are_refused():
    with pytest.raises(ArchitectureError, match="exceed a volume"):
        VariationalInverseCosine((4, 4, 4), (5, 8, 8), (2, 2, 2), rngs=nnx.Rngs(0))
    with pytest.raises(ArchitectureError, match="dependent=True"):
        VariationalInverseCosine((4, 4, 4), (8, 8, 8), (2, 2, 2), n_heads=3, rngs=nnx.Rngs(0))
    with pytest.raises(ArchitectureError, match="Normal, VonMises"):
        VariationalInverseCosine((4, 4, 4), (8, 8, 8), (2, 2, 2), distribution="normal", rngs=nnx.Rngs(0))


def test_variational_cosine_is_stored_and_trained_like_any_module():
    def make(seed):
        return VariationalInverseCosine(
            (2, 2, 2),
            (4, 4, 4),
            (1, 1, 1),
            dependent=True,
            n_heads=2,
            distribution="VonMises",
            random_padding=True,
            rngs=nnx.Rngs(seed),
        )

    layer, x = make(0), np.ones((1, 2, 2, 2), np.float32)
    graph, _ = nnx.split(nnx.eval_shape(lambda: make(1)))
    copy = nnx.merge(graph, nnx.state(layer))
    np.testing.assert_array_equal(_output(copy, x, jax.random.key(0)), _output(layer, x, jax.random.key(0)))
    gradients = nnx.jit(nnx.grad(lambda module: (module(x, jax.random.key(0)) ** 2).sum()))(layer)
    for gradient in jax.tree.leaves(gradients):
        assert np.isfinite(gradient).all()
        assert np.any(gradient)


@jax.jit
def _von_mises_draws(concentration):
    return sample_von_mises(jax.random.key(0), jnp.zeros(20000), jnp.full(20000, concentration))


@jax.jit
@jax.grad
def _slope_of_mean_cosine(concentration):
    return jnp.mean(jnp.cos(_von_mises_draws(concentration)))


@pytest.mark.parametrize("concentration", [0.0, 0.5, 5.0, 1e3, 1e6])
def test_von_mises_draws_follow_scipy(concentration):
    expected = stats.vonmises(concentration) if concentration else stats.uniform(-np.pi, 2 * np.pi)
    assert stats.kstest(np.asarray(_von_mises_draws(concentration), float), expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize("concentration", [0.1, 2.0, 25.0, 300.0])
def test_von_mises_gradients_point_to_the_mean_cosine(concentration):
    ratio = special.i1e(concentration) / special.i0e(concentration)
    slope = 1 - ratio / concentration - ratio**2
    np.testing.assert_allclose(_slope_of_mean_cosine(concentration), slope, rtol=0.05)


@pytest.mark.parametrize("concentration", [0.0, 1.0, 29.0, 31.0])
def test_mean_cosine_equals_the_bessel_quotient(concentration):
    expected = 1 - special.i1e(concentration) / special.i0e(concentration)
    np.testing.assert_allclose(one_minus_mean_cosine(jnp.float32(concentration)), expected, rtol=3e-5)


def test_dense_variational_is_published():
    recorded = np.load(_PARITY / "layer_dense_variational.npz")
    layer = DenseVariational(7, 5, rngs=nnx.Rngs(0))
    layer.kernel_mu[...] = recorded["kernel_mu"]
    layer.bias_mu[...] = recorded["bias_mu"]
    np.testing.assert_allclose(layer(recorded["x"], None), recorded["out_sigma0"], rtol=1e-5, atol=1e-6)


def test_dense_variational_moves_along_one_direction():
    layer = DenseVariational(7, 5, rngs=nnx.Rngs(0))
    x = np.random.default_rng(0).normal(size=(3, 7)).astype(np.float32)
    change = layer(x, jax.random.key(1)) - layer(x, None)
    basis = np.stack([(x @ layer.kernel_sigma[...]).ravel(), np.tile(layer.bias_sigma[...], 3)], axis=1)
    _, residual, _, _ = np.linalg.lstsq(basis, np.asarray(change).ravel(), rcond=None)
    assert residual[0] < 1e-9


def test_flipout_has_the_moments_of_its_weights():
    layer = DenseFlipout(6, 4, rngs=nnx.Rngs(0))
    layer.kernel.raw_sd[...] = jnp.zeros((6, 4))
    x = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    draws = np.asarray(jax.jit(jax.vmap(lambda key: layer(x, key)))(jax.random.split(jax.random.key(0), 20000)))
    np.testing.assert_allclose(draws.mean(axis=0), layer(x, None), atol=0.08)
    sd = np.sqrt((x**2).sum(axis=1, keepdims=True)) * np.log(2)
    np.testing.assert_allclose(draws.std(axis=0), np.broadcast_to(sd, (3, 4)), rtol=0.03)
    examples = draws[..., 0] - draws[..., 0].mean(axis=0)
    assert np.abs(np.corrcoef(examples.T)[np.triu_indices(3, 1)]).max() < 0.05


def test_draws_that_are_shared_are_one_and_the_same_layer():
    layer = DenseFlipout(6, 4, rngs=nnx.Rngs(0))
    layer.bias[...] = jnp.zeros(4)
    x = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    shared, own = (np.asarray(layer(x, jax.random.key(1), shared=shared)) for shared in (True, False))
    kernel, *_ = np.linalg.lstsq(x, shared)
    np.testing.assert_allclose(x @ kernel, shared, atol=1e-5)
    assert np.abs(kernel - layer.kernel.mean[...]).max() > 0.01
    kernel, *_ = np.linalg.lstsq(x, own)
    assert np.abs(x @ kernel - own).max() > 0.01


def test_divergence_of_what_the_cosine_transform_draws():
    def make(distribution):
        return VariationalInverseCosine((2, 2, 2), (4, 4, 4), (1, 1, 1), distribution=distribution, rngs=nnx.Rngs(0))

    normal, angles = make("Normal"), make("VonMises")
    of_amplitude = float(normal.amplitude.divergence())
    loc, scale = np.asarray(normal.loc[...], float), 0.3
    normal.scale[...] = jnp.full_like(normal.scale[...], scale)
    expected = np.sum(loc**2 + scale**2 - 1 - 2 * np.log(scale)) / 2
    assert float(normal.divergence()) - of_amplitude == pytest.approx(expected, rel=1e-4)
    normal.scale[...] = jnp.zeros_like(normal.scale[...])
    assert np.isfinite(normal.divergence())
    angles.scale[...] = jnp.full_like(angles.scale[...], 2.5)
    size = angles.scale[...].size
    each = (float(angles.divergence()) - float(angles.amplitude.divergence())) / size
    assert each == pytest.approx(np.log(2 * np.pi) - stats.vonmises(2.5).entropy(), rel=1e-4)


@pytest.mark.parametrize("concentration", [0.0, 1.0, 30.0, 1e6])
def test_divergence_from_the_uniform_distribution_is_finite_and_grows(concentration):
    entropy = np.log(2 * np.pi) if concentration == 0 else stats.vonmises(concentration).entropy()
    if concentration > 100:
        entropy = stats.norm(scale=concentration**-0.5).entropy()
    expected = np.log(2 * np.pi) - entropy
    assert float(von_mises_divergence(jnp.float32(concentration))) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_divergence_is_that_of_normal_distributions():
    weights = MeanFieldNormal((3,), rngs=nnx.Rngs(0))
    weights.mean[...] = jnp.array([0.0, 1.0, -2.0])
    mean, sd = np.asarray(weights.mean[...], float), np.asarray(weights.sd, float)
    grid = np.linspace(-12, 12, 200001)
    density = stats.norm(mean[:, None], sd[:, None])
    integrand = density.pdf(grid) * (density.logpdf(grid) - stats.norm.logpdf(grid))
    np.testing.assert_allclose(weights.divergence(), np.trapezoid(integrand, grid).sum(), rtol=1e-4)
