"""One small Sluis on real processes for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.simulators.region import Region, running_region


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """Registrars, two custodians, a witness and a broker, each set up and run by its own commands."""
    with running_region(tmp_path_factory.mktemp("region")) as running:
        yield running
