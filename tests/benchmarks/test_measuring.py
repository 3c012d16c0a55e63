"""What the benchmarks' helpers measure is what they say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.measuring import (
    Run,
    alternate,
    describe_machine,
    given_command,
    markdown_table,
    median_of,
    number,
    page,
    ratio,
    require_success,
    run_measured,
    save,
)

_ALLOCATE = "import sys; x = bytearray(int(sys.argv[1])); x[::4096] = b'1' * len(x[::4096]); print('done', len(x))"


def test_a_run_has_the_memory_of_the_child_alone() -> None:
    large = bytearray(300_000_000)
    large[::4096] = b"1" * len(large[::4096])
    small, big = (run_measured([sys.executable, "-c", _ALLOCATE, size]) for size in (1, 100_000_000))

    assert small.peak_rss_bytes < 100e6
    assert big.peak_rss_bytes - small.peak_rss_bytes == pytest.approx(100e6, rel=0.1)
    assert big.output == "done 100000000\n"


def test_a_run_has_wall_time_and_processor_time() -> None:
    waiting = run_measured([sys.executable, "-c", "import time; time.sleep(0.5)"])
    working = run_measured([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"])

    assert waiting.seconds > 0.5 > waiting.cpu_s
    assert working.cpu_s >= 0.5


def test_a_run_gets_variables_and_a_folder_and_says_how_it_ended(tmp_path) -> None:
    code = (
        "import os, sys; print(os.environ['PLACE'], os.getcwd()); print('oh', file=sys.stderr, flush=True); sys.exit(3)"
    )
    run = run_measured([sys.executable, "-u", "-c", code], env={"PLACE": "here"}, cwd=tmp_path)

    assert (run.returncode, run.output) == (3, f"here {tmp_path}\noh\n")
    with pytest.raises(SystemExit, match="oh\n\nThe process ended with code 3"):
        require_success(run)
    assert run_measured([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).returncode == -9


def test_what_cannot_be_started_is_said() -> None:
    with pytest.raises(RuntimeError, match="no-such-program could not be run"):
        run_measured(["no-such-program"])


def test_medians_leave_out_the_warm_up() -> None:
    calls = []
    timing = median_of(lambda: calls.append(1), repeats=5, warm_up=2)

    assert len(calls) == 7
    assert len(timing.seconds) == len(timing.cpu_s) == 5
    assert min(timing.seconds) <= timing.median_s <= max(timing.seconds)


def test_two_functions_take_turns() -> None:
    calls: list[str] = []
    one, other = alternate(lambda: calls.append("a"), lambda: calls.append("b"), repeats=3)

    assert "".join(calls) == "abababab"
    assert len(one.seconds) == len(other.seconds) == 3


def test_the_machine_is_described() -> None:
    said = describe_machine("jax")

    assert "core" in said
    assert "GiB" in said
    assert "jax" in said
    assert "numpy" not in said


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (0, 0.01234, 1.0, 12.345, 1234.5, -99.96)] == [
        *("0", "0.0123", "1.00", "12.3", "1230", "-100.0")
    ]
    assert ratio(3, 2) == "1.50x"


def test_tables_and_pages_are_markdown(tmp_path, capsys) -> None:
    table = markdown_table(["row", "s", "n"], [["a", 0.12345, 7], ["b", None, "many"]])

    assert table.splitlines() == ["| row | s | n |", "| --- | ---: | ---: |", "| a | 0.123 | 7 |", "| b |  | many |"]
    text = page("Speed", "python -m benchmarks.speed", table)
    save(text, tmp_path / "new" / "speed.md")
    assert (tmp_path / "new" / "speed.md").read_text("utf-8") == text == capsys.readouterr().out[:-1]
    assert text.startswith("## Speed\n\n<!-- not run: ")


def test_a_page_names_the_command_it_comes_from() -> None:
    code = "from benchmarks.measuring import given_command; print(given_command())"
    run = run_measured([sys.executable, "-c", code, "--folder", "a b"], cwd=Path(__file__).parents[2])

    assert require_success(run).output == f"python -c '{code}' --folder 'a b'\n"
    assert given_command().startswith("python ")


def test_success_passes_through() -> None:
    run = Run(1.0, 1.0, 1, 0, "")

    assert require_success(run) is run
