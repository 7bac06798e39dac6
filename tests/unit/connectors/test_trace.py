"""One trace for one question, at every party it goes to, and never for two questions."""

import json
import re

from tests.simulators.partner_world import PartnerWorld
from tests.unit.connectors.cases_by_hand import ASKED, child

TRACE = re.compile(rb"\ntraceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\n")


def traces(world: PartnerWorld) -> list[tuple[str, str, str]]:
    """Return host, trace and step of everything that was sent, each request carrying exactly one."""
    found = []
    for host, sent in world.network.sent:
        head, _, _ = sent.partition(b"\n\n")
        assert head.lower().count(b"trace") == 1  # no tracestate beside it
        ((trace, step),) = TRACE.findall(head + b"\n")
        found.append((host, trace.decode(), step.decode()))
    return found


async def test_custodians_and_broker_get_one_trace_the_batch(world: PartnerWorld) -> None:
    """The trace of a question is its batch, which all of them know already; every request is a step of its own."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED)
    bodies = [sent.partition(b"\n\n")[2] for _, sent in world.network.sent]
    (batch,) = {json.loads(body)["batchId"] for body in bodies if b"batchId" in body}
    sent = traces(world)
    assert len(sent) == 3
    assert {trace for _, trace, _ in sent} == {batch}
    assert len({step for _, _, step in sent}) == 3


async def test_two_questions_share_no_trace(world: PartnerWorld) -> None:
    """Nothing that a worker does next can be joined to what he did before by a trace."""
    async with world.client("gi") as gi:
        for _ in range(2):
            await gi.check(child(), **ASKED)
            await gi.list_signals()
    sent = traces(world)
    of_batches = {trace for _, trace, _ in sent}
    assert len(of_batches) == 4
    assert len({step for _, _, step in sent}) == len(sent)
