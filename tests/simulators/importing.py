"""Imports in a world of flows, and the turns in which what was imported is met."""

from collections.abc import Mapping
from typing import Any

from broker.flows.meet_imported import meet_imported
from broker.flows.outcome import Answered
from tests.simulators.broker_world import World
from tests.simulators.following_up import who

GRANT = "0" * 31 + "1"


async def imports(world: World, oin: str, household: Mapping[str, Any]) -> Answered:
    """This organisation registers a household under a grant, so that nobody is looked up."""
    asker = who(world, oin)
    tickets = asker.tickets(
        "register", household, grants=(GRANT, GRANT), issued_at=asker.now, lifetime_s=10 * 86_400
    )  # fmt: skip
    return await world.send_registration(asker, asker.registration(household, tickets=tickets))


async def takes_turn(world: World, *, after: str = "") -> str:
    """Return whose imported signal had its turn now."""
    return await meet_imported(
        after=after,
        policies=world.policies,
        clock=world.clock,
        randomness=world.randomness,
        registers=world.documents,
        signals=world.signals,
        matches=world.following.matches,
        consents=world.consents,
        log=world.log,
    )
