"""Not sharing is a right: whose profession has it reads which law gives it, and the asker no more than that."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import DECLINE_REASONS, SendRequest
from tests.simulators.broker_world import a_world
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import COLLEAGUE, HUISARTS, Desk, shown

MEASURE = {"kind": "maatregel", "since": "2026-11-01", "endsOn": "2027-11-01", "reference": "c" * 64}
BY_COURT = {"purpose": "gi-maatregel", "grounds": ["JW-7.3.11-4"], "proof": MEASURE}


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on SQLite: what is told of a refusal is the same on both stores."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield Desk(running)


async def declined(desk: Desk, request: str, *, by: str, sender: str, reason: str) -> dict[str, Any]:
    """Return what somebody is told who does not share, for this reason."""
    if by == HUISARTS:
        await desk.forward(request, by=by, who=COLLEAGUE)
    body = desk.reply(request, by=by, to=sender, kind="declined", reason=reason)
    answered = await desk.answer(request, body, by=by, worker=COLLEAGUE if by == HUISARTS else "")
    return {"text": answered.result["text"], "answer": shown(answered)[0]["answer"]}


async def test_a_huisarts_reads_which_law_is_his_right(desk: Desk) -> None:
    """Who cites professional secrecy reads the article itself; for another reason the sentence is the general one."""
    for reason in DECLINE_REASONS:
        request = await desk.sent(to=HUISARTS)
        told = await declined(desk, request, by=HUISARTS, sender=VEILIG_THUIS, reason=reason)
        cites = reason == "professional_secrecy"
        said = {"id": "letter.reply.declined_secrecy", "params": {"law": "BW 7:457"}}
        assert told["text"] == (said if cites else {"id": "letter.reply.declined", "params": {}})
        assert (told["answer"]["reason"], told["answer"]["law"]) == (reason, "BW 7:457")


async def test_the_asker_reads_the_law_and_the_same_of_every_reason(desk: Desk) -> None:
    """The law follows from what kind of organisation was asked: whatever the reason, the asker's line is the same."""
    lines = []
    for reason in DECLINE_REASONS:
        request = await desk.sent(to=HUISARTS)
        await declined(desk, request, by=HUISARTS, sender=VEILIG_THUIS, reason=reason)
        (line,) = [one for one in shown(await desk.list(by=VEILIG_THUIS)) if one["requestId"] == request]
        assert (line["state"], line["answer"]["reason"], line["answer"]["law"]) == ("declined", None, "BW 7:457")
        lines.append({**line, "requestId": None, "sentAt": None, "answer": {**line["answer"], "answeredAt": None}})
    assert all(line == lines[0] for line in lines)


async def test_no_law_is_cited_where_there_is_none(desk: Desk) -> None:
    """A team without medical secrecy may decline too; nothing is cited of it, nor of what was answered."""
    request = await desk.sent()
    told = await declined(desk, request, by=WIJKTEAM, sender=VEILIG_THUIS, reason="professional_secrecy")
    assert told == {"text": {"id": "letter.reply.declined", "params": {}}, "answer": {**told["answer"], "law": None}}
    request = await desk.sent(to=HUISARTS)
    await desk.forward(request, by=HUISARTS, who=COLLEAGUE)
    body = desk.reply(request, by=HUISARTS)
    answered = await desk.answer(request, body, by=HUISARTS, worker=COLLEAGUE)
    assert shown(answered)[0]["answer"]["law"] is None


async def test_secrecy_is_not_cited_where_the_law_has_one_answer(desk: Desk) -> None:
    """To a guardian with an order of the court one has to answer (Jeugdwet 7.3.11 lid 4): there it is no right."""
    body = desk.request(GI, HUISARTS, **BY_COURT)
    await desk.post(SendRequest, body, by=GI)
    request = str(body["idempotencyKey"])
    told = await declined(desk, request, by=HUISARTS, sender=GI, reason="professional_secrecy")
    assert told["text"]["id"] == "letter.reply.declined"
    assert told["answer"]["law"] is None
