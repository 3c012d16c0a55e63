"""The sampler sees what runs, and tells stages by functions that exist."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import sys
import threading
import time
from pathlib import Path

import pytest
from defusedxml import ElementTree

from benchmarks.tracing.floor import writing_floor
from benchmarks.tracing.sampler import KINDS, Sampler
from benchmarks.tracing.stages import MEANING, OTHER, STAGES, stage_of
from benchmarks.tracing.timeline import draw_timeline

ROOT = Path(__file__).parents[2]
PATTERNS = [pattern for _, patterns in STAGES for pattern in patterns if not pattern.startswith("<")]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_stages_are_told_by_functions_that_exist(pattern: str) -> None:
    path, _, function = pattern.partition(":")
    package = importlib.util.find_spec(path.split("/")[0])
    assert package is not None
    found = Path(package.submodule_search_locations[0]).parent / path
    assert found.exists()
    if function:
        tree = ast.walk(ast.parse(found.read_text("utf-8")))
        assert function in {node.name for node in tree if isinstance(node, ast.FunctionDef)}


def test_every_stage_is_explained() -> None:
    assert {*(stage for stage, _ in STAGES), OTHER} == set(MEANING)


def seen_from(*files: str) -> str:
    """The stage of a stack of functions, outermost first, that lie in these files."""
    inner = stage_of
    for file in reversed(files):
        scope = {"inner": inner, "sys": sys}
        call = "inner(sys._getframe())" if inner is stage_of else "inner()"
        exec(compile(f"def inner_of():\n    return {call}", f"/x/{file}", "exec"), scope)  # noqa: S102
        inner = scope["inner_of"]
    return inner()


def test_a_stage_holds_what_it_calls() -> None:
    assert seen_from("bids_eeg2fmri/report/strips.py", "bids_eeg2fmri/bold/grid.py") == "report"
    assert seen_from("bids_eeg2fmri/eeg/read.py") == "read"
    assert seen_from("bids_eeg2fmri/eeg/read.py", "bids_eeg2fmri/eeg/cleaning.py", "numpy/core.py") == "clean"
    assert seen_from("bids_eeg2fmri/synthesis/synthesise.py", "bids_eeg2fmri/synthesis/render.py") == "field"
    assert seen_from("bids_eeg2fmri/levels/plan.py") == OTHER


def test_the_sampler_adds_up() -> None:
    sampler = Sampler()
    started = time.perf_counter()
    sampler.start()
    while time.perf_counter() - started < 0.4:
        pass
    other = threading.Thread(target=time.sleep, args=(0.2,))
    other.start()
    other.join()
    sampler.stop()
    elapsed = time.perf_counter() - started
    seen = sampler.seen
    assert sum(seen["wall_s"].values()) == pytest.approx(elapsed, abs=0.1)
    used = sum(reading["main"] for _, _, reading in seen["timeline"])
    assert 0.05 < used < elapsed
    assert sum(seen["cpu_s"].values()) == pytest.approx(
        sum(sum(reading.values()) for _, _, reading in seen["timeline"]), rel=1e-6
    )


def test_the_timeline_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    reading = dict.fromkeys(KINDS, 0.05)
    timeline = [(0.1 * (index + 1), stage, reading) for index, stage in enumerate(["read", "write", "write"])]
    for name in ("one.svg", "two.svg"):
        draw_timeline(timeline, tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert ElementTree.fromstring(one).tag.endswith("svg")


def test_the_floor_leaves_nothing_behind(tmp_path: Path) -> None:
    images = [tmp_path / f"{name}.nii.gz" for name in "ab"]
    for image in images:
        image.write_bytes(gzip.compress(bytes(5_000_000)))
    timing = writing_floor(images, repeats=1)
    assert timing.median_s > 0
    assert sorted(tmp_path.iterdir()) == images
