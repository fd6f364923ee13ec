"""The program keeps to one memory pool, whatever the C library."""

import ctypes

import pytest

from pipshare.cli import pools


class Library:
    """A C library with mallopt, which notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def mallopt(self, what: int, value: int) -> int:
        self.told.append((what, value))
        return 1


@pytest.mark.parametrize(("setting", "told"), [(None, [(-8, 1)]), ("4", [])])
def test_the_operators_setting_comes_first(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, told: list[tuple[int, int]]
) -> None:
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if setting:
        monkeypatch.setenv("MALLOC_ARENA_MAX", setting)
    pools.one_pool()
    assert library.told == told


def test_a_library_without_it_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    pools.one_pool()
