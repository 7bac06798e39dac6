from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.simulators.partner_world import PartnerWorld, partner_world
from tests.simulators.served_desks import Desks, desks_template, served_desks


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PartnerWorld]:
    """Give a region with two partners, wijkteam and gi."""
    with partner_world(tmp_path / "region") as made:
        yield made


@pytest.fixture(scope="session")
def desks_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder that knows the people of every desk, ready to serve."""
    return desks_template(tmp_path_factory.mktemp("desks") / "world")


@pytest.fixture
async def desks(desks_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desks]:
    """A served broker of this test's own, and the folder of each organisation that the test asks for."""
    async with served_desks(desks_folder, tmp_path, monkeypatch) as running:
        yield running
