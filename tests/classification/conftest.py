"""People with a planted difference in their synthetic BOLD."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic_derivatives import N_VOLUMES, write_recording, write_table

from bids_eeg2fmri.bold.atlas import load_atlas


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Raw and derivative folders of 12 people, half of whom have a larger visual amplitude; two tasks each."""
    raw, derivatives = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("derivatives")
    rng = np.random.default_rng(5)
    groups = {f"sub-{index:02d}": ("patient", "control")[index % 2] for index in range(12)}
    visual = np.array(load_atlas().networks) == "Vis"
    for person, group in groups.items():
        amplitude = np.where(visual & (group == "patient"), 2.0, 1.0) * rng.lognormal(0, 0.02)
        for task in ("rest", "count"):
            series = 0.2 * amplitude * rng.normal(size=(N_VOLUMES, len(load_atlas())))
            write_recording(derivatives, f"{person}_task-{task}", series)
    write_table(raw / "participants.tsv", groups, ("participant_id", "group"))
    (raw / "dataset_description.json").write_text(json.dumps({"Name": "test", "BIDSVersion": "1.10.1"}))
    return raw, derivatives
