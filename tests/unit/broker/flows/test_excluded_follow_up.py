"""A colleague who is kept from a signal of his own organisation: nothing that follows a match on it tells him anything.

Nor does he become its owner, or hear that somebody was asked about it.
"""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.errors import NotFoundError
from broker.flows.hand_over_signals import hand_over_signals
from broker.flows.list_matches import list_matches
from broker.flows.list_ownerless import list_ownerless
from broker.protocol.owner_messages import HandOverSignals
from broker.protocol.roster import Roster
from tests.simulators.asking import household
from tests.simulators.broker_world import World, exclude, requester
from tests.simulators.calling import list_own_rings, rings_in
from tests.simulators.consenting import withdrawn
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM, worker_id
from tests.simulators.following_up import followed_up, found_in, notices_of, opened, ports, who
from tests.simulators.following_up import listed as matches_listed
from tests.simulators.requesting import Desk
from tests.simulators.team_tasks import listed as tasks_listed
from tests.unit.broker.flows.test_excluded_colleague import CHILD, RELATIVE, hidden_signal
from tests.unit.broker.flows.test_rings_judged_anew import asked_on_consent
from tests.unit.policies.amsterdam import AMSTELVEEN


async def follows(world: World) -> list[Any]:
    """Return what he reads of matches, notices, tasks and ownerless signals once the GI registered the child too."""
    await world.register(world.asker(GI, seed="comes"), CHILD)
    world.documents.rosters = {**world.documents.rosters, WIJKTEAM: without_owner(world)}
    ownerless = await list_ownerless(
        requester=requester(who(world, WIJKTEAM)),
        **{name: port for name, port in ports(world).items() if name != "matches"},
    )
    return [
        found_in(await matches_listed(world, who(world, WIJKTEAM))),
        await notices_of(world, WIJKTEAM),
        found_in(await tasks_listed(world, who(world, WIJKTEAM))),
        ownerless.result,
    ]


def without_owner(world: World) -> Roster:
    """Return the roster of the wijkteam without the worker who owns its signals, and with another one."""
    (roster,) = [one for oin, one in world.documents.rosters.items() if oin == WIJKTEAM]
    others = {sub: worker for sub, worker in roster.workers.items() if sub != RELATIVE}
    return replace(roster, workers={**others, "another": roster.workers[RELATIVE]})


async def test_what_follows_a_match_reads_the_same_in_both_worlds(world: World) -> None:
    """A match that rests on what he is kept from is no match to him, nor is it told, opened, or followed up by him."""
    signal_id = await hidden_signal(world)
    there = await follows(world)
    assert [there[0], there[1], there[2], there[3]["found"], there[3]["moreAfter"]] == [[], [], [], [], None]
    (match,) = (await world.following.matches.of_side(organisation=WIJKTEAM, after="", at_most=2)).matches
    for step in (
        opened(world, who(world, WIJKTEAM), match.id),
        followed_up(world, who(world, WIJKTEAM), match.id, "contact_gehad"),
    ):
        with pytest.raises(NotFoundError):
            await step
    # A colleague who is not kept from it has all of that.
    colleague = requester(who(world, WIJKTEAM), worker="another")
    seen = await list_matches(requester=colleague, **ports(world))
    assert [one["signals"] for one in found_in(seen)] == [[signal_id]]


async def test_nobody_becomes_the_owner_of_what_he_is_kept_from(world: World) -> None:
    """Taking up what nobody sees to leaves such a signal as it is, and the count says nothing of it."""
    signal_id = await hidden_signal(world)
    await world.register(world.asker(WIJKTEAM, seed="another child"), household(subject="another"))
    world.documents.rosters = {**world.documents.rosters, WIJKTEAM: without_owner(world)}
    known = {name: port for name, port in ports(world).items() if name != "matches"}
    asker = who(world, WIJKTEAM)
    command = HandOverSignals.model_validate(asker.command(of=None, to="another"))
    told = await hand_over_signals(command=command, requester=requester(asker), **known)
    assert told.result["handedOver"] == 1
    own = await world.signals.own(organisation=WIJKTEAM, signal_id=signal_id)
    assert own is not None
    assert own.signal.owner == RELATIVE


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hidden", [False, True])
async def test_that_a_ring_ended_is_not_told_to_who_is_kept_from_it(world: World, hidden: bool) -> None:  # noqa: FBT001 - of a table
    """She takes her yes back: who listed the ring hears of it, but not a colleague who is kept from the signal."""
    asker, holder, consent = await asked_on_consent(world)
    (ring,) = rings_in(await list_own_rings(world, holder))
    if hidden:
        await exclude(world, ring["signalId"], organisation=AMSTELVEEN, worker=worker_id(AMSTELVEEN, "worker"))
    await withdrawn(world, asker, consent)
    told = [about for kind, about in await notices_of(world, AMSTELVEEN) if kind == "consent_withdrawn"]
    assert told == ([] if hidden else [ring["ringId"]])


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hidden", [False, True])
async def test_a_letter_that_is_kept_from_him_is_not_announced_to_him(world: World, hidden: bool) -> None:  # noqa: FBT001 - of a table
    """An answer to a question on an own signal that he may not see: his list has no such letter, nor has his inbox."""
    desk = Desk(world)
    asked = str((await world.register(desk.asker(VEILIG_THUIS), household(subject="a"))).result["signalId"])
    request = await desk.sent(signalId=asked)
    await desk.answer(request, desk.reply(request))
    if hidden:
        await exclude(world, asked, organisation=VEILIG_THUIS, worker=worker_id(VEILIG_THUIS, "worker"))
    expected = [] if hidden else [("answer", request)]
    assert await notices_of(world, VEILIG_THUIS) == expected
    # Who answered stands on no signal, and is told as ever.
    assert await notices_of(world, WIJKTEAM) == [("request", request)]
