"""``train --search N``: the trainer that tries N architectures before it keeps one."""

from __future__ import annotations

from collections.abc import Iterable

from ..learning.published.trainer import PublishedTrainer
from ..learning.search.trainer import SearchingTrainer
from ..settings import Settings

_OPTIONS = ("batch_size", "learning_rate")


def make_searching_trainer(
    trainer: PublishedTrainer, given: Iterable[str], settings: Settings, count: int
) -> SearchingTrainer:
    """The searching trainer of ``--search``.

    Parameters
    ----------
    trainer
        Trains one architecture.
    given
        Names of the hyper-parameters in ``--network-config``. What the user gave, there or on the command line, is
        not searched.
    settings
        The command line.
    count
        Number of architectures to try.
    """
    fixed = {*given, *(name for name in _OPTIONS if getattr(settings, name) is not None)}
    return SearchingTrainer(trainer, count, fixed, settings.scratch_dir / "training")
