"""One opened log for a whole module: nothing changes it."""

import pytest

from tests.unit.audit.export.opened_log import OpenedLog, in_folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> OpenedLog:
    """A cosigned log whose entries are opened."""
    return in_folder(tmp_path_factory.mktemp("opened") / "log")
