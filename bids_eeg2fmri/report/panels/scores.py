"""How the synthetic BOLD scores against the scanner's, beside what needs no model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..run import RunReport
from ..score_table import score_table


def collect_scores(run: RunReport, output_dir: Path) -> dict[str, Any]:
    """What was compared, and a table of the model above baselines and chance."""
    comparison = run.comparison
    if comparison is None:
        raise ValueError("the recording was not compared with a scanner's BOLD")
    scores = comparison.scores

    def text(name: str) -> str:
        value = scores.get(name)
        return "" if value is None or not math.isfinite(value) else f"{value:.3f}"

    return {"source": comparison.source, "simulated": comparison.simulated, "table": score_table(text)}
