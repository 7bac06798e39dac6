"""The matchcoordinator of a municipality over the wire: what no team did in time is told him once, and no household."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, WIJKTEAM, Enrolled, worker_id
from tests.simulators.served_world import ServedWorld, make_template, served_world

DAY = 86_400


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ServedWorld]:
    """A running broker in whose region the municipality takes part that the test region's document names."""
    sub = worker_id(GEMEENTE, "matchcoordinator")
    coordinator = Worker(sub=sub, roles=frozenset({"matchcoordinator"}), broker_sub=None)
    names = {**NAMES, GEMEENTE: ("Gemeente", "gemeente")}
    enrolled = Enrolled(names=names, others={GEMEENTE: (coordinator,)})
    template = make_template(tmp_path / "template", enrolled=enrolled)
    async with served_world(template, tmp_path / "world", witness_up=True) as running:
        yield running


async def _noticed(world: ServedWorld) -> list[str]:
    coordinator = world.asker(GEMEENTE, role="matchcoordinator")
    answer = await world.send(coordinator.post("/v1/inbox", coordinator.command(had=[])))
    assert answer.status_code == 200, answer.text
    return [one["kind"] for one in answer.json()["result"]["notices"]]


async def test_what_is_overdue_is_told_the_coordinator_and_names_no_household(world: ServedWorld) -> None:
    """After five working days without contact a notice comes at housekeeping's pace, and his list says so."""
    signals = [
        str((await world.register(oin, household(subject="child"))).json()["result"]["signalId"])
        for oin in (GI, WIJKTEAM)
    ]
    assert await _noticed(world) == ["coordinated"]
    world.clock.move(6 * DAY)
    await world.send(world.asker(GI).get("/v1/signals"))
    assert await world.app.state.housekeeping.sweep_once()
    assert await _noticed(world) == ["coordinated", "match_overdue"]
    listed = await world.send(world.asker(GEMEENTE, role="matchcoordinator").get("/v1/coordinated-matches"))
    (match,) = listed.json()["result"]["found"]
    assert (match["overdue"], match["contacted"]) == (True, False)
    assert not any(signal in listed.text for signal in signals)
