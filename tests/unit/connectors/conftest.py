from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.partner_world import PartnerWorld, partner_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PartnerWorld]:
    """Give a region with two partners, wijkteam and gi."""
    with partner_world(tmp_path / "region") as made:
        yield made
