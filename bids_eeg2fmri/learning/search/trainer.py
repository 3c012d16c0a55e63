"""A trainer that first searches for the architecture and the hyper-parameters, then keeps the best network."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax

from ...bids.pairing import Pair
from ...errors import UsageError
from ..published.trainer import PublishedTrainer, SplitData, fit_split
from ..published.volumes import Volumes
from ..splits import Split
from ..trainer import Fitted
from .candidates import Spaces, make_candidates
from .leaderboard import leaderboard_files, summary
from .reference import error_of_zero
from .study import Search, Trained

FORMAT = "architecture-search/1"
# Less than this share below the error of zero is no success.
_LEAST_GAIN = 0.01
logger = logging.getLogger(__name__)


class SearchingTrainer:
    """Searches anew for every split, so that the people of its test have no say in what is chosen.

    Parameters
    ----------
    trainer
        Of the published network, with everything that is not searched.
    count
        Number of architectures to try.
    fixed
        Names of hyper-parameters that the user gave: they are not searched.
    folder
        Keeps the studies. One goes on when it is asked for more architectures later.
    """

    def __init__(self, trainer: PublishedTrainer, count: int, fixed: Collection[str], folder: Path) -> None:
        self._trainer, self._count, self._fixed, self._folder = trainer, count, frozenset(fixed), folder

    def add(self, pair: Pair) -> None:
        """Note a recording."""
        self._trainer.add(pair)

    def fit(self, split: Split, folder: Path) -> Fitted:
        """Search, and give the best network the rest of what a model needs.

        Raises
        ------
        UsageError
            The search spaces are empty, or several hosts take part.
        BadDataError
            No architecture could be trained.
        """
        if jax.process_count() > 1:
            raise UsageError("--search runs on one host.", remedy="Start one process, which uses all its devices.")
        data, options = self._trainer.data(split), self._trainer.options
        spaces = Spaces.of(data.config)
        candidates = make_candidates(spaces, self._count, options.seed)
        logger.info("%s: %d of %s architectures are tried", split.name, len(candidates), f"{spaces.size:,}")
        training, validation = (Volumes(group, data.config.eeg_shape[2]) for group in (data.training, data.validation))
        workplace = self._folder / f"search-{self._digest(data, training, validation)}"
        search = Search(training, validation, data.config, options, self._fixed, workplace)
        results = search.run(candidates)
        best = results[0]
        # Its training is finished: it is read from its own checkpoint.
        fitted = fit_split(data, best.config, best.options, search.workplace(best.candidate))
        zero = error_of_zero(validation, data.config.error_loss)
        fitted.facts["search"] = summary(results, spaces, zero)
        fitted.files.update(leaderboard_files(results, spaces, zero))
        return replace(fitted, caveats=(*fitted.caveats, *_caveats(best, len(results), zero)))

    def _digest(self, data: SplitData, training: Volumes, validation: Volumes) -> str:
        """Name of everything that results follow from, except how many architectures are tried."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "config": asdict(data.config),
            "options": asdict(self._trainer.options),
            "fixed": sorted(self._fixed),
            "training": training.digest(),
            "validation": validation.digest(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _caveats(best: Trained, count: int, zero: float | None) -> tuple[str, ...]:
    if zero is None or best.error < (1 - _LEAST_GAIN) * zero:
        return ()
    return (
        f"The best of {count} architectures hardly beats predicting zero, if at all: "
        f"an error of {best.error:.4f} on the validation people against {zero:.4f}.",
    )
