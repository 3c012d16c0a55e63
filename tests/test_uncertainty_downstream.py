"""The examples of docs/uncertainty_downstream.md run, and what they compute is right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

PAGE = Path(__file__).resolve().parents[1] / "docs" / "uncertainty_downstream.md"
N_PEOPLE, N_VOLUMES, N_DRAWS = 4, 120, 20


def _blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def _autoregression(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> np.ndarray:
    white = rng.standard_normal(shape)
    series = white.copy()
    for volume in range(1, shape[0]):
        series[volume] = memory * series[volume - 1] + np.sqrt(1 - memory**2) * white[volume]
    return series


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's code leaves behind, run on the tables of four people."""
    root = tmp_path_factory.mktemp("downstream")
    rng = np.random.default_rng(0)
    names = ["L-Vis-1", "L-Vis-2", "L-Vis-3"]
    for person in range(N_PEOPLE):
        folder = root / "OUT" / "parcels" / f"sub-0{person}" / "func"
        folder.mkdir(parents=True)
        sd = np.full((N_VOLUMES, 3), 4.0)
        mean = 1000 + 2 * _autoregression(rng, (N_VOLUMES, 3), 0.5) + 3 * np.linspace(-1, 1, N_VOLUMES)[:, None]
        draws = [mean + sd * _autoregression(rng, mean.shape, 0.5) for _ in range(N_DRAWS)]
        stem = f"sub-0{person}_task-rest_rec-eeg2fmri_space-MNI152NLin2009cAsym_res-2_seg-Schaefer200"
        long = pd.DataFrame(np.concatenate(draws), columns=names)
        long.insert(0, "volume", np.tile(np.arange(N_VOLUMES), N_DRAWS))
        long.insert(0, "sample", np.repeat(np.arange(N_DRAWS), N_VOLUMES))
        tables = {"stat-mean": pd.DataFrame(mean, columns=names), "stat-std": pd.DataFrame(sd, columns=names)}
        for kind, table in (tables | {"desc-samples": long}).items():
            table.to_csv(folder / f"{stem}_{kind}_timeseries.tsv.gz", sep="\t", index=False)
    space: dict[str, Any] = {}
    source = "\n".join(_blocks()).replace('Path("OUT")', f"Path({str(root / 'OUT')!r})")
    exec(compile(source, str(PAGE), "exec"), space)  # noqa: S102
    return space


def test_every_example_ran(examples: dict[str, Any]) -> None:
    assert len(examples["means"]) == N_PEOPLE
    assert examples["slope"] == pytest.approx(3, abs=4 * examples["slope_sd"])
    assert examples["effect"] == pytest.approx(3, abs=4 * examples["effect_sd"])
    assert -1 < np.tanh(examples["pooled"]) < 1
    assert examples["freedom"] > N_DRAWS - 1


def test_draws_add_to_the_sd_of_a_correlation(examples: dict[str, Any]) -> None:
    assert examples["pooled_sd"] > np.sqrt(np.mean(examples["variances"]))


def test_the_weighted_slope_is_weighted_least_squares(examples: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    x, sd = np.linspace(-1, 1, 200), rng.uniform(1, 5, 200)
    slopes, sds = zip(
        *(examples["weighted_slope"](2 * x + sd * rng.standard_normal(200), sd, x) for _ in range(300)), strict=True
    )
    assert np.mean(slopes) == pytest.approx(2, abs=0.08)
    # Chance autocorrelation only widens it.
    assert np.std(slopes) <= np.mean(sds) * 1.1
    assert np.mean(sds) < 1.3 * np.std(slopes)


def test_random_effects_weigh_by_precision(examples: dict[str, Any]) -> None:
    mean, sd, between = examples["random_effects"]([1.0, 1.0, 1.0], [0.1, 0.2, 0.4])
    assert (mean, between) == (pytest.approx(1), 0)
    assert sd == pytest.approx(1 / np.sqrt(10 + 5 + 2.5))
    rng = np.random.default_rng(2)
    variances = rng.uniform(0.5, 3, 2000)
    found = examples["random_effects"](0.3 + rng.standard_normal(2000) * np.sqrt(variances + 0.8), variances)
    assert found[0] == pytest.approx(0.3, abs=4 * found[1])
    assert found[2] == pytest.approx(0.8, rel=0.3)


def test_rubins_rules_cover(examples: dict[str, Any]) -> None:
    """A mean of which a part of the data is imputed: intervals hold the truth as often as they say."""
    rng = np.random.default_rng(3)
    n, n_missing, m, inside = 60, 30, 10, 0
    for _ in range(400):
        known = rng.standard_normal(n - n_missing)
        estimates, variances = [], []
        for _ in range(m):
            centre = known.mean() + known.std(ddof=1) / np.sqrt(len(known)) * rng.standard_normal()
            full = np.concatenate([known, centre + known.std(ddof=1) * rng.standard_normal(n_missing)])
            estimates.append(full.mean())
            variances.append(full.var(ddof=1) / n)
        pooled, sd, freedom = examples["rubin"](estimates, variances)
        inside += abs(pooled) < scipy.stats.t.ppf(0.95, freedom) * sd
    assert inside / 400 == pytest.approx(0.9, abs=0.045)
