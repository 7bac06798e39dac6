"""Erasing over the wire: two people of one organisation, and refusals that tell nothing of others."""

from typing import Any

import pytest

from tests.simulators.asking import Asker, household
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.served_world import ServedWorld

CHILD = household(subject="child")
GROUPS = ["meta", "actor", "subject"]


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


def _newest(world: ServedWorld) -> int:
    return int(world.rows("SELECT max(idx) FROM log_entries")[0][0])


def _body(asker: Asker, index: int) -> dict[str, Any]:
    ranges = [{"first": index, "last": index, "groups": GROUPS}]
    return asker.command(ground="AVG-17.1.d", decisionRef="a" * 64, ranges=ranges)


async def test_two_people_erase_over_the_wire(world: ServedWorld) -> None:
    """Each answer has the size of any other and a receipt; the same person, a worker and a stranger are refused."""
    registered = await world.register(GI, CHILD)
    index = _newest(world)
    first, second = world.asker(GI, role="privacyfunctionaris"), world.asker(GI, role="approver", seed="second")
    body = _body(first, index)
    proposed = await world.send(first.post("/v1/erasures", body))
    assert (proposed.status_code, len(proposed.content)) == (200, len(registered.content))
    place = f"/v1/erasures/{body['idempotencyKey']}/confirmation"
    again = await world.send(first.post(place, _body(first, index)))
    worker = world.asker(GI, seed="worker")
    unfit = await world.send(worker.post(place, _body(worker, index)))
    stranger = world.asker(WIJKTEAM, role="approver")
    strange = await world.send(stranger.post(place, _body(stranger, index)))
    assert [again.json()["type"], unfit.json()["type"], strange.json()["type"]] == [
        f"urn:sluis:problem:{name}" for name in ("approver-is-requester", "role-not-allowed", "not-found")
    ]
    done = await world.send(second.post(place, _body(second, index)))
    assert (done.status_code, done.json()["result"]["text"]["id"]) == (200, "erasure.done")
    assert world.rows("SELECT grp FROM log_payloads WHERE idx = ? ORDER BY grp", index) == [("hits",), ("shielded",)]
    assert world.rows("SELECT kind FROM tasks ORDER BY id") == [("fg-erasure-proposed",), ("fg-erased",)]
    erased = await world.send(first.post("/v1/erasures", _body(first, index)))
    assert erased.json()["type"] == "urn:sluis:problem:already-erased"


async def test_an_entry_of_another_and_one_that_is_not_there_read_the_same(world: ServedWorld) -> None:
    """Whether an index is another's, shielded to you or beyond the log cannot be told from the refusal."""
    await world.register(GI, CHILD)
    theirs, beyond = _newest(world), 10_000
    asker = world.asker(WIJKTEAM, role="privacyfunctionaris")
    answers = [await world.send(asker.post("/v1/erasures", _body(asker, index))) for index in (theirs, beyond)]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("group", ["hits", "shielded"])
async def test_what_others_rely_on_is_no_group_that_can_be_named(world: ServedWorld, group: str) -> None:
    """It is refused by its name before anything is looked at, whether the entry holds anything shielded or not."""
    await world.register(GI, CHILD)
    asker = world.asker(GI, role="privacyfunctionaris")
    for index in (_newest(world), 10_000):
        body = {**_body(asker, index), "ranges": [{"first": index, "last": index, "groups": [group]}]}
        refused = await world.send(asker.post("/v1/erasures", body))
        assert (refused.status_code, refused.json()["field"]) == (400, "ranges[0].groups[0]")
