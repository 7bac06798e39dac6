from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors.command_line import explanation
from connectors.errors import ConnectorError, NotDoneError
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import Fault, PartnerWorld, altered, down, lost, partner_world, status
from tests.unit.connectors.cases_by_hand import ASKED, child

NUMBERS = [official_number(place) for place in range(700, 713)]
NOTHING = "We kunnen je niets tonen"
FAULTS: dict[str, Fault] = {
    "down": down,
    "lost": lost,
    "storage": status(503, "storage-unavailable"),
    "budget": status(429, "budget-exhausted"),
    "time-out": lambda request, _: (_ for _ in ()).throw(httpx.ReadTimeout("late", request=request)),
    "empty": lambda *_: httpx.Response(200, content=b""),
    "bare 500": lambda *_: httpx.Response(500, content=b"<html>"),
    "truncated": lambda _, answer: httpx.Response(200, content=answer().content[:200]),
    "altered": altered(lambda members: members.update(receipt={}, families=[])),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PartnerWorld]:
    """Give a region with two partners."""
    with partner_world(tmp_path / "region") as made:
        yield made


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("host", [BROKER, *CUSTODIANS])
async def test_what_was_not_carried_out_never_reads_as_nothing(world: PartnerWorld, host: str, name: str) -> None:
    """Whatever goes wrong at any party, the worker never reads that there was nothing to show."""
    world.network.faults[host] = [FAULTS[name]]
    async with world.client("gi") as gi:
        with pytest.raises(ConnectorError) as caught:
            await gi.check(child(), **ASKED)
    told = " ".join(explanation(caught.value))
    assert NOTHING not in told
    assert "niet" in told


async def test_what_was_carried_out_and_shows_nothing_says_so(world: PartnerWorld) -> None:
    """A check that was carried out without anything to show always reads the same sentence."""
    async with world.client("gi") as gi:
        assert NOTHING in (await gi.check(child(), **ASKED)).text_nl
        await gi.register(child(), **ASKED)
        assert NOTHING in (await gi.check(child(), **ASKED)).text_nl


async def test_one_part_that_fails_leaves_no_half_answer(world: PartnerWorld) -> None:
    """A household asked about in several messages is shown whole or not at all."""
    members = tuple(type(child().members[0]).parse(number) for number in NUMBERS)
    world.network.faults[BROKER] = [lambda _, answer: answer(), down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(replace(child(), members=members), **ASKED)
