"""The losses against the published ones, recorded with random inputs, and against what each promises."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bids_eeg2fmri.network.calhas2022 import contrastive_losses, losses

_PARITY = Path(__file__).parents[2] / "data" / "parity"
# Float32 sums over a volume.
_RTOL = 2e-6


@pytest.fixture(scope="module")
def recorded():
    arrays = dict(np.load(_PARITY / "losses.npz"))
    for name in ("y", "p", "var"):
        arrays[name] = arrays[name][..., 0]
    return arrays


def test_the_published_matrix(recorded):
    y, p, scale, z1, z2 = (recorded[name] for name in ("y", "p", "var", "z1", "z2"))
    np.testing.assert_allclose(losses.cosine_of_all_pairs(z1, z2), recorded["cosine"], rtol=_RTOL)
    for name, error in (
        ("mae_cosine", losses.absolute_error(y, p)),
        ("mse_cosine", losses.half_squared_error(y, p)),
        ("laplacian", losses.laplace_nll(y, p, scale)),
    ):
        np.testing.assert_allclose(losses.published_matrix(error, z1, z2), recorded[name], rtol=_RTOL, err_msg=name)


def test_errors_of_volumes_equal_the_published_ones(recorded):
    y, p = recorded["y"], recorded["p"]
    np.testing.assert_allclose(losses.half_squared_error(y, p), recorded["mse"][:, 0], rtol=_RTOL)
    np.testing.assert_allclose(losses.absolute_error(y, p).mean(), recorded["mae"], rtol=_RTOL)


def test_sound_heteroscedastic_losses_equal_the_published_ones(recorded):
    y, p, spread = (recorded[name] for name in ("y", "p", "var"))
    for name, loss in (
        ("combined_original_loss", losses.gaussian_nll(y, p, spread)),
        ("combined_log_loss", losses.gaussian_nll(y, p, spread)),
        ("combined_log_abs_loss", losses.gaussian_nll(y, p, np.sqrt(spread))),
        ("combined_abs_loss", losses.sd_score(y, p, spread)),
        ("combined_square_loss", losses.sd_score(y, p, spread**2)),
    ):
        np.testing.assert_allclose(loss, recorded[f"bnn.{name}"][:, 0], rtol=_RTOL, err_msg=name)


def _root_mean_square(errors):
    return np.sqrt(np.mean(errors**2))


def _mean_absolute(errors):
    return np.mean(np.abs(errors))


@pytest.mark.parametrize(
    ("loss", "best_spread"),
    [
        (losses.gaussian_nll, _root_mean_square),
        (losses.sd_score, _root_mean_square),
        (losses.laplace_nll, _mean_absolute),
    ],
)
def test_heteroscedastic_losses_are_smallest_at_the_true_spread(loss, best_spread):
    errors = np.random.default_rng(0).normal(0, 1.7, (1, 9, 9, 9))
    spreads = best_spread(errors) * np.array([0.5, 0.9, 1.0, 1.1, 2.0])
    values = [float(loss(errors, np.zeros_like(errors), np.full_like(errors, spread))[0]) for spread in spreads]
    assert np.argmin(values) == 2


def test_matched_pairs_are_compared_example_by_example():
    rng = np.random.default_rng(1)
    z_eeg = rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
    mirrored = 5.0 * z_eeg.transpose(0, 3, 2, 1)
    np.testing.assert_allclose(losses.matched_cosine(z_eeg, mirrored), 0, atol=1e-6)
    np.testing.assert_allclose(losses.matched_cosine(z_eeg, -mirrored), 2, atol=1e-6)
    z_fmri = rng.normal(size=z_eeg.shape).astype(np.float32)
    alone = [losses.matched_cosine(z_eeg[b : b + 1], z_fmri[b : b + 1])[0] for b in range(4)]
    np.testing.assert_allclose(losses.matched_cosine(z_eeg, z_fmri), alone, rtol=1e-6)


def test_one_example_has_the_published_distance(recorded):
    z_eeg, z_fmri = recorded["z1"][:1], recorded["z2"][:1]
    matched = losses.matched_cosine(z_eeg, z_fmri)
    np.testing.assert_allclose(matched, losses.cosine_of_all_pairs(z_eeg, z_fmri)[0], rtol=1e-6)


def test_a_silent_latent_has_a_finite_gradient():
    z = np.zeros((2, 3, 3, 3), np.float32)
    gradient = jax.grad(lambda z_eeg: losses.matched_cosine(z_eeg, jnp.asarray(z)).sum())(jnp.asarray(z))
    assert np.isfinite(gradient).all()


def test_contrastive_losses_equal_the_published_ones():
    recorded = np.load(_PARITY / "losses_contrastive.npz")
    same = recorded["y_pair"].argmax(axis=1).astype(np.float32)
    element_wise = contrastive_losses.contrastive(recorded["dist"], same)
    np.testing.assert_allclose(element_wise, recorded["contrastive_none"], rtol=1e-6)
    y = recorded["y3"]
    logits = np.concatenate([recorded["logit1"], recorded["logit2"]], axis=1)
    loss = contrastive_losses.contrastive_classification(
        recorded["dist"], y[:, 0].argmax(axis=1).astype(np.float32), logits, y[:, 1:, 1]
    )
    np.testing.assert_allclose(loss, recorded["contrastive_classification"], rtol=1e-6)


def test_variances_of_logits_weigh_their_cross_entropy():
    logits, labels = np.array([[2.0, -1.0]]), np.array([[0.0, 0.0]])
    variances = np.array([[4.0, 0.5]])
    loss = contrastive_losses.contrastive_classification(
        np.zeros((1, 3)), np.ones(1), logits, labels, variances=variances
    )
    expected = np.log1p(np.exp(2.0)) / 4 + np.log1p(np.exp(-1.0)) / 0.5 + np.log(4.0 * 0.5)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_separation_entropy_is_small_where_signs_tell_the_classes_apart():
    labels = np.array([1.0, 0.0, 1.0])
    signs = 2 * labels - 1
    features = 20 * np.tile(signs[:, None], (1, 5))
    assert contrastive_losses.separation_entropy(features, 20 * signs, labels) < 1e-6
    chance = contrastive_losses.separation_entropy(np.zeros((3, 5)), np.zeros(3), labels)
    np.testing.assert_allclose(chance, 2 * np.log(2), rtol=1e-6)
