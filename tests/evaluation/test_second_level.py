"""People compared: designs, weights that gain power and keep the false positives, and nilearn's own answer without."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from nilearn.glm.second_level import SecondLevelModel

from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.evaluation.second_level import fit_second_level, is_known, make_design

SHAPE, N_PEOPLE = (12, 12, 10), 24
MASK = nib.Nifti1Image(np.ones(SHAPE, np.uint8), np.diag([4.0, 4, 4, 1]))
PLANTED = np.zeros(SHAPE, bool)
PLANTED[2:6, 2:6, 2:6] = True
GROUPS = ["a", "b"] * (N_PEOPLE // 2)
# Every third person is known well, the others badly.
OWN_SD = np.where(np.arange(N_PEOPLE) % 3 == 0, 0.5, 2.5)


def _maps(rng, effect, own_sd=OWN_SD, between_sd=0.3):
    member = np.array([float(group == "b") for group in GROUPS])
    sd = np.hypot(own_sd, between_sd)
    data = sd[:, None, None, None] * rng.standard_normal((N_PEOPLE, *SHAPE))
    data = data + effect * member[:, None, None, None] * PLANTED + 5
    return [nib.Nifti1Image(volume.astype(np.float32), MASK.affine) for volume in data]


def test_without_weights_it_is_nilearn():
    maps = _maps(np.random.default_rng(0), 1.0)
    numbers = [str(value) for value in np.random.default_rng(1).normal(40, 10, N_PEOPLE).round(1)]
    design = make_design(numbers, "age")
    fitted = fit_second_level(maps, MASK, design)
    reference = SecondLevelModel(mask_img=MASK).fit(
        maps, design_matrix=pd.DataFrame({"age": np.array(numbers, float), "intercept": 1.0})
    )
    for name, image in (("effect_size", fitted.effect), ("z_score", fitted.z)):
        expected = reference.compute_contrast("age", output_type=name).get_fdata()
        np.testing.assert_allclose(image.get_fdata(), expected, atol=1e-3)
    assert fitted.between_sd is None
    np.testing.assert_array_equal(fitted.weights, 1)


def test_weighted_is_weighted_least_squares():
    """In one voxel, against the textbook's formula."""
    maps = _maps(np.random.default_rng(2), 1.0)
    design = make_design(GROUPS, "group")
    fitted = fit_second_level(maps, MASK, design, OWN_SD)
    y = np.array([image.get_fdata()[3, 3, 3] for image in maps])
    x = design.matrix.to_numpy(float)
    w = np.diag(1 / (fitted.between_sd**2 + OWN_SD**2))
    beta = np.linalg.solve(x.T @ w @ x, x.T @ w @ y)
    assert fitted.effect.get_fdata()[3, 3, 3] == pytest.approx(beta[0], rel=1e-4)
    residual = y - x @ beta
    covariance = np.linalg.inv(x.T @ w @ x) * (residual @ w @ residual) / (N_PEOPLE - 2)
    t = beta[0] / np.sqrt(covariance[0, 0])
    assert fitted.p.get_fdata()[3, 3, 3] == pytest.approx(2 * scipy.stats.t.sf(abs(t), N_PEOPLE - 2), rel=1e-3)


def test_weights_find_more_of_a_planted_difference():
    found = {"weighted": 0.0, "equal": 0.0}
    for seed in range(4):
        maps = _maps(np.random.default_rng(seed), 0.9)
        design = make_design(GROUPS, "group")
        for name, own_sd in (("weighted", OWN_SD), ("equal", None)):
            p = fit_second_level(maps, MASK, design, own_sd).p.get_fdata()
            found[name] += (p[PLANTED] < 0.01).mean() / 4
    assert found["weighted"] > found["equal"] + 0.2


@pytest.mark.parametrize("own_sd", [OWN_SD, None], ids=["weighted", "equal"])
def test_without_a_difference_p_is_uniform(own_sd):
    design = make_design(GROUPS, "group")
    maps = _maps(np.random.default_rng(7), 0.0, own_sd=OWN_SD if own_sd is not None else np.ones(N_PEOPLE))
    p = fit_second_level(maps, MASK, design, own_sd).p.get_fdata().ravel()
    assert scipy.stats.kstest(p, "uniform").statistic < 0.05
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_the_sd_between_people_is_found_beside_their_own():
    own_sd = np.linspace(0.2, 1.0, N_PEOPLE)
    maps = _maps(np.random.default_rng(8), 0.0, own_sd=own_sd, between_sd=0.8)
    fitted = fit_second_level(maps, MASK, make_design(GROUPS, "group"), own_sd)
    assert fitted.between_sd == pytest.approx(0.8, rel=0.15)
    assert fitted.weights[0] > fitted.weights[-1]
    assert fitted.weights.mean() == pytest.approx(1)


def test_more_than_two_groups_are_tested_at_once():
    groups = ["a", "b", "c"] * (N_PEOPLE // 3)
    maps = _maps(np.random.default_rng(9), 0.0, own_sd=np.ones(N_PEOPLE))
    shifted = [
        nib.Nifti1Image(image.get_fdata().astype(np.float32) + 3 * PLANTED * (group == "c"), image.affine)
        for image, group in zip(maps, groups, strict=True)
    ]
    design = make_design(groups, "group")
    fitted = fit_second_level(shifted, MASK, design)
    assert design.statistic == "F"
    assert fitted.effect is None
    p = fitted.p.get_fdata()
    values = [[image.get_fdata()[3, 3, 3] for image, of in zip(shifted, groups, strict=True) if of == g] for g in "abc"]
    assert p[3, 3, 3] == pytest.approx(scipy.stats.f_oneway(*values).pvalue, rel=0.01)
    assert (p[PLANTED] < 0.001).mean() > 0.9
    assert (p[~PLANTED] < 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_the_kind_of_column_decides():
    assert make_design(GROUPS, "group").question == "b minus a"
    assert make_design(["0", "1"] * 4, "drug").question == "1 minus 0"
    assert make_design([str(age) for age in range(10)], "age").question == "increase per unit of age"
    assert [is_known(cell) for cell in ("a", "n/a", "", "N/A")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["a"] * 6, "for everybody"),
        ([], "holds nothing"),
        (["a", "a", "a", "a", "b"], "one person only"),
        (["1", "2", "3"], "too few"),
    ],
)
def test_columns_that_permit_no_comparison(values, reason):
    with pytest.raises(UsageError, match=reason):
        make_design(values, "group")
