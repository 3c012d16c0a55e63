"""Run the program and write down where its time went: ``python -m benchmarks.tracing SEEN.json ARGUMENT...``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .sampler import Sampler


def main(seen: Path, arguments: list[str]) -> int:
    """Run the program under a sampler."""
    sampler = Sampler()
    sampler.start()
    try:
        from bids_eeg2fmri.cli import main as program

        return program(arguments)
    finally:
        sampler.stop()
        seen.write_text(json.dumps(sampler.seen), "utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
