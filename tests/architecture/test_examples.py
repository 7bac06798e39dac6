"""The examples of a property are the same in every run: a build that fails by chance says nothing about the code."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LOADED = "loaded_between_two_runs"


def drawn() -> list[tuple[int, str]]:
    """Return the examples of one property, as every run of the tests draws them."""
    found = []

    @settings(settings.get_profile("sluis"), max_examples=100)
    @given(st.integers(), st.text())
    def property_of_both(number: int, text: str) -> None:
        found.append((number, text))

    property_of_both()
    return found


def test_examples_follow_from_the_test_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the run nor what else its process has loaded, which differs per process, makes other examples."""
    before = drawn()
    (tmp_path / f"{LOADED}.py").write_text("NUMBERS = " + repr(list(range(7_000, 8_000))), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module(LOADED)
    try:
        assert drawn() == before
    finally:
        del sys.modules[LOADED]
