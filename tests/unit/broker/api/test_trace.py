"""The trace of a request stands in its entry and its log line, if no other request can have it, and changes nothing."""

import base64
import json
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest

from broker.protocol.signing_keys import b64url_bytes
from tests.simulators.asking import Sent, household
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.served_world import ServedWorld

FAMILY = household(subject="child", parents=["mother"])
SPAN = "00f067aa0ba902b7"
FOREIGN = "4bf92f3577b34da6a3ce929d0e0e4736"


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, which others verify."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def traced(sent: Sent, trace: str) -> Sent:
    """Return the request with a traceparent of this trace."""
    return replace(sent, headers={**sent.headers, "traceparent": f"00-{trace}-{SPAN}-01"})


def meta(answer: httpx.Response) -> dict[str, Any]:
    """Return the opened `meta` of the receipt of an answer."""
    opening = answer.json()["receipt"]["openings"]["meta"]["payload"]
    found: dict[str, Any] = json.loads(b64url_bytes(opening, field="payload"))
    return found


async def test_the_batch_of_the_tickets_is_the_trace(world: ServedWorld, caplog: pytest.LogCaptureFixture) -> None:
    """The id that custodians, tickets and broker share already is kept, with the step that asked."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    batch = claims(body["tickets"][0])["batch"]
    with caplog.at_level(logging.INFO, logger="sluis.broker"):
        answer = await world.send(traced(asker.post("/v1/signals", body), batch))
    assert meta(answer)["trace"] == {"id": batch, "parent": SPAN}
    (line,) = (json.loads(record.message) for record in caplog.records if record.name == "sluis.broker")
    assert line["trace"] == batch


async def test_a_request_without_tickets_is_known_by_its_token(world: ServedWorld) -> None:
    """Its `jti`, which is used once, is its trace; another request's is not kept."""
    sent = world.asker(WIJKTEAM).get("/v1/signals")
    jti = claims(sent.headers["Authorization"].removeprefix("Sluis "))["jti"]
    assert meta(await world.send(traced(sent, jti)))["trace"] == {"id": jti, "parent": SPAN}
    again = world.asker(WIJKTEAM).get("/v1/signals")
    assert meta(await world.send(traced(again, jti)))["trace"] is None


@pytest.mark.parametrize("header", [f"00-{FOREIGN}-{SPAN}-01", "nonsense", None])
async def test_a_trace_that_could_join_requests_is_not_kept(world: ServedWorld, header: str | None) -> None:
    """A trace of somebody's session, a malformed one and none are alike: the entry has none, the answer is the same."""
    asker = world.asker(WIJKTEAM)
    sent = asker.post("/v1/household-checks", asker.check({**FAMILY, "members": []}))
    answer = await world.send(
        sent if header is None else replace(sent, headers={**sent.headers, "traceparent": header})
    )
    assert answer.status_code == 403  # no standing: a refusal is recorded too
    assert meta(answer)["trace"] is None


async def test_a_trace_changes_no_header_and_no_length(world: ServedWorld) -> None:
    """An answer to a traced request has the status, headers and length of one without, and no trace of its own."""
    answers = []
    for trace in (None, FOREIGN, "batch"):
        asker = world.asker(WIJKTEAM)
        body = asker.registration(household(subject=f"child {trace}"))
        sent, batch = asker.post("/v1/signals", body), claims(body["tickets"][0])["batch"]
        chosen = {None: None, "batch": batch}.get(trace, trace)
        answers.append(await world.send(sent if chosen is None else traced(sent, chosen)))
    assert len({(one.status_code, len(one.content), tuple(one.headers.items())) for one in answers}) == 1
    assert "traceparent" not in answers[0].headers
    assert "traceresponse" not in answers[0].headers
