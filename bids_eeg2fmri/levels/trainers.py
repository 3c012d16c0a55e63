"""The trainer that the options ask for."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from ..bids.content import read_json_object
from ..errors import BadDataError, UsageError
from ..learning.library import Library
from ..learning.neuralfield_trainer import NeuralFieldTrainer
from ..learning.options import TrainingOptions
from ..learning.trainer import Trainer
from ..network.bundle import load_bundle
from ..network.lags import CANONICAL_LAG
from ..network.neuralfield import NeuralField, NeuralFieldConfig
from ..settings import Settings


def make_library(settings: Settings) -> Library:
    """Where the recordings of a training are kept, in the work directory."""
    config = _neuralfield_config(settings) if settings.network == "neuralfield" else NeuralFieldConfig()
    return Library(settings, config, settings.scratch_dir / "training" / "recordings")


def make_trainer(library: Library, settings: Settings) -> Trainer:
    """The trainer of ``--network``.

    Raises
    ------
    UsageError
        ``--network-config`` or ``--from`` do not fit the network.
    """
    if settings.network == "neuralfield":
        start = None if settings.from_model is None else _start(settings.from_model)
        config = _neuralfield_config(settings) if start is None else start.config
        return NeuralFieldTrainer(library, config, start, settings.random_seed)
    from ..learning.published.trainer import PublishedTrainer

    given = _given_config(settings)
    trainer = PublishedTrainer(settings, given, training_options(settings))
    if settings.search is None:
        return trainer
    from .search import make_searching_trainer

    return make_searching_trainer(trainer, given, settings, settings.search)


def training_options(settings: Settings) -> TrainingOptions:
    """Hyper-parameters of the loop: those given, the defaults for the others."""
    given: dict[str, Any] = {
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "seed": settings.random_seed,
    }
    return TrainingOptions(**{name: value for name, value in given.items() if value is not None})


def _start(name_or_folder: str) -> NeuralField:
    bundle = load_bundle(name_or_folder)
    if not isinstance(bundle.network, NeuralField):
        raise UsageError(
            f"--from {name_or_folder}: {bundle.name} is no neuralfield.", remedy="Begin with neuralfield-sim."
        )
    return bundle.network


def _neuralfield_config(settings: Settings) -> NeuralFieldConfig:
    if settings.from_model is not None:
        return _start(settings.from_model).config
    given = _given_config(settings)
    unknown = sorted(set(given) - {field.name for field in fields(NeuralFieldConfig)})
    if unknown:
        raise UsageError(
            f"--network-config: neuralfield has no {', '.join(unknown)}.",
            path=settings.network_config,
            remedy=f"Known: {', '.join(field.name for field in fields(NeuralFieldConfig))}.",
        )
    arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    config = NeuralFieldConfig(**arguments)
    usual = NeuralFieldConfig()
    if (config.n_parcels, config.n_bands) != (usual.n_parcels, usual.n_bands):
        raise UsageError(
            f"--network-config: the atlas has {usual.n_parcels} parcels and the spectrum {usual.n_bands} bands.",
            path=settings.network_config,
        )
    if len(config.peaks_s) != len(config.widths_s) or len(config.peaks_s) <= CANONICAL_LAG:
        raise UsageError(
            f"--network-config: peaks_s and widths_s need the same number of entries, at least {CANONICAL_LAG + 1}.",
            path=settings.network_config,
        )
    return config


def _given_config(settings: Settings) -> dict[str, Any]:
    path: Path | None = settings.network_config
    if path is None:
        return {}
    try:
        return read_json_object(path)
    except BadDataError as error:
        raise UsageError(error.problem, path=path, remedy=error.remedy) from error
