"""What holds for every test: no deadline, because a shared machine may pause, and databases are given back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.simulators.databases import DATABASES, Database, databases
from tests.simulators.scratch import use_memory

use_memory()  # before the first temporary folder is made

settings.register_profile("sluis", deadline=None, print_blob=True)
settings.register_profile(  # one run for every mutant: the same examples, and no smaller one once one failed
    "mutate", deadline=None, max_examples=15, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("SLUIS_TEST_PROFILE", "sluis"))


@pytest.fixture(autouse=True)
def _given_back() -> Iterator[None]:
    yield
    databases.give_back()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A migrated, empty database, once of each kind."""
    return databases.new(request.param, tmp_path)


def pytest_sessionfinish() -> None:
    """No server outlives the tests."""
    databases.close()
