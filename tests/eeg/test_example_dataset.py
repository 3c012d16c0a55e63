from __future__ import annotations

import json
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat"


def test_example_is_small_attributed_and_valid(validator_issues) -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8_000_000
    description = json.loads((EXAMPLE / "dataset_description.json").read_text(encoding="utf-8"))
    assert "10.3390/data4010014" in json.dumps(description)
    assert "ODC-By" in description["License"]
    assert "Zyma" in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert validator_issues(EXAMPLE) == []
