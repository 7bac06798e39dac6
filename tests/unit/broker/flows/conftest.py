"""A running core for every test of the flows, once in memory and once on each database."""

import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.flows.policy import PolicyInForce
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.broker_world import STORES, World, a_world
from tests.simulators.databases import DATABASES
from tests.simulators.requesting import Desk


@pytest.fixture(scope="session")
def policy() -> PolicyInForce:
    """The shipped bundle with the test region beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


@pytest.fixture(params=DATABASES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on each database, and the organisations that write each other letters."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield Desk(running)


@pytest.fixture(params=STORES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core that commits at once."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running
