"""What is chosen besides the architecture: options of the network and of its training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from optuna.trial import BaseTrial

from ...network.calhas2022.config import Calhas2022Config
from ..options import TrainingOptions

# The published domains where there are such; styles and features as the published package offers them.
RATES, DECAYS, LARGEST_DROPOUT = (1e-4, 1e-2), (1e-6, 1e-1), 0.5
BATCH_SIZES, FILTERS = (4, 8, 16, 32), (2, 4, 8)
# Share of the volume's resolution that a cosine decoder predicts along each axis.
COSINE_SHARE = 1 / 4
_DECODER = frozenset({"decoder_shape", "dct", "inverse_dct", "variational_idct"})


def suggest(
    trial: BaseTrial, config: Calhas2022Config, options: TrainingOptions, fixed: Collection[str]
) -> tuple[Calhas2022Config, TrainingOptions]:
    """A configuration with hyper-parameters that a trial proposes.

    Parameters
    ----------
    trial
        Of an optuna study.
    config, options
        What is not searched.
    fixed
        Names of fields that stay as they are because the user gave them.
    """
    changes: dict[str, Any] = {}
    if "learning_rate" not in fixed:
        options = replace(options, learning_rate=trial.suggest_float("learning_rate", *RATES, log=True))
    if "batch_size" not in fixed:
        options = replace(options, batch_size=trial.suggest_categorical("batch_size", BATCH_SIZES))
    if "weight_decay" not in fixed:
        changes["weight_decay"] = trial.suggest_float("weight_decay", *DECAYS, log=True)
    for name in ("fmri_dropout", "decoder_dropout"):
        if name not in fixed:
            changes[name] = round(trial.suggest_float(name, 0.0, LARGEST_DROPOUT, step=0.1), 1)
    if "n_filters" not in fixed:
        changes["n_filters"] = trial.suggest_categorical("n_filters", FILTERS)
    if "fourier" not in fixed and not config.max_norm_regularizer:
        changes["fourier"] = trial.suggest_categorical("fourier", ("random", "fixed", "none"))
    if "style" not in fixed:
        styles = ("graph", "prior", "none") if config.attention else ("prior", "none")
        changes["style"] = trial.suggest_categorical("style", styles)
    if not _DECODER.intersection(fixed):
        changes |= _decoder(trial.suggest_categorical("decoder", ("voxels", "cosine")), config)
    return replace(config, **changes), options


def _decoder(kind: str, config: Calhas2022Config) -> dict[str, Any]:
    """A dense layer to the voxels, or one to few numbers, whose cosine transform is padded with high frequencies."""
    if kind == "voxels":
        return {"decoder_shape": None, "dct": False, "inverse_dct": False}
    x, y, z = (max(2, round(COSINE_SHARE * length)) for length in config.fmri_shape)
    return {"decoder_shape": (x, y, z), "dct": True, "inverse_dct": True}
