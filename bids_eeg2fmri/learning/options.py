"""How the published network is trained: everything that changes the result, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TrainingOptions:
    """Hyper-parameters of the training loop.

    Attributes
    ----------
    epochs
        Passes over the training volumes, unless early stopping ends it before.
    batch_size
        Volumes per step, over all devices.
    learning_rate
        Peak of the schedule (the default is the published one).
    warmup_share
        Share of all steps over which the rate rises linearly; it falls along a cosine afterwards.
    clip_norm
        Largest global norm of a gradient.
    ema_decay
        Decay per step of the moving average of the weights, which is what is validated and kept.
    patience
        Epochs without a lower loss on the validation people after which training ends.
    checkpoint_steps
        Steps between checkpoints, besides one at every epoch's end.
    precision
        ``"float32"``, or ``"mixed"``: activations in bfloat16, weights and sums in float32. ``"auto"`` is mixed on a
        GPU and float32 elsewhere.
    seed
        Decides the initial weights, the order of the volumes and every drawn number.
    """

    epochs: int = 10
    batch_size: int = 4
    learning_rate: float = 0.002980911194116198
    warmup_share: float = 0.05
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    patience: int = 5
    checkpoint_steps: int = 500
    precision: Literal["auto", "float32", "mixed"] = "auto"
    seed: int = 0
