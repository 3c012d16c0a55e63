"""The trainer of ``train --search``: whom it looks at, what it keeps, and what it adds to the model's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published.cache import CachedRecording, write_cached
from bids_eeg2fmri.learning.published.trainer import SplitData
from bids_eeg2fmri.learning.search import study
from bids_eeg2fmri.learning.search import trainer as searching
from bids_eeg2fmri.learning.search.trainer import SearchingTrainer
from bids_eeg2fmri.learning.splits import Split
from bids_eeg2fmri.learning.trainer import Fitted
from bids_eeg2fmri.levels.train import run_train
from bids_eeg2fmri.levels.trainers import make_library, make_trainer
from bids_eeg2fmri.network.calhas2022 import Calhas2022Config
from bids_eeg2fmri.settings import Settings

SPLIT = Split("test", ("01", "02"), ("03",), ("04",))


class Recorded:
    """Stands for the published trainer; remembers who was asked for."""

    options = TrainingOptions(epochs=2, seed=1)

    def __init__(self, recordings: dict[str, CachedRecording]) -> None:
        self._recordings, self.seen = recordings, set()

    def data(self, split: Split) -> SplitData:
        def group(people: Sequence[str]) -> tuple[CachedRecording, ...]:
            self.seen |= set(people)
            return tuple(self._recordings[person] for person in people)

        config = Calhas2022Config(
            eeg_shape=(8, 9, 4), fmri_shape=(7, 6, 6), latent_shape=(2, 2, 2), attention=False, style="none"
        )
        return SplitData(group(split.training), group(split.validation), SimpleNamespace(), config)


@pytest.fixture
def published(tmp_path: Path) -> Recorded:
    arrays = {"spectra": np.ones((6, 8, 9)), "targets": np.ones((6, 7, 6, 6)), "usable": np.array([4, 5])}
    folder = tmp_path / "cache"
    people = ("01", "02", "03")
    return Recorded({p: write_cached(folder, f"key{p}", p, profile=np.zeros(1), **arrays) for p in people})


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trainings that took no time: the third candidate is the best. Their folders' names."""
    names: list[str] = []

    def fit_weights(training, validation, network, options, folder, watch):
        assert training.people == ("01", "02") and validation.people == ("03",)
        names.append(folder.name)
        error = 0.5 if folder.name.endswith("3") else 0.9
        rows = [SimpleNamespace(epoch=epoch, validation_reconstruction=error - 0.1 * epoch) for epoch in (1, 2)]
        for row in rows:
            watch(row)
        return None, rows

    def fit_split(data, config, options, folder):
        return Fitted(None, {}, {"folder": folder, "filters": config.n_filters}, (), {"training_log.tsv": b""})

    monkeypatch.setattr(study, "make_network", lambda config, seed: nnx.Linear(2, 3, rngs=nnx.Rngs(0)))
    monkeypatch.setattr(study, "fit_weights", fit_weights)
    monkeypatch.setattr(searching, "fit_split", fit_split)
    return names


def test_the_best_on_the_validation_people_is_kept_where_it_was_trained(published, trained, tmp_path) -> None:
    fitted = SearchingTrainer(published, 3, {"batch_size"}, tmp_path / "training").fit(SPLIT, tmp_path / "unused")
    assert published.seen == {"01", "02", "03"}, "nobody who is tested"
    assert fitted.facts["folder"].name == "candidate-003" and fitted.facts["search"]["chosen"] == 3
    assert set(fitted.files) == {"training_log.tsv", "leaderboard.tsv", "leaderboard.json", "leaderboard.svg"}
    best = json.loads(fitted.files["leaderboard.json"])["candidates"][0]
    assert (best["candidate"], best["validation_error"]) == (3, 0.3)
    # Targets are one everywhere.
    assert fitted.facts["search"]["error_of_zero"] == 1.0 and fitted.caveats == ()
    assert best["parameters"] == 9
    assert best["config"]["n_filters"] == fitted.facts["filters"]
    assert best["options"]["batch_size"] == TrainingOptions().batch_size


def test_asked_for_more_it_tries_only_those(published, trained, tmp_path) -> None:
    for count in (2, 4):
        SearchingTrainer(published, count, (), tmp_path).fit(SPLIT, tmp_path / "unused")
    assert trained == [f"candidate-00{number}" for number in (1, 2, 3, 4)]


def test_a_search_that_found_nothing_says_so(published, trained, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(searching, "error_of_zero", lambda volumes, loss: 0.7005)
    fitted = SearchingTrainer(published, 1, (), tmp_path).fit(SPLIT, tmp_path / "unused")
    assert fitted.caveats == (
        "The best of 1 architectures hardly beats predicting zero, if at all: "
        "an error of 0.7000 on the validation people against 0.7005.",
    )


def test_what_is_given_decides_which_study_goes_on(published, trained, tmp_path) -> None:
    for fixed in ((), ("n_filters",)):
        SearchingTrainer(published, 1, fixed, tmp_path).fit(SPLIT, tmp_path / "unused")
    assert trained == ["candidate-001"] * 2


def test_the_level_searches_what_was_not_given(tmp_path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"n_filters": 2, "latent_shape": [3, 3, 3]}))
    settings = Settings(
        *(tmp_path, tmp_path / "out", "train", tmp_path / "work"),
        network="calhas2022",
        network_config=config,
        learning_rate=0.01,
        search=2,
    )
    trainer = make_trainer(make_library(settings), settings)
    assert isinstance(trainer, SearchingTrainer)
    assert trainer._fixed == {"n_filters", "latent_shape", "learning_rate"}


def test_another_network_has_no_architectures(tmp_path) -> None:
    settings = Settings(tmp_path, tmp_path / "out", "train", tmp_path / "work", search=2)
    with pytest.raises(UsageError, match="--search looks for architectures of calhas2022; neuralfield"):
        run_train(settings, "command")
