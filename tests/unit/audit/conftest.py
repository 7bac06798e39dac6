"""A fresh log for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.audit.log_simulator import LogInFolder


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogInFolder]:
    """A founded, empty log in a folder of its own."""
    folder = tmp_path / "log"
    folder.mkdir()
    made = LogInFolder(folder)
    yield made
    made.close()
