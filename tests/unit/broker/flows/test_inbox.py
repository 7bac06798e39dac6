"""The inbox: told until it is safely had, to the organisation and role it is for, in one entry each time."""

from typing import Any

import pytest

from audit.entry import Leaf
from broker.domain.errors import RoleNotAllowedError
from broker.domain.notices import NoticeKind, Notify
from broker.flows.outcome import Answered
from broker.ports import Proposal
from tests.simulators.broker_world import World, log_size
from tests.simulators.enrolled import GI, WIJKTEAM


def notice(number: int, *, oin: str = WIJKTEAM, kind: NoticeKind = NoticeKind.REQUEST) -> Notify:
    """Return the notice of this number."""
    return Notify(id=f"{number:032x}", organisation=oin, team="team-1", kind=kind, about=f"{number + 1000:032x}")


async def leave(world: World, *notices: Notify) -> None:
    """These notices wait, by an entry of somebody's."""
    async with world.log.turn() as turn:
        await turn.commit(Proposal(kind="request", payloads={"meta": {}}, changes=notices))


def told(answer: Answered) -> list[str]:
    """Return the numbers of the notices in an answer."""
    notices: Any = answer.result["notices"]
    return [str(int(one["id"], 16)) for one in notices]


async def test_what_waits_is_told_until_it_is_had(world: World) -> None:
    """A page is told again and again, whoever lost it, and no more once the organisation says that it has it."""
    await leave(world, *(notice(number) for number in range(25)))
    asker = world.asker(WIJKTEAM)
    first = await world.inbox(asker)
    assert told(first) == [str(number) for number in range(20)]
    assert first.result["more"] is True
    again = await world.inbox(asker)
    assert told(again) == told(first)
    rest = await world.inbox(asker, had=[f"{number:032x}" for number in range(20)])
    assert told(rest) == ["20", "21", "22", "23", "24"]
    assert rest.result["more"] is False
    assert told(await world.inbox(asker)) == told(rest)
    assert told(await world.inbox(asker, had=[f"{number:032x}" for number in range(20, 25)])) == []


async def test_nobody_reads_or_clears_anothers_inbox(world: World) -> None:
    """An organisation is told its own notices only, and cannot say that it has another's."""
    await leave(world, notice(1), notice(2, oin=GI))
    assert told(await world.inbox(world.asker(GI), had=[f"{1:032x}"])) == ["2"]
    assert told(await world.inbox(world.asker(WIJKTEAM))) == ["1"]


async def test_a_coordinator_is_told_nothing_else(world: World) -> None:
    """What is for workers is not told to a matchcoordinator, nor his to them; of no match there is nothing to tell."""
    await leave(world, notice(1, kind=NoticeKind.MATCH_OVERDUE), notice(2, kind=NoticeKind.ANSWER))
    assert told(await world.inbox(world.asker(WIJKTEAM, role="matchcoordinator", seed="coordinator"))) == []
    assert told(await world.inbox(world.asker(WIJKTEAM))) == ["2"]


@pytest.mark.parametrize("role", ["approver", "fg", "privacyfunctionaris"])
async def test_other_roles_have_no_inbox(world: World, role: str) -> None:
    """Who reviews or approves is told nothing by a notice, and nothing is recorded."""
    before = await log_size(world)
    with pytest.raises(RoleNotAllowedError):
        await world.inbox(world.asker(WIJKTEAM, role=role))
    assert await log_size(world) == before


async def test_one_entry_whatever_waits(world: World) -> None:
    """With and without anything that waits a fetch is one entry of kind `inbox`, whose leaf is as long."""
    asker = world.asker(WIJKTEAM)
    empty = await world.inbox(asker)
    await leave(world, *(notice(number) for number in range(40)))
    before = await log_size(world)
    full = await world.inbox(asker)
    assert await log_size(world) == before + 1
    leaves = [str(one.receipt["leaf"]) for one in (empty, full)]
    assert len(leaves[0]) == len(leaves[1])
    assert {Leaf.parse(leaf.encode()).kind for leaf in leaves} == {"inbox"}
    assert told(empty) == []


async def test_asked_again_under_its_key_it_is_the_same_page(world: World) -> None:
    """A fetch whose answer was lost is answered with that very page, and reads nothing twice."""
    await leave(world, notice(1))
    asker = world.asker(WIJKTEAM)
    body = asker.command(had=[])
    first = await world.send_inbox(asker, body)
    await leave(world, notice(2))
    replayed = await world.send_inbox(asker, body)
    assert replayed.replayed
    assert replayed.result == first.result
