"""Killed -9 at random moments and started again, the command ends with the output of a run that nothing disturbed."""

from __future__ import annotations

from pathlib import Path
from random import Random

from disturbed_runs import Runs, Undisturbed

N_KILLS = 20
# A run that ends before its kill is begun anew, and killed earlier.
N_ATTEMPTS = 3 * N_KILLS


def test_killed_at_random_moments_and_resumed(runs: Runs, undisturbed: Undisturbed, tmp_path: Path) -> None:
    random, whole = Random(6), undisturbed.second
    attempts = (undisturbed.begin(tmp_path / str(number)) for number in range(N_ATTEMPTS))
    folder = next(attempts)
    moments = [random.uniform(0.0, 0.6 * whole.cpu_s) for _ in range(N_KILLS // 2)]
    steps = [random.randint(1, whole.steps) for _ in range(N_KILLS // 2)]
    while moments or steps:
        # Between any two changes of the file system, and anywhere within what takes time.
        if len(steps) > len(moments):
            ended = runs(folder, kill_at=steps[-1])
        else:
            running = runs.start(folder)
            running.kill_after(moments[-1])
            ended = running.wait()
        undisturbed.assert_nothing_lost(folder)
        due = steps if len(steps) > len(moments) else moments
        if ended.killed:
            due.pop()
        else:
            # Little was left to do, or this run was faster: begin anew.
            assert ended.code == 0, ended.err
            undisturbed.assert_same(folder)
            due[-1] = type(due[-1])(0.9 * due[-1])
            folder = next(attempts)
    assert runs(folder).code == 0
    undisturbed.assert_same(folder)
