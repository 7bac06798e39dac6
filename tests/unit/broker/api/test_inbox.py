"""The inbox over the wire: as long, as many entries and as silent whether or not something waits."""

from tests.simulators.asking import Sent
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.served_world import ServedWorld


def _fetch(world: ServedWorld) -> Sent:
    asker = world.asker(WIJKTEAM)
    return asker.post("/v1/inbox", asker.command(had=[]))


async def test_an_answer_is_as_long_whatever_waits(world: ServedWorld) -> None:
    """Nobody on the line sees from a fetch that something waits; the log grows by one entry each time."""
    empty = await world.send(_fetch(world))
    for number in range(30):
        world.write(
            "INSERT INTO notices (id, organisation, team, kind, about, created_at) VALUES (?, ?, ?, 'delivery', ?, 1)",
            f"{number:032x}", WIJKTEAM, "team-1", "f" * 32,
        )  # fmt: skip
    before = world.leaves
    full = await world.send(_fetch(world))
    assert (empty.status_code, full.status_code) == (200, 200), full.text
    assert len(full.json()["result"]["notices"]) == 20
    assert len(empty.content) == len(full.content)
    assert sorted(empty.headers) == sorted(full.headers)
    assert world.leaves == before + 1


async def test_too_many_at_once_is_a_malformed_request(world: ServedWorld) -> None:
    """More ids than a page has are refused by field and rule, and nothing is recorded."""
    asker = world.asker(WIJKTEAM)
    before = world.leaves
    answer = await world.send(asker.post("/v1/inbox", asker.command(had=["0" * 32] * 21)))
    assert (answer.status_code, answer.json()["field"]) == (400, "had")
    assert world.leaves == before
