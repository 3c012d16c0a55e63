"""What this is, which model made it, and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ... import __version__
from ...derivatives.provenance import is_simulated
from ..run import RunReport


def collect_banner(run: RunReport, output_dir: Path) -> dict[str, Any]:
    """Model, training data, device, times and command."""
    sidecar = run.sidecar
    model = " ".join(str(sidecar.get(key, "")) for key in ("ModelName", "ModelVersion")).strip()
    facts = {
        "Model": model or "n/a",
        "Weights, sha256": str(sidecar.get("ModelSHA256", "n/a")),
        "Training data": training_data(sidecar),
        "Made by": f"bids_eeg2fmri {__version__}",
        "Device": run.device,
        "Run time": _run_time(run.seconds),
    }
    measured = {} if run.comparison is None or run.comparison.simulated else {"measured": run.comparison.source}
    return {"simulated": trained_on_simulations(sidecar), "facts": facts, "command": run.command, **measured}


def trained_on_simulations(sidecar: dict[str, Any]) -> bool:
    """Whether the training data named by a sidecar are simulated."""
    return is_simulated([training_data(sidecar)])


def training_data(sidecar: dict[str, Any]) -> str:
    """The training data of the model as one line."""
    listed = sidecar.get("TrainingDatasets") or "n/a"
    entries = listed if isinstance(listed, list | tuple) else [listed]
    return "; ".join(entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False) for entry in entries)


def _run_time(seconds: dict[str, float]) -> str:
    if not seconds:
        return "n/a"
    stages = ", ".join(f"{stage} {duration:.1f} s" for stage, duration in seconds.items())
    return f"{sum(seconds.values()):.1f} s ({stages})"
