"""The routes of the review: signed like every other, read once, and each answer with its receipt."""

import json

import httpx
import pytest

from broker.api.wire import ANSWER_BYTES
from broker.protocol.request_signing import Target
from tests.simulators.asking import BROKER, PUBLIC_URL, Sent, household
from tests.simulators.enrolled import GI, request_token
from tests.simulators.served_world import ServedWorld

READS = (
    "/queue",
    "/acts",
    "/own-acts",
    "/thresholds",
    "/accounts",
    "/reports/2026-11",
    "/notes/verdicts",
    "/notes/log-checks",
    "/erasures",
    "/erasures?after=0&use=print",
)
DAY = 86_400


async def ask(
    world: ServedWorld, path: str, *, body: dict[str, object] | None = None, role: str = "privacyfunctionaris"
) -> httpx.Response:
    """Return the answer to a reviewer's request."""
    asker, method = world.asker(GI), "GET" if body is None else "POST"
    raw = b"" if body is None else json.dumps(asker.command(**body)).encode()
    target = Target(audience=BROKER, method=method, url=f"{PUBLIC_URL}/v1/review{path}")
    signed = request_token(GI, target=target, body=raw, jti=asker.id(), now=world.clock.now(), role=role)
    headers = {"Authorization": f"Sluis {signed}"}
    return await world.send(Sent(method=method, path=f"/v1/review{path}", body=raw, headers=headers))


async def test_a_reviewer_reads_over_the_api(world: ServedWorld) -> None:
    """Every list comes padded, with a receipt, and leaves an entry."""
    signal_id = (await world.register(GI, household(subject="child"))).json()["result"]["signalId"]
    for path in (*READS, f"/households/{signal_id}"):
        before = world.leaves
        answer = await ask(world, path)
        assert answer.status_code == 200, (path, answer.text)
        assert len(answer.content) in ANSWER_BYTES
        assert set(answer.json()) == {"result", "receipt", "padding"}
        assert world.leaves == before + 1
    assert (await ask(world, "/own-acts", role="worker")).status_code == 200
    assert (await ask(world, "/queue", role="worker")).json()["type"] == "urn:sluis:problem:role-not-allowed"


async def test_a_reviewer_states_over_the_api(world: ServedWorld) -> None:
    """A verdict, what the FG thinks of it, a threshold, a sample and a log check each answer with a receipt."""
    await world.register(GI, household(subject="child"))
    judged = await ask(world, "/verdicts", body={"act": 1, "verdict": "in_order", "reason": "other"})
    assert judged.status_code == 200, judged.text
    (note,) = (await ask(world, "/notes/verdicts")).json()["result"]["notes"]
    again = {"verdict": note["index"], "agrees": True}
    assert (await ask(world, "/rejudgements", body=again, role="fg")).status_code == 200
    change = {"name": "repeats", "value": 4, "reason": "work_changed"}
    assert (await ask(world, "/thresholds", body=change)).status_code == 200
    refused = await ask(world, "/samples", body={"month": "2026-11"})
    assert (refused.status_code, refused.json()["field"], refused.json()["rule"]) == (400, "month", "is not over")
    checked = {"size": 1, "root": "0" * 64, "holds": True}
    assert (await ask(world, "/log-checks", body=checked)).json()["field"] == "root"
    assert (await ask(world, "/log-checks", body={**checked, "holds": False})).status_code == 200
    world.clock.move(40 * DAY)
    closed = await ask(world, "/samples", body={"month": "2026-11"})
    assert closed.json()["result"]["sample"]["population"] == [1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=x", "since"),
        ("until=-1", "until"),
        ("since=5&until=4", "since"),
        ("since=0&until=99999999", "since"),
        ("after=%31%ff", "after"),
        ("worker=a%20b", "worker"),
        ("use=sell", "use"),
        ("unknown=1", "query"),
        ("use=view&use=print", "query"),
        ("since=99999999999999", "since"),
    ],
)
async def test_a_query_that_breaks_a_rule_is_named(world: ServedWorld, query: str, field: str) -> None:
    """A parameter is refused by its name and rule, never with its value, and nothing is recorded."""
    before = world.leaves
    answer = await ask(world, f"/acts?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert world.leaves == before


async def test_filters_and_uses_reach_the_flow(world: ServedWorld) -> None:
    """What is asked for is what is read."""
    await world.register(GI, household(subject="child"))
    now = world.clock.now()
    query = f"since={now - 5}&until={now + 5}&kind=signal&outcome=nothing&use=export&after=0"
    acts = (await ask(world, f"/acts?{query}")).json()["result"]["acts"]
    assert [one["kind"] for one in acts] == ["signal"]
    assert (await ask(world, f"/acts?{query}&purpose=none")).json()["result"]["acts"] == []
    assert (await ask(world, "/queue?use=print")).status_code == 200


@pytest.mark.parametrize("path", ["/notes/secrets", "/reports/2026-13", "/reports/x", "/households/x"])
async def test_what_is_not_there_is_not_found(world: ServedWorld, path: str) -> None:
    """An unknown list, month or signal is answered as whatever does not exist."""
    assert (await ask(world, path)).json()["type"] == "urn:sluis:problem:not-found"
