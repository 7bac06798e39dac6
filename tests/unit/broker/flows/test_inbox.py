"""The inbox: told until it is safely had, to the organisation and role it is for, in one entry each time."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from audit.entry import Leaf
from broker.domain.errors import RoleNotAllowedError
from broker.domain.notices import NoticeKind, Notify
from broker.flows.outcome import Answered
from broker.flows.waiting_notices import MOST_JUDGED
from broker.match_ports import FoundMatches, MatchReader
from broker.ports import Proposal
from tests.simulators.broker_world import World, log_size
from tests.simulators.enrolled import GI, WIJKTEAM


class CountedMatches:
    """Matches, with how many of them were asked for to judge notices of them."""

    def __init__(self, matches: MatchReader) -> None:
        """Read with this."""
        self._matches = matches
        self.judged = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the reader has
        """Return what the reader has."""
        return getattr(self._matches, name)

    async def among(self, match_ids: Collection[str]) -> FoundMatches:
        """Return these matches, counted."""
        self.judged += len(match_ids)
        return await self._matches.among(match_ids)


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


HIDDEN = 2 * MOST_JUDGED
"""Notices of matches that are no more."""


async def test_what_may_not_be_told_keeps_nothing_else_waiting_for_long(world: World) -> None:
    """However many notices may not be told, a fetch judges so many at most, and the next ones come to the others."""
    kept = [notice(number, kind=NoticeKind.MATCH) for number in range(HIDDEN)]
    await leave(world, *kept, notice(HIDDEN))
    counted = CountedMatches(world.following.matches)
    world.following = replace(world.following, matches=counted)
    asker = world.asker(WIJKTEAM)
    pages = []
    for number in range(3):
        counted.judged = 0
        world.clock.move(900)
        pages.append(told(await world.inbox(world.asker(WIJKTEAM, seed=f"fetch {number}"))))
        assert counted.judged <= MOST_JUDGED
    assert pages == [[], [], [str(HIDDEN)]]
    # Who has it is told of nothing, as if nothing else were there.
    assert told(await world.inbox(asker, had=[f"{HIDDEN:032x}"])) == []


async def test_up_to_a_limit_what_may_not_be_told_changes_nothing(world: World) -> None:
    """With as many hidden notices as are judged at once, but one, a page is what it is without any of them."""
    await leave(world, *(notice(number, kind=NoticeKind.MATCH) for number in range(MOST_JUDGED - 2)), notice(HIDDEN))
    for number in range(2):
        page = await world.inbox(world.asker(WIJKTEAM, seed=f"fetch {number}"))
        assert (told(page), page.result["more"]) == ([str(HIDDEN)], False)
