"""One small Sluis on real processes for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.simulators.databases import DATABASES
from tests.simulators.region import Region, running_region


@pytest.fixture(scope="session", params=DATABASES)
def region(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """Registrars, two custodians, a witness and a broker, each set up by its own commands, each a process."""
    with running_region(tmp_path_factory.mktemp("region"), kind=request.param) as running:
        yield running
