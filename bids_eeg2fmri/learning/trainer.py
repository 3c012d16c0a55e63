"""What the ``train`` level needs of a network to train it, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..bids.pairing import Pair
from ..network.bundle import Network
from .splits import Split


@dataclass(frozen=True)
class Fitted:
    """A network trained on one split.

    Attributes
    ----------
    network
        Ready to predict.
    calibration
        Half-widths of the intervals in units of the predictive sd, by ``"voxels"`` and ``"parcels"``.
    facts
        What the bundle's description and the card say about the fit, in plain values.
    caveats
        Sentences for the user: what these data do not permit.
    files
        What the fit leaves beside the model (log, curves), by file name.
    """

    network: Network
    calibration: dict[str, dict[str, float]]
    facts: dict[str, Any]
    caveats: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)


class Trainer(Protocol):
    """Trains one kind of network."""

    def add(self, pair: Pair) -> None:
        """Keep on disk what training needs of a recording.

        Raises
        ------
        Eeg2fmriError
            It cannot be used.
        """
        ...

    def fit(self, split: Split, folder: Path) -> Fitted:
        """Train on the people of a split; ``folder`` keeps what an interrupted training goes on from."""
        ...
