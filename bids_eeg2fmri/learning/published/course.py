"""How far a training has come, beside its arrays: what a checkpoint must know to go on as if nothing had happened."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Course:
    """Progress and early stopping.

    Attributes
    ----------
    step
        Steps made.
    epoch
        Epochs completed and validated.
    best_loss
        Lowest validation loss so far.
    best_epoch
        The epoch, from 1, after which it was measured; 0 before the first.
    stale_epochs
        Epochs since then.
    seconds
        Time spent in the epoch under way, in all runs together.
    finished
        Whether training has ended.
    """

    step: int = 0
    epoch: int = 0
    best_loss: float = math.inf
    best_epoch: int = 0
    stale_epochs: int = 0
    seconds: float = 0.0
    finished: bool = False

    def after_epoch(self, step: int, validation_loss: float, *, patience: int, epochs: int) -> Course:
        """The course after one more epoch; it ends with the last epoch or when patience does."""
        better = validation_loss < self.best_loss
        epoch = self.epoch + 1
        stale = 0 if better else self.stale_epochs + 1
        return replace(
            self,
            step=step,
            epoch=epoch,
            best_loss=validation_loss if better else self.best_loss,
            best_epoch=epoch if better else self.best_epoch,
            stale_epochs=stale,
            seconds=0.0,
            finished=epoch >= epochs or stale >= patience,
        )
