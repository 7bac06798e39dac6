"""What workers do with matches in a world of flows: list, open, change, name who leads; and what they are shown."""

from itertools import count
from typing import Any, cast

from broker.flows.appoint_casusregisseur import appoint_casusregisseur
from broker.flows.follow_up_match import follow_up_match
from broker.flows.list_coordinated import list_coordinated
from broker.flows.list_matches import list_matches
from broker.flows.open_match import open_match
from broker.flows.outcome import Answered
from broker.flows.sweep_overdue import sweep_overdue
from broker.flows.tell_new_report import tell_new_report
from broker.protocol.match_messages import AppointCasusregisseur, ChangeMatchState, TellNewReport
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, requester

_seeds = count()


def who(world: World, oin: str, **changed: Any) -> Asker:  # noqa: ANN401 - the fields of Asker, which checks them
    """Return an organisation's worker whose ids nobody had before."""
    return world.asker(oin, seed=f"follow-up {next(_seeds)}", **changed)


def ports(world: World) -> dict[str, Any]:
    """Return what every flow on matches touches."""
    return {
        "policies": world.policies,
        "clock": world.clock,
        "registers": world.documents,
        "rosters": world.documents,
        "signals": world.signals,
        "matches": world.following.matches,
        "answers": world.answers,
        "log": world.log,
    }


async def listed(world: World, asker: Asker, *, after: str | None = None) -> Answered:
    """List the own matches."""
    return await list_matches(requester=requester(asker, role=asker.role), after=after, **ports(world))


async def opened(world: World, asker: Asker, match_id: str, *, worker: str = "") -> Answered:
    """Open one match."""
    return await open_match(match_id=match_id, requester=requester(asker, worker=worker), **ports(world))


async def followed_up(world: World, asker: Asker, match_id: str, state: str, *, worker: str = "") -> Answered:
    """Say how far one is."""
    command = ChangeMatchState.model_validate(asker.command(state=state))
    return await follow_up_match(
        command=command, match_id=match_id, requester=requester(asker, worker=worker), randomness=world.randomness,
        tasks=world.following.tasks, **ports(world),
    )  # fmt: skip


async def appointed(
    world: World, asker: Asker, match_id: str, organisation: str, *, was: str | None = None
) -> Answered:  # fmt: skip
    """Name team-1 of this organisation casusregisseur, in the place of that of another."""
    replaced = None if was is None else {"organisation": was, "team": "team-1"}
    command = AppointCasusregisseur.model_validate(
        asker.command(organisation=organisation, team="team-1", was=replaced)
    )
    return await appoint_casusregisseur(
        command=command, match_id=match_id, requester=requester(asker), randomness=world.randomness,
        tasks=world.following.tasks, **ports(world),
    )  # fmt: skip


def found_in(answer: Answered) -> list[dict[str, Any]]:
    """Return the matches in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result["found"]))


async def matches_of_side(world: World, oin: str) -> list[dict[str, Any]]:
    """Return the matches that an organisation is shown now."""
    return found_in(await listed(world, who(world, oin)))


async def notices_of(world: World, oin: str) -> list[tuple[str, str]]:
    """Return kind and subject of what waits for an organisation's workers."""
    answer = await world.inbox(who(world, oin))
    notices = cast("list[dict[str, Any]]", answer.result["notices"])
    return [(one["kind"], one["about"]) for one in notices]


async def told_new_report(world: World, asker: Asker, match_id: str, **changed: Any) -> Answered:  # noqa: ANN401 - members of a proof
    """Tell the casusregisseur that a new police report came in."""
    proof = {"kind": "melding", "reference": "a" * 64, "since": "2026-11-22", "endsOn": None, **changed}
    command = TellNewReport.model_validate(asker.command(proof=proof))
    return await tell_new_report(
        command=command, match_id=match_id, requester=requester(asker), randomness=world.randomness,
        tasks=world.following.tasks, **ports(world),
    )  # fmt: skip


async def coordinated(world: World, asker: Asker, *, after: str | None = None) -> Answered:
    """List what a coordinator sees to."""
    known = {name: port for name, port in ports(world).items() if name != "rosters"}
    return await list_coordinated(requester=requester(asker, role=asker.role), after=after, **known)


async def sweep_overdue_of(world: World) -> int:
    """Return how many notices one pace of housekeeping left about what is overdue."""
    return await sweep_overdue(
        vouched_at=world.clock.now(),
        policies=world.policies,
        clock=world.clock,
        randomness=world.randomness,
        registers=world.documents,
        signals=world.signals,
        matches=world.following.matches,
        tasks=world.following.tasks,
        log=world.log,
    )
