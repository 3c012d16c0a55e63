"""The reduced configuration of the benchmarks fits its shapes."""

from __future__ import annotations

import json
from pathlib import Path

from flax import nnx

from bids_eeg2fmri.network.calhas2022 import Calhas2022, Calhas2022Config

CONFIG = Path(__file__).parents[3] / "benchmarks" / "configs" / "calhas2022_reduced.json"


def test_reduced_network():
    config = Calhas2022Config.from_json(json.loads(CONFIG.read_text("utf-8")))
    published = Calhas2022Config()
    network = nnx.eval_shape(lambda: Calhas2022(config, rngs=nnx.Rngs(0)))

    assert (config.eeg_shape, config.eeg_blocks) == (published.eeg_shape, published.eeg_blocks)
    assert config.fmri_shape == (20, 24, 20)
    assert network.fmri_encoder.blocks[-1].out_shape == config.latent_shape, "an exact solution, as published"
