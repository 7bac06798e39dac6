"""Somebody sees to every signal: who leaves hands over all of them, and what nobody sees to is found."""

from typing import Any, cast

import pytest

from broker.domain.errors import FieldRuleError, RoleNotAllowedError
from broker.flows.hand_over_signals import hand_over_signals
from broker.flows.list_ownerless import list_ownerless
from broker.flows.outcome import Answered
from broker.protocol.owner_messages import HandOverSignals
from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.broker_world import World, documents, requester
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled, worker_id
from tests.simulators.following_up import ports, who

HERE = Worker(sub="here", roles=frozenset({"worker"}), broker_sub=None)


@pytest.fixture
def staffed(world: World) -> World:
    """A world in which the GI has a second worker."""
    world.documents.rosters = documents(Enrolled(others={GI: (HERE,)})).rosters
    return world


def _ports(world: World) -> dict[str, Any]:
    return {name: port for name, port in ports(world).items() if name != "matches"}


async def ownerless(world: World, *, role: str = "worker", oin: str = GI) -> list[dict[str, Any]]:
    """Return the signals without an active owner."""
    answer = await list_ownerless(requester=requester(who(world, oin), role=role), **_ports(world))
    return list(cast("list[dict[str, Any]]", answer.result["found"]))


async def hand_over(
    world: World, of: str | None, to: str, *, role: str = "worker", worker: str = ""
) -> Answered:  # fmt: skip
    """Hand over signals of the GI."""
    asker = who(world, GI)
    command = HandOverSignals.model_validate(asker.command(of=of, to=to))
    return await hand_over_signals(
        command=command, requester=requester(asker, role=role, worker=worker), **_ports(world)
    )


async def registered(world: World, *people: str) -> None:
    """The GI's own worker registers a signal about each."""
    for person in people:
        await world.register(who(world, GI), household(subject=person))


async def test_who_leaves_hands_over_everything_in_one_act(staffed: World) -> None:
    """All held signals of one worker have another owner afterwards; what was withdrawn stays as it was."""
    await registered(staffed, "a", "b")
    gone = await staffed.register(who(staffed, GI), household(subject="c"))
    await staffed.withdraw(who(staffed, GI), str(gone.result["signalId"]))
    answer = await hand_over(staffed, worker_id(GI, "worker"), "here")
    assert answer.result["handedOver"] == 2
    again = await hand_over(staffed, worker_id(GI, "worker"), "here")
    assert again.result["handedOver"] == 0
    back = await hand_over(staffed, "here", worker_id(GI, "worker"), worker="here")
    assert back.result["handedOver"] == 2


async def test_what_is_left_by_who_has_gone_is_found_and_taken_up(staffed: World) -> None:
    """A signal whose owner left the roster stands on the list until somebody takes it up."""
    await registered(staffed, "a", "b")
    assert await ownerless(staffed) == []
    staffed.documents.rosters = documents(Enrolled(others={GI: (HERE,)}, without=frozenset({"worker"}))).rosters
    found = await ownerless(staffed)
    assert [one["owner"] for one in found] == [worker_id(GI, "worker")] * 2
    assert set(found[0]) == {"signalId", "team", "purpose", "endsOn", "owner"}
    answer = await hand_over(staffed, None, "here", worker="here")
    assert answer.result["handedOver"] == 2
    assert await ownerless(staffed) == []


async def test_without_a_roster_every_signal_is_ownerless(staffed: World) -> None:
    """When nobody works here by the roster, nobody sees to anything, and nobody can take it up."""
    await registered(staffed, "a")
    staffed.documents.rosters = {}
    assert len(await ownerless(staffed)) == 1
    with pytest.raises(FieldRuleError):
        await hand_over(staffed, None, "here")


async def test_a_colleagues_signals_are_handed_over_by_an_approver_alone(staffed: World) -> None:
    """A worker cannot take a colleague's signals; who leads the team can hand them over, to somebody who works here."""
    await registered(staffed, "a")
    with pytest.raises(RoleNotAllowedError):
        await hand_over(staffed, worker_id(GI, "worker"), "here", worker="here")
    with pytest.raises(RoleNotAllowedError):
        await hand_over(staffed, None, "here", role="fg")
    with pytest.raises(RoleNotAllowedError):
        await ownerless(staffed, role="fg")
    with pytest.raises(FieldRuleError):
        await hand_over(staffed, worker_id(GI, "worker"), "nobody", role="approver")
    answer = await hand_over(staffed, worker_id(GI, "worker"), "here", role="approver")
    assert answer.result["handedOver"] == 1
    assert await ownerless(staffed, role="approver") == []


async def test_nobody_touches_anothers_signals(staffed: World) -> None:
    """An act of one organisation changes no owner elsewhere, whatever ids it names."""
    await staffed.register(who(staffed, WIJKTEAM), household(subject="a"))
    answer = await hand_over(staffed, worker_id(WIJKTEAM, "worker"), "here", role="approver")
    assert answer.result["handedOver"] == 0
    assert await ownerless(staffed, oin=WIJKTEAM) == []
