"""Train a network as the level ``train`` does, and watch its gradient descents.

    python -m benchmarks.trainings.watched_fit SEEN.json ARGUMENT...

The arguments are those of the program; scores and model files are left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from bids_eeg2fmri.cli import parse
from bids_eeg2fmri.settings import Settings

# Programs that are compiled, and the first pass through memory, belong to no steady state.
_FIRST_STEPS = 3


@dataclass(frozen=True)
class Steps:
    """Steps of gradient descent.

    Attributes
    ----------
    name
        The function that they make small.
    count, seconds, cpu_s
        How many, how long they took, and how much processor time.
    busy_s
        Seconds in which the device computed, by JAX's profile; ``None`` where all steps are one program.
    waited_s
        Seconds in which the loop waited for data; ``None`` where all data are in the program's memory.
    """

    name: str
    count: int
    seconds: float
    cpu_s: float
    busy_s: float | None = None
    waited_s: float | None = None


def main(seen: Path, arguments: list[str]) -> None:
    """Train, and write down what was seen."""
    settings, _ = parse(arguments)
    from bids_eeg2fmri.levels.machine import choose_device, prepare_environment, prepare_scratch

    prepare_environment(settings)
    choose_device(settings)
    prepare_scratch(settings)
    watch = _watch_published if settings.network == "calhas2022" else _watch_neuralfield
    started = time.perf_counter()
    fit = _prepared(settings)
    read_s = time.perf_counter() - started
    fit_s, steps = watch(fit)
    facts = {"read_s": read_s, "fit_s": fit_s, "steps": [asdict(each) for each in steps]}
    seen.write_text(json.dumps(facts), "utf-8")


def _prepared(settings: Settings) -> Callable[[], object]:
    """Read the recordings; returns what trains on the first split."""
    from bids_eeg2fmri.bids.pairing import pair_with_bold
    from bids_eeg2fmri.bids.selection import select_recordings
    from bids_eeg2fmri.learning.splits import make_splits
    from bids_eeg2fmri.levels.trainers import make_library, make_trainer

    library = make_library(settings)
    trainer = make_trainer(library, settings)
    for pair in pair_with_bold(select_recordings(settings).recordings, settings).pairs:
        trainer.add(pair)
        library.add(pair)
    test, validation = settings.test_participants, settings.validation_participants
    split, *_ = make_splits(library.people, folds=settings.folds, test=test, validation=validation)
    settings.output_dir.mkdir(parents=True)
    return lambda: trainer.fit(split, settings.output_dir)


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def _watch_published(fit: Callable[[], object]) -> tuple[float, list[Steps]]:
    from bids_eeg2fmri.learning.published import loop

    from .device import profiled

    batches: list[Batch] = []
    original = loop.feed
    with patch.object(loop, "feed", lambda *given: _noted(original(*given), batches)), profiled() as trace:
        fit_s = _seconds(fit)
    profile = trace()
    begun = [begin for begin, _ in profile.named["PjitFunction(step)"]]
    steady = batches[_FIRST_STEPS : len(begun)]
    window = begun[_FIRST_STEPS], begun[-1]
    steps = Steps(
        name="of_batch",
        count=len(steady) - 1,
        seconds=window[1] - window[0],
        cpu_s=steady[-1].cpu_s - steady[0].cpu_s,
        busy_s=profile.busy_s(window),
        waited_s=sum(batch.waited_s for batch in steady[1:]),
    )
    return fit_s, [steps]


class Batch(NamedTuple):
    """When a batch came: the processor time by then, and how long it was waited for."""

    cpu_s: float
    waited_s: float


def _noted(batches: Iterable[Any], notes: list[Batch]) -> Iterator[Any]:
    iterator = iter(batches)
    while True:
        started = time.perf_counter()
        try:
            batch = next(iterator)
        except StopIteration:
            return
        notes.append(Batch(time.process_time(), time.perf_counter() - started))
        yield batch


def _watch_neuralfield(fit: Callable[[], object]) -> tuple[float, list[Steps]]:
    import jax

    from bids_eeg2fmri.learning import fields, prior

    seen: list[Steps] = []

    def descend(start: Any, data: Any, draws: Any, *, loss: Callable[..., Any], optimiser: Any) -> Any:
        compiled = original.lower(start, data, draws, loss=loss, optimiser=optimiser).compile()
        began, cpu_began_s = time.perf_counter(), time.process_time()
        fitted = jax.block_until_ready(compiled(start, data, draws))
        steps = Steps(loss.__name__, len(draws), time.perf_counter() - began, time.process_time() - cpu_began_s)
        seen.append(steps)
        return fitted

    original = fields.descend
    with patch.object(fields, "descend", descend), patch.object(prior, "descend", descend):
        fit_s = _seconds(fit)
    return fit_s, seen


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
