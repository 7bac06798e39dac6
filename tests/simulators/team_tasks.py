"""What workers do with the tasks of their team in a world of flows: start, list, close, extend."""

from typing import Any, cast

from broker.flows.close_task import close_task
from broker.flows.extend_task import extend_task
from broker.flows.list_tasks import list_tasks
from broker.flows.outcome import Answered
from broker.flows.start_terms import start_terms
from broker.protocol.task_messages import CloseTask, ExtendTask, StartTerms
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, requester
from tests.simulators.following_up import ports, who

MELDING = {"kind": "melding", "reference": "ab" * 32, "since": "2026-11-22", "endsOn": None}
ORDER = {"kind": "huisverbod", "reference": "cd" * 32, "since": "2026-11-22", "endsOn": "2026-12-02"}


def task_ports(world: World) -> dict[str, Any]:
    """Return what every flow on tasks touches."""
    return {**ports(world), "tasks": world.following.tasks}


def order_body(asker: Asker, **changed: object) -> dict[str, Any]:
    """Return the body that records an exclusion order; with other members of a body it starts something else."""
    members: dict[str, object] = {"purpose": "huisverbod", "grounds": ["WTH"], "team": "team-1", "proof": ORDER}
    return asker.command(**{**members, **changed})


def melding_body(asker: Asker, **changed: object) -> dict[str, Any]:
    """Return the body that starts what runs since a report."""
    return order_body(asker, **{"purpose": "vt-melding", "grounds": ["WMO-5.1.6"], "proof": MELDING, **changed})


async def started(world: World, asker: Asker, body: dict[str, Any], *, role: str = "worker") -> Answered:
    """Start terms with this body."""
    known = {name: port for name, port in task_ports(world).items() if name != "matches"}
    return await start_terms(
        command=StartTerms.model_validate(body), requester=requester(asker, role=role), randomness=world.randomness,
        **known,
    )  # fmt: skip


async def listed(world: World, asker: Asker, *, after: str | None = None, worker: str = "") -> Answered:
    """List the tasks of a worker's teams."""
    return await list_tasks(
        requester=requester(asker, role=asker.role, worker=worker), after=after, **task_ports(world)
    )  # fmt: skip


async def closed(world: World, asker: Asker, task_id: str, *, worker: str = "") -> Answered:
    """Say that a task is done."""
    return await close_task(
        command=CloseTask.model_validate(asker.command()), task_id=task_id,
        requester=requester(asker, worker=worker), **task_ports(world),
    )  # fmt: skip


async def extended(world: World, asker: Asker, task_id: str, ends_on: str) -> Answered:
    """Say until when an exclusion order was extended."""
    return await extend_task(
        command=ExtendTask.model_validate(asker.command(endsOn=ends_on)), task_id=task_id,
        requester=requester(asker), **task_ports(world),
    )  # fmt: skip


def found_in(answer: Answered) -> list[dict[str, Any]]:
    """Return the tasks in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result["found"]))


async def tasks_of(world: World, oin: str) -> dict[str, dict[str, Any]]:
    """Return the tasks that an organisation is shown now, by their kind."""
    return {task["kind"]: task for task in found_in(await listed(world, who(world, oin)))}
