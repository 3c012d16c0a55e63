"""Learning curves."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from bids_eeg2fmri.learning.published.curves import learning_curves
from bids_eeg2fmri.learning.published.log import EpochRow


def rows(count):
    return [
        EpochRow(
            epoch=epoch,
            step=100 * epoch,
            learning_rate=3e-3 * (1 - epoch / (count + 1)),
            loss=1.5 + 1 / epoch,
            reconstruction=0.7 + 0.1 / epoch,
            latent=0.8 + 0.9 / epoch,
            penalty=0.0,
            gradient_norm=1.5 / epoch,
            validation_loss=1.6,
            validation_reconstruction=0.76 + 0.002 * (epoch - 4) ** 2,
            validation_latent=0.9,
            seconds=60.0,
            best=epoch <= 4,
        )
        for epoch in range(1, count + 1)
    ]


def test_the_same_log_gives_the_same_bytes():
    drawn = learning_curves(rows(9))
    assert drawn == learning_curves(rows(9))
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 (our own file)


def test_one_epoch_is_enough():
    assert b"</svg>" in learning_curves(rows(1))
