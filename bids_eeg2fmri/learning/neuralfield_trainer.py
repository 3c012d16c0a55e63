"""``neuralfield`` as the ``train`` level trains it: from nothing, or from a bundle."""

from __future__ import annotations

from pathlib import Path

from ..bids.pairing import Pair
from ..network.neuralfield import NeuralField, NeuralFieldConfig
from .fine_tune import fine_tune_neuralfield
from .fit import fit_neuralfield
from .library import Library
from .people import People
from .splits import Split
from .trainer import Fitted


class NeuralFieldTrainer:
    """Trains in closed form; nothing of a fit needs keeping for another run but the library's examples.

    Parameters
    ----------
    library
        Where the examples are.
    config
        The network's shape.
    start
        The network to begin with, or ``None``.
    seed
        Of the fields' weights.
    """

    def __init__(self, library: Library, config: NeuralFieldConfig, start: NeuralField | None, seed: int) -> None:
        self._library, self._config, self._start, self._seed = library, config, start, seed

    def add(self, pair: Pair) -> None:
        """The library holds everything already."""

    def fit(self, split: Split, folder: Path) -> Fitted:
        """Fit to the people of a split."""
        people = People.divided(self._library.persons(split.training), self._library.persons(split.validation))
        if self._start is None:
            network, facts = fit_neuralfield(people, self._config, self._seed)
        else:
            network, facts = fine_tune_neuralfield(self._start, people, self._seed)
        caveats = tuple(facts.pop("caveats", ()))
        return Fitted(network, facts.pop("calibration"), facts, caveats)
