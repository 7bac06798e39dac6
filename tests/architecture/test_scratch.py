"""Where tests write: in memory only where there is plenty of it and nobody chose another place."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.simulators import scratch


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody chose a folder for temporary files; what a test chooses is forgotten after it."""
    monkeypatch.setenv("TMPDIR", "")  # so that its end restores what was there
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(tempfile, "tempdir", None)
    return monkeypatch


def test_memory_is_used_where_there_is_plenty(chosen: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Temporary files of this process and of its children are there."""
    chosen.setattr(scratch, "NEEDED", 1)
    assert scratch.use_memory(tmp_path)
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path)


@pytest.mark.parametrize("name", ["", "absent"])
def test_without_room_the_disk_is_used(chosen: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """A container that gives little memory, or has no such folder, runs the tests as before."""
    chosen.setattr(scratch, "NEEDED", 1 << 60)
    assert not scratch.use_memory(tmp_path / name)
    assert "TMPDIR" not in os.environ


def test_a_folder_that_was_chosen_is_kept(chosen: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who sets TMPDIR knows why."""
    chosen.setattr(scratch, "NEEDED", 1)
    chosen.setenv("TMPDIR", "/elsewhere")
    assert not scratch.use_memory(tmp_path)
    assert os.environ["TMPDIR"] == "/elsewhere"
