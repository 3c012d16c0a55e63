"""``calhas2022`` as the ``train`` level trains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...bids.pairing import Pair
from ...bold.volume_box import volume_box
from ...errors import UsageError
from ...network.calhas2022.config import Calhas2022Config
from ...network.calhas2022.trained import Calhas2022Facts
from ...settings import Settings
from ..options import TrainingOptions
from ..paired import read_pair
from ..splits import Split
from ..trainer import Fitted
from .cache import CachedRecording
from .cap import RecordedCap, training_facts
from .fit import CURVES_NAME, fit_calhas2022, for_cap
from .loop import LOG_NAME
from .prepare import cache_recording

_FIT_FILES = (LOG_NAME, CURVES_NAME)


@dataclass(frozen=True)
class SplitData:
    """What a network is trained on.

    Attributes
    ----------
    training, validation
        Recordings of the two groups.
    facts
        The meaning of the network's arrays.
    config
        Hyper-parameters, with the channels of the cap.
    """

    training: tuple[CachedRecording, ...]
    validation: tuple[CachedRecording, ...]
    facts: Calhas2022Facts
    config: Calhas2022Config


@dataclass(frozen=True)
class _Known:
    pair: Pair
    cap: RecordedCap


class PublishedTrainer:
    """Trains by gradient descent from memory-mapped caches in the work directory.

    Parameters
    ----------
    settings
        How recordings are read.
    given
        Hyper-parameters that replace the defaults of :class:`Calhas2022Config`.
    options
        Of the training loop.

    Raises
    ------
    UsageError
        A hyper-parameter is unknown or does not fit.
    """

    def __init__(self, settings: Settings, given: Mapping[str, Any], options: TrainingOptions) -> None:
        self._settings, self.options = settings, options
        self._config = _config(given, settings.network_config)
        self._known: list[_Known] = []
        self._cached: dict[tuple[str, Calhas2022Facts], CachedRecording] = {}

    def add(self, pair: Pair) -> None:
        """Note the cap of a recording; what the network's channels are depends on all of them."""
        recording, bold = read_pair(pair, self._settings)
        cap = RecordedCap(recording.channel_names, recording.positions_m, bold.tr_s, recording.sfreq_hz)
        self._known.append(_Known(pair, cap))

    def fit(self, split: Split, folder: Path) -> Fitted:
        """Train on the people of a split."""
        data = self.data(split)
        return fit_split(data, data.config, self.options, folder)

    def data(self, split: Split) -> SplitData:
        """What the people of a split give, on the channels that all recordings share: splits can use one cache."""
        groups = [self._of(people) for people in (split.training, split.validation)]
        _, n_bins, _ = self._config.eeg_shape
        facts = training_facts([known.cap for known in self._known], self._config.fmri_shape, n_bins)
        config = for_cap(self._config, facts)
        training, validation = (tuple(self._cache(known.pair, facts, config) for known in group) for group in groups)
        return SplitData(training, validation, facts, config)

    def _of(self, people: tuple[str, ...]) -> list[_Known]:
        return [known for person in people for known in self._known if known.pair.eeg.subject == person]

    def _cache(self, pair: Pair, facts: Calhas2022Facts, config: Calhas2022Config) -> CachedRecording:
        """In the cache of the work directory; folds that share their channels share what is there."""
        key = (pair.eeg.label, facts)
        if key not in self._cached:
            recording, bold = read_pair(pair, self._settings)
            targets = bold.targets(volume_box(config.fmri_shape).coordinates_mm)
            folder = self._settings.scratch_dir / "training" / "volumes"
            self._cached[key] = cache_recording(
                folder, pair.eeg.subject, recording, recording.clock, targets, facts, config
            )
        return self._cached[key]


def fit_split(data: SplitData, config: Calhas2022Config, options: TrainingOptions, folder: Path) -> Fitted:
    """Train a configuration on the people of a split; see :func:`~.fit.fit_calhas2022`."""
    trained, described = fit_calhas2022(data.training, data.validation, config, data.facts, options, folder)
    calibration = described.pop("calibration")
    files = {name: (folder / name).read_bytes() for name in _FIT_FILES}
    return Fitted(trained, calibration, {**described, "options": asdict(options)}, (), files)


def _config(given: Mapping[str, Any], path: Path | None) -> Calhas2022Config:
    try:
        return Calhas2022Config.from_json({**asdict(Calhas2022Config()), **given})
    except (TypeError, ValueError) as error:
        raise UsageError(f"--network-config does not fit calhas2022: {error}", path=path) from error
