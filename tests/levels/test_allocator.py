"""Threads that share one arena give back what they freed; without the C library's help nothing happens."""

from __future__ import annotations

import ctypes

import pytest

from bids_eeg2fmri.levels import allocator
from bids_eeg2fmri.levels.allocator import ARENAS_VARIABLE, limit_arenas


class _Library:
    def __init__(self, asked: list[tuple[int, int]]) -> None:
        self.mallopt = lambda *given: asked.append(given)


@pytest.mark.parametrize(
    ("platform", "value", "expected"),
    [
        ("linux", "1", [(-8, 1)]),
        ("linux", "4", [(-8, 4)]),
        ("linux", "", []),
        ("linux", "many", []),
        ("darwin", "1", []),
    ],
)
def test_the_environments_limit_holds_here_too(
    monkeypatch: pytest.MonkeyPatch, platform: str, value: str, expected: list[tuple[int, int]]
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(allocator.sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: _Library(asked))
    limit_arenas({ARENAS_VARIABLE: value})
    assert asked == expected


def test_a_library_without_arenas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    limit_arenas({ARENAS_VARIABLE: "1"})
