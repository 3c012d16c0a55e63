from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat"


def test_example_is_small_attributed_and_valid(tmp_path: Path) -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8_000_000
    description = json.loads((EXAMPLE / "dataset_description.json").read_text(encoding="utf-8"))
    assert "10.3390/data4010014" in json.dumps(description)
    assert "ODC-By" in description["License"]
    assert "Zyma" in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    beside_python = str(Path(sys.executable).parent)
    validator = shutil.which("bids-validator-deno", path=beside_python) or shutil.which("bids-validator-deno")
    assert validator is not None, "the test extra installs bids-validator-deno"
    report = tmp_path / "report.json"
    command = [validator, str(EXAMPLE), "--format", "json", "-o", str(report), "--ignoreWarnings"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert json.loads(report.read_text(encoding="utf-8"))["issues"]["issues"] == []
