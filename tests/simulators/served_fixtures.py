"""Fixtures of a served broker, for the conftest of each folder that asks one over its API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.simulators.databases import DATABASES
from tests.simulators.served_world import ServedWorld, make_template, served_world


@pytest.fixture(scope="session", params=DATABASES)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve, once on each database."""
    return make_template(tmp_path_factory.mktemp("template") / "world", kind=request.param)


@pytest.fixture
async def world(template: Path, tmp_path: Path) -> AsyncIterator[ServedWorld]:
    """A running broker of this test's own."""
    async with served_world(template, tmp_path / "world") as running:
        yield running
