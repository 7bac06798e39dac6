"""Two custodians with one enrolled partner, open for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.custodian import CustodianPair, SimulatedPartner, SteppedClock, make_pair, open_pair


@pytest.fixture
def partner() -> SimulatedPartner:
    """Return the partner that both custodians enrolled."""
    return SimulatedPartner()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Return two closed custodians, made once; tests work on copies."""
    path = tmp_path_factory.mktemp("pair")
    return path, make_pair(path, [SimulatedPartner()], now=SteppedClock().now)


@pytest.fixture
def pair(tmp_path: Path, made_once: tuple[Path, bytes]) -> Iterator[CustodianPair]:
    """Hold both custodians open."""
    source, epoch_text = made_once
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    with open_pair(tmp_path, epoch_text, clock=SteppedClock()) as made:
        yield made
