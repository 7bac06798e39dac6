"""Two custodians with one enrolled partner, open for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.custodian import CustodianPair, SimulatedPartner, custodian_pair


@pytest.fixture
def partner() -> SimulatedPartner:
    """Return the partner that both custodians enrolled."""
    return SimulatedPartner()


@pytest.fixture
def pair(tmp_path: Path, partner: SimulatedPartner) -> Iterator[CustodianPair]:
    """Hold both custodians open."""
    with custodian_pair(tmp_path, [partner]) as made:
        yield made
