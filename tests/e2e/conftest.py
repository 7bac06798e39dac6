"""One small Sluis on real processes for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.simulators.databases import DATABASES
from tests.simulators.letter_partners import ORGANISATIONS
from tests.simulators.region import Region, running_region
from tests.simulators.region_desks import (
    CARING,
    MUNICIPALITIES,
    PARENTS,
    UNDER_ONE_ROOF,
    RegionDesks,
    region_desks,
)


@pytest.fixture(scope="session", params=DATABASES)
def region(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """Registrars, two custodians, a witness and a broker, each set up by its own commands, each a process."""
    with running_region(tmp_path_factory.mktemp("region"), kind=request.param) as running:
        yield running


@pytest.fixture(scope="session")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionDesks]:
    """Organisations with their own folders, of every kind that scenarios 1, 4, 7 and 9 name, around one broker."""
    names = {**ORGANISATIONS, **CARING, **UNDER_ONE_ROOF, **MUNICIPALITIES}
    with region_desks(tmp_path_factory.mktemp("desks") / "region", names, parents=PARENTS) as running:
        yield running
