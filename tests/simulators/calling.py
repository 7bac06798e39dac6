"""The oproep over a running core: what an asker sends, and what the teams that are asked do with it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from broker.call_ports import CallReader
from broker.domain.requests import Approval
from broker.flows.answer_ring import answer_ring
from broker.flows.call_holders import call_holders
from broker.flows.list_calls import list_calls
from broker.flows.list_rings import list_rings
from broker.flows.outcome import Answered
from broker.protocol.call_messages import AnswerRing, CallHolders
from tests.simulators.asking import EPOCH, Asker
from tests.simulators.broker_world import World, requester

MELDING = {"kind": "melding", "reference": "ab" * 32, "since": "2026-11-20", "endsOn": None}


def calls_of(world: World) -> CallReader:
    """Return the oproepen of a world that is not in memory."""
    assert world.calling is not None
    return world.calling.calls


def call_body(asker: Asker, household: Mapping[str, Any], **changed: object) -> dict[str, Any]:
    """Return the body that sends an oproep about a household."""
    body = asker.command(
        purpose=asker.purpose,
        grounds=[asker.ground],
        team="team-1",
        epoch=EPOCH,
        household=household,
        proof=MELDING if asker.purpose == "vt-melding" else None,
        tickets=asker.tickets("oproep", household),
    )
    return {**body, **changed}


async def call(
    world: World, asker: Asker, household: Mapping[str, Any], *, approval: Approval | None = None, **changed: object
) -> Answered:
    """Send an oproep about a household."""
    return await send_call(world, asker, call_body(asker, household, **changed), approval=approval)


async def send_call(
    world: World, asker: Asker, body: Mapping[str, Any], *, approval: Approval | None = None
) -> Answered:  # fmt: skip
    """Send this body of an oproep."""
    return await call_holders(
        command=CallHolders.model_validate(body),
        requester=requester(asker, role=asker.role),
        approval=approval,
        policies=world.policies,
        issuers=world.issuers,
        tokens=world.tokens,
        clock=world.clock,
        randomness=world.randomness,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        consents=world.consents,
        calls=calls_of(world),
        tasks=world.following.tasks,
        answers=world.answers,
        log=world.log,
        address_mute_above=world.address_mute_above,
    )


async def list_own_calls(world: World, asker: Asker, *, after: str | None = None) -> Answered:
    """List the oproepen of the asker's organisation."""
    return await list_calls(
        requester=requester(asker, role=asker.role),
        after=after,
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        signals=world.signals,
        calls=calls_of(world),
        answers=world.answers,
        log=world.log,
    )


async def list_own_rings(world: World, asker: Asker, *, after: str | None = None, worker: str = "") -> Answered:
    """List what asks the teams of the asker's organisation, as this worker of it."""
    return await list_rings(
        requester=requester(asker, role=asker.role, worker=worker),
        after=after,
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        calls=calls_of(world),
        consents=world.consents,
        answers=world.answers,
        log=world.log,
    )


async def decide(
    world: World, asker: Asker, ring_id: str, choice: str, *, team: str | None = None, worker: str = ""
) -> Answered:
    """Decide on a ring of the asker's organisation, as this worker of it."""
    return await send_decision(world, asker, ring_id, asker.command(answer=choice, team=team), worker=worker)


async def send_decision(
    world: World, asker: Asker, ring_id: str, body: Mapping[str, Any], *, worker: str = ""
) -> Answered:  # fmt: skip
    """Send this body of a decision."""
    return await answer_ring(
        command=AnswerRing.model_validate(body),
        ring_id=ring_id,
        requester=requester(asker, role=asker.role, worker=worker),
        policies=world.policies,
        clock=world.clock,
        randomness=world.randomness,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        calls=calls_of(world),
        consents=world.consents,
        answers=world.answers,
        log=world.log,
    )


def rings_in(answer: Answered) -> list[dict[str, Any]]:
    """Return the rings that an answer tells."""
    return list(cast("Sequence[dict[str, Any]]", answer.result["rings"]))


def calls_in(answer: Answered) -> list[dict[str, Any]]:
    """Return the oproepen that an answer tells."""
    return list(cast("Sequence[dict[str, Any]]", answer.result["calls"]))
