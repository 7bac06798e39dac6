"""Own signals over the network, page by page: where a page begins is part of what is signed."""

import pytest

from tests.simulators.asking import household
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.served_world import ServedWorld


async def test_the_next_page_is_asked_for_after_the_last_id(world: ServedWorld) -> None:
    """`after` is an own signal's id; what follows it is answered, and nothing after the last."""
    registered = await world.register(WIJKTEAM, household(subject="child"))
    signal_id = registered.json()["result"]["signalId"]
    asker = world.asker(WIJKTEAM)
    found = [
        (await world.send(asker.get(path))).json()["result"]["signals"]
        for path in ("/v1/signals", f"/v1/signals?after={'0' * 32}", f"/v1/signals?after={signal_id}")
    ]
    assert [[signal["signalId"] for signal in page] for page in found] == [[signal_id], [signal_id], []]


@pytest.mark.parametrize("after", ["", "x", "F" * 32, "%C3%A9", "0" * 33])
async def test_a_page_that_begins_after_no_id_is_refused(world: ServedWorld, after: str) -> None:
    """What is no id is refused by name and rule, and nothing is recorded."""
    for path in ("/v1/signals", "/v1/owed-tasks"):
        answer = await world.send(world.asker(WIJKTEAM).get(f"{path}?after={after}"))
        assert answer.status_code == 400
        assert (answer.json()["field"], answer.json()["rule"]) == ("after", "is not an id")
    assert world.leaves == 0


async def test_the_query_is_part_of_what_was_signed(world: ServedWorld) -> None:
    """A page that nobody signed for is not given."""
    sent = world.asker(WIJKTEAM).get("/v1/signals")
    answer = await world.client.get(f"/v1/signals?after={'0' * 32}", headers=dict(sent.headers))
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:sluis:problem:request-token-target")
