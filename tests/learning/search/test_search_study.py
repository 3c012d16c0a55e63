"""A whole search on people made of noise: killed and resumed, enlarged, and what it leaves behind."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from flax import nnx
from optuna.trial import FixedTrial

from bids_eeg2fmri.errors import BadDataError, UsageError
from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published.cache import content_key, write_cached
from bids_eeg2fmri.learning.published.volumes import Volumes
from bids_eeg2fmri.learning.search import study
from bids_eeg2fmri.learning.search.candidates import Candidate, Spaces, make_candidates
from bids_eeg2fmri.learning.search.exactness import faults
from bids_eeg2fmri.learning.search.hyperparameters import suggest
from bids_eeg2fmri.learning.search.leaderboard import leaderboard_files, summary
from bids_eeg2fmri.learning.search.reference import error_of_zero
from bids_eeg2fmri.learning.search.study import Search, Trained
from bids_eeg2fmri.network.calhas2022 import Blocks, Calhas2022Config
from bids_eeg2fmri.network.calhas2022.network import Outputs

CONFIG = Calhas2022Config(
    eeg_shape=(8, 9, 4),
    fmri_shape=(7, 6, 6),
    latent_shape=(2, 2, 2),
    attention=False,
    style="none",
    fourier="none",
    n_filters=2,
    fmri_blocks=None,
)
WITH_VOLUMES = replace(CONFIG, fmri_blocks=Blocks((), (), pool=None))
# What is left to choose does not change the network that stands for all others here.
FIXED = {"style", "fourier", "n_filters", "decoder_shape", "batch_size", "decoder_dropout", "fmri_dropout"}
OPTIONS = TrainingOptions(epochs=3, batch_size=8, precision="float32", seed=4)
FAILS = 3


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Volumes, Volumes]:
    rng = np.random.default_rng(0)
    cache = tmp_path_factory.mktemp("cache")
    recordings = []
    for person in range(3):
        spectra = rng.standard_normal((20, 8, 9)).astype(np.float32)
        targets = rng.standard_normal((20, 7, 6, 6))
        arrays = {"spectra": spectra, "targets": targets, "usable": np.arange(4, 20), "profile": np.zeros(1)}
        recordings.append(write_cached(cache, content_key(spectra), f"p{person}", **arrays))
    return Volumes(tuple(recordings[:2]), 4), Volumes(tuple(recordings[2:]), 4)


class Linear(nnx.Module):
    """In the place of the network, which takes long to compile."""

    def __init__(self, config: Calhas2022Config, seed: int) -> None:
        self.config = config
        self.dense = nnx.Linear(prod(config.eeg_shape), prod(config.fmri_shape), rngs=nnx.Rngs(seed))

    def outputs(self, eeg: jax.Array, fmri: jax.Array) -> Outputs:
        mean = self.dense(eeg.reshape(len(eeg), -1)).reshape(fmri.shape)
        return Outputs(mean, None, mean, None, jnp.zeros(()))

    def divergence(self) -> jax.Array:
        return jnp.zeros(())


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "make_network", Linear)
        yield


@pytest.fixture(scope="module")
def spaces() -> Spaces:
    return Spaces.of(CONFIG)


@pytest.fixture(scope="module")
def candidates(spaces: Spaces) -> Sequence[Candidate]:
    return make_candidates(spaces, 3, seed=OPTIONS.seed)


@pytest.fixture(scope="module")
def interrupted(people, candidates, tmp_path_factory) -> tuple[Path, list[dict]]:
    """A search killed in the second epoch of its second candidate; the third fails later."""
    folder = tmp_path_factory.mktemp("search")
    fit_weights = study.fit_weights

    def killed(training, validation, network, options, folder, watch):
        def watched(row):
            watch(row)
            if folder.name == "candidate-002" and row.epoch == 2:
                raise KeyboardInterrupt

        return fit_weights(training, validation, network, options, folder, watched)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "fit_weights", killed)
        search = Search(*people, CONFIG, OPTIONS, FIXED, folder)
        with pytest.raises(KeyboardInterrupt):
            search.run(candidates)
    return folder, [trial.params for trial in search._study.get_trials()]


@pytest.fixture(scope="module")
def results(interrupted, people, candidates) -> list[Trained]:
    fit_weights = study.fit_weights

    def failing(training, validation, network, options, folder, watch):
        if folder.name == f"candidate-{FAILS:03d}":
            raise BadDataError("the loss is nan after 3 steps.")
        return fit_weights(training, validation, network, options, folder, watch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "fit_weights", failing)
        return Search(*people, CONFIG, OPTIONS, FIXED, interrupted[0]).run(candidates)


def test_an_interrupted_search_goes_on_with_the_candidate_under_way(interrupted, results, caplog) -> None:
    _, proposed = interrupted
    assert len(proposed) == 2 and proposed[0] != proposed[1]
    by_number = {result.candidate.number: result for result in results}
    for number, params in enumerate(proposed, start=1):
        result = by_number[number]
        assert (result.options.learning_rate, result.config.weight_decay) == (
            params["learning_rate"],
            params["weight_decay"],
        )
    # Every epoch of the first candidate was measured; the second, resumed, may have been stopped by it.
    assert by_number[1].state == "trained" and len(by_number[1].errors) == OPTIONS.epochs
    assert len(by_number[2].errors) >= 2 and by_number[2].state in ("trained", "stopped")


def test_the_same_search_again_trains_nothing(interrupted, results, people, candidates, monkeypatch) -> None:
    monkeypatch.setattr(study, "fit_weights", None)
    assert Search(*people, CONFIG, OPTIONS, FIXED, interrupted[0]).run(candidates) == results


def test_one_that_cannot_be_trained_stops_nothing(results) -> None:
    last = results[-1]
    assert (last.candidate.number, last.state, last.problem) == (FAILS, "failed", "the loss is nan after 3 steps.")
    assert results[0].error == min(result.error for result in results if result.state == "trained")


def test_only_the_checkpoints_of_the_best_are_kept(interrupted, results, candidates) -> None:
    kept = {path.parent.name for path in interrupted[0].glob("candidate-*/checkpoints")}
    assert kept == {f"candidate-{results[0].candidate.number:03d}"}


def test_nothing_trained_is_said(people, candidates, tmp_path, monkeypatch) -> None:
    def failing(*arguments):
        raise BadDataError("the loss is inf after 1 steps.")

    monkeypatch.setattr(study, "make_network", failing)
    with pytest.raises(BadDataError, match="none of 2 architectures could be trained: the loss is inf"):
        Search(*people, CONFIG, OPTIONS, FIXED, tmp_path).run(candidates[:2])


def test_a_study_that_cannot_be_read_is_named(people, tmp_path) -> None:
    (tmp_path / "study.sqlite3").write_bytes(b"no database" * 99)
    with pytest.raises(UsageError, match="cannot be opened") as caught:
        Search(*people, CONFIG, OPTIONS, FIXED, tmp_path)
    assert caught.value.path == tmp_path


def test_the_leaderboard_says_what_was_tried(results, spaces) -> None:
    files = leaderboard_files(results, spaces, 0.8)
    rows = list(csv.DictReader(io.StringIO(files["leaderboard.tsv"].decode()), delimiter="\t"))
    assert [int(row["candidate"]) for row in rows] == [result.candidate.number for result in results]
    assert rows[0]["state"] == "trained" and float(rows[0]["validation_error"]) == pytest.approx(results[0].error, 1e-4)
    assert rows[-1]["validation_error"] == "n/a"
    kernels = [tuple(map(int, kernel.split("x"))) for kernel in rows[0]["eeg_kernels"].split()]
    assert tuple(kernels) == results[0].config.eeg_blocks.kernels
    described = json.loads(files["leaderboard.json"])
    assert described["spaces"]["eeg"]["dissimilarity_bits"] > 0
    assert Calhas2022Config.from_json(described["candidates"][0]["config"]) == results[0].config
    assert described["summary"] == summary(results, spaces, 0.8)
    assert described["summary"]["failed"] == 1
    assert fromstring(files["leaderboard.svg"]).tag.endswith("svg")
    assert files["leaderboard.svg"] == leaderboard_files(results, spaces, 0.8)["leaderboard.svg"]


def test_the_error_of_zero_counts_people_not_volumes(people) -> None:
    training, _ = people
    targets = [training.targets(np.arange(first, first + 16)).astype(float) for first in (0, 16)]
    expected = np.mean([np.abs(part).mean() for part in targets])
    assert error_of_zero(training, "absolute") == pytest.approx(expected, rel=1e-4)
    assert error_of_zero(training, "squared") == pytest.approx(
        np.mean([np.square(p).mean() for p in targets]) / 2, 1e-4
    )
    assert error_of_zero(training, "laplace") is None


def test_candidates_are_different_solutions_and_a_larger_sample_begins_with_the_smaller() -> None:
    spaces = Spaces.of(WITH_VOLUMES)
    more = make_candidates(spaces, 12, seed=4)
    assert more[:3] == make_candidates(spaces, 3, seed=4)
    assert len({(c.eeg_blocks, c.fmri_blocks) for c in more}) == 12
    for candidate in more:
        assert faults(CONFIG.eeg_shape, candidate.eeg_blocks, CONFIG.latent_shape) == ()
        assert faults(CONFIG.fmri_shape, candidate.fmri_blocks, CONFIG.latent_shape) == ()
    assert [candidate.number for candidate in more] == list(range(1, 13))


def test_a_sample_is_uniform(spaces) -> None:
    drawn = [spaces.sample(1, seed)[0].eeg_blocks for seed in range(40 * spaces.size)]
    counts = np.array([drawn.count(spaces.eeg.blocks(index)) for index in range(spaces.size)])
    # 40 expected of each; five standard deviations.
    assert spaces.size > 4 and counts.sum() == len(drawn)
    assert (np.abs(counts - 40) < 5 * np.sqrt(40)).all()
    assert len(spaces.sample(10**6, 0)) == spaces.size


def test_an_encoder_of_volumes_that_nothing_fits_stays(caplog) -> None:
    config = replace(WITH_VOLUMES, fmri_shape=(2, 3, 3), fmri_blocks=Blocks(((1, 1, 1),), ((1, 1, 1),), (2, 2, 2)))
    assert Spaces.of(config).sample(1, 0)[0].fmri_blocks == config.fmri_blocks
    assert "the fMRI encoder stays" in caplog.text
    with pytest.raises(UsageError, match=r"EEG of shape \(8, 1, 4\)"):
        Spaces.of(replace(CONFIG, eeg_shape=(8, 1, 4)))


def test_what_is_given_is_not_searched() -> None:
    everything = {
        "learning_rate": 0.001,
        "batch_size": 16,
        "weight_decay": 1e-4,
        "fmri_dropout": 0.2,
        "decoder_dropout": 0.1,
        "n_filters": 8,
        "fourier": "fixed",
        "style": "prior",
        "decoder": "cosine",
    }
    config, options = suggest(FixedTrial(everything), Calhas2022Config(), OPTIONS, ())
    assert (options.learning_rate, options.batch_size, options.epochs) == (0.001, 16, OPTIONS.epochs)
    assert (config.decoder_shape, config.dct, config.inverse_dct) == ((16, 16, 8), True, True)
    assert (config.style, config.fourier, config.n_filters, config.decoder_dropout) == ("prior", "fixed", 8, 0.1)
    given = {*everything, "decoder_shape"} - {"decoder"}
    assert suggest(FixedTrial({}), Calhas2022Config(), OPTIONS, given) == (Calhas2022Config(), OPTIONS)
