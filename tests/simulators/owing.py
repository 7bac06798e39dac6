"""What people do in a world of flows with what follows from acts: list it, and say that it is done."""

from typing import Any, cast

from broker.flows.finish_owed import finish_owed
from broker.flows.give_verdict import give_verdict
from broker.flows.list_owed import list_owed
from broker.flows.outcome import Answered
from broker.protocol.owed_messages import FinishOwedTask
from broker.protocol.review_messages import GiveVerdict
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, requester
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.following_up import ports, who


def owed_ports(world: World) -> dict[str, Any]:
    """Return what both flows touch."""
    known = {name: port for name, port in ports(world).items() if name != "matches"}
    return {**known, "owed": world.following.owed}


async def owed_of(world: World, asker: Asker, *, worker: str = "", after: str | None = None) -> Answered:
    """List what this person is to do."""
    asking = requester(asker, role=asker.role, worker=worker)
    return await list_owed(requester=asking, after=after, **owed_ports(world))


async def owed_done(world: World, asker: Asker, task_id: str, *, worker: str = "") -> Answered:
    """Say that this is done."""
    return await finish_owed(
        command=FinishOwedTask.model_validate(asker.command()), task_id=task_id,
        requester=requester(asker, role=asker.role, worker=worker), **owed_ports(world),
    )  # fmt: skip


def found_in(answer: Answered) -> list[dict[str, Any]]:
    """Return the tasks in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result["found"]))


async def kinds_of(world: World, oin: str, *, role: str = "worker", worker: str = "") -> list[str]:
    """Return the kinds of what is told to this person now, in its order."""
    return [one["kind"] for one in found_in(await owed_of(world, who(world, oin, role=role), worker=worker))]


async def judged_by(world: World, act: int, verdict: str, *, oin: str = WIJKTEAM, worker: str = "") -> Answered:
    """Give this verdict on an act, as a reviewer of this organisation."""
    asker = who(world, oin, role="privacyfunctionaris")
    shared = {name: port for name, port in owed_ports(world).items() if name != "owed"}
    return await give_verdict(
        command=GiveVerdict.model_validate(asker.command(act=act, verdict=verdict, reason="work_explains")),
        requester=requester(asker, role=asker.role, worker=worker), acts=world.acts, notes=world.notes, **shared,
    )  # fmt: skip
