from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from broker.protocol.problems import problem
from connectors.cases import Case
from connectors.command_line import explanation
from connectors.conclusions import Resumed
from connectors.errors import ConnectorError, NotDoneError, RefusedError
from connectors.outbox import Outbox
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import Fault, PartnerWorld, altered, down, lost, partner_world, real, status
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
    """A household asked about in several messages is shown whole or not at all, now and when it is resumed."""
    async with world.client("wijkteam") as wijkteam:
        await wijkteam.register(child(), **ASKED)
    world.network.faults[BROKER] = [real, down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(large(), **ASKED)
    # Part 1 was answered with a match and part 2 never arrived: nothing of either is told while part 2 fails.
    for fault in (down, lost, status(401, "request-token-early")):
        world.network.faults[BROKER] = [fault]
        async with world.client("gi") as gi:
            again = await gi.resume()
        assert again.outcomes == ()
        assert [type(one.error) for one in again.unfinished] == [NotDoneError]
        assert NOTHING not in " ".join(explanation(again.unfinished[0].error))
    async with world.client("gi") as gi:
        (whole,) = (await gi.resume()).outcomes
        assert await gi.resume() == Resumed(outcomes=(), unfinished=())
    assert (whole.outcome, [match.kind for match in whole.matches]) == ("shown", ["person"])
    assert NOTHING not in whole.text_nl
    assert len(whole.receipts) == 2


async def test_a_part_that_waits_for_others_keeps_no_token_and_shows_nothing(world: PartnerWorld) -> None:
    """How a part ended is kept sealed, without what was asked; it opens only together with the rest."""
    world.network.faults[BROKER] = [real, down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(large(), **ASKED)
    folder = world.folders["gi"]
    with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
        ((ended, other),) = outbox.waiting()
        assert (ended.body, ended.tickets, ended.evaluation) == ({}, (), "")
        assert ended.conclusion is not None
        assert b"nothing" not in folder.outbox_path.read_bytes()
        outbox.delete(ended.key)
        assert outbox.waiting() == [(other,)]
    async with world.client("gi") as gi:
        alone = await gi.resume()
    assert alone.outcomes == ()
    assert [type(one.error) for one in alone.unfinished] == [NotDoneError]


async def test_a_custodian_that_fails_for_one_part_stops_all_of_them(world: PartnerWorld) -> None:
    """No part leaves before every part has its tokens, so that an outage in between asks nothing of the broker."""
    world.network.faults[CUSTODIANS[0]] = [real, down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(large(), **ASKED)
        assert await gi.resume() == Resumed(outcomes=(), unfinished=())
    assert world.broker.bodies == []


async def test_a_part_that_is_refused_refuses_the_whole(world: PartnerWorld) -> None:
    """A question of which a part was refused is told as refused, also after an outage, and never as nothing."""

    def refused(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        del request
        world.broker.refuse = problem("refused")
        try:
            return answer()
        finally:
            world.broker.refuse = None

    world.network.faults[BROKER] = [refused, down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(large(), **ASKED)
        (one,) = (await gi.resume()).unfinished
        assert await gi.resume() == Resumed(outcomes=(), unfinished=())
    assert isinstance(one.error, RefusedError)
    assert one.error.receipt is not None
    assert one.error.receipt.outcome == "refused"
    assert NOTHING not in " ".join(explanation(one.error))


async def test_a_part_whose_answer_is_withheld_never_reads_as_nothing(world: PartnerWorld) -> None:
    """Where something changed about one part, the whole says so, though every other part had nothing to show."""
    world.network.faults[BROKER] = [real, lost]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(large(), **ASKED)
        world.broker.changed_since = True
        (whole,) = (await gi.resume()).outcomes
    assert whole.outcome == "done"
    assert NOTHING not in whole.text_nl
    assert "Kijk opnieuw wie betrokken is" in whole.text_nl


def large() -> Case:
    """Return the child's case with more members than one message carries."""
    return replace(child(), members=tuple(type(child().members[0]).parse(number) for number in NUMBERS))
