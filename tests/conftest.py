"""What holds for every test: it comes to the same each time, on a slow machine too, and databases are given back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from tests.simulators.databases import DATABASES, Database, databases
from tests.simulators.scratch import use_memory

use_memory()  # before the first temporary folder is made

# The examples of a test follow from its own text: a run says the same about the same code, whenever and wherever it is.
# So numbers and words that Hypothesis finds in modules are none of its examples: which are loaded differs per process.
# A machine that pauses is no fault of a test either. New examples are looked for with SLUIS_TEST_PROFILE=explore.
vars(providers)["_get_local_constants"] = Constants
settings.register_profile(
    "sluis", deadline=None, print_blob=True, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.register_profile("explore", settings.get_profile("sluis"), derandomize=False)
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
