"""The rules of letters and answers themselves: what breaks one is told, and has no effect."""

from typing import Any

import pytest

from broker.domain.errors import (
    BundleNotInForceError,
    FieldRuleError,
    NotFoundError,
    ReceiverUnknownError,
    RoleNotAllowedError,
)
from broker.protocol.request_messages import SendRequest, wire_box
from tests.simulators.broker_world import log_size, requester
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import Desk
from tests.unit.broker.flows.noted_log import recorded


async def test_another_organisations_request_is_none(desk: Desk) -> None:
    """For a third organisation, and for the side that does not do this, there is no request; nothing is recorded."""
    request = await desk.sent()
    size = await log_size(desk.world)
    for act in (
        desk.fetch(request, by=SCHOOL),
        desk.forward(request, by=SCHOOL),
        desk.forward(request, by=VEILIG_THUIS),
        desk.withdraw(request, by=WIJKTEAM),
        desk.note(request, "opened", by=SCHOOL),
        desk.fetch("0" * 32, by=WIJKTEAM),
    ):
        with pytest.raises(NotFoundError):
            await act
    assert await log_size(desk.world) == size


async def test_answering_what_is_not_ones_own_is_recorded(desk: Desk) -> None:
    """Another's request, one's own and none at all: each an unknown id, each an entry that says no more than that."""
    request, nobodys = await desk.sent(), "0" * 32
    proposals = recorded(desk.world)
    for named, by in ((request, SCHOOL), (request, VEILIG_THUIS), (nobodys, SCHOOL)):
        for _ in range(2):
            body = desk.reply(named, by=by)
            with pytest.raises(NotFoundError):
                await desk.answer(named, body, by=by)
    entries = [(one.kind, one.payloads["meta"]["outcome"], one.payloads["meta"]["reason"]) for one in proposals]
    assert entries == [("answer", "refused", "not-found")] * 6
    assert [one.payloads["subject"]["request"] for one in proposals[::2]] == [request, request, nobodys]
    others, none = proposals[0], proposals[4]
    assert others.payloads["hits"] == none.payloads["hits"]
    assert all(one.answer is None and not one.changes for one in proposals)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"to": VEILIG_THUIS}, ReceiverUnknownError),
        ({"to": "00000099000000099000"}, ReceiverUnknownError),
        ({"toTeam": "team-9"}, ReceiverUnknownError),
        ({"bundle": "0" * 64}, BundleNotInForceError),
        ({"categories": ["hulp", "hulp"]}, FieldRuleError),
        ({"expiresOn": "2026-11-21"}, FieldRuleError),
        ({"expiresOn": "2026-12-07"}, FieldRuleError),
        ({"signalId": "0" * 32}, NotFoundError),
    ],
)
async def test_a_letter_that_breaks_a_rule_of_its_own_is_not_sent(
    desk: Desk, changed: dict[str, Any], error: type[Exception]
) -> None:
    """Receiver, policy, categories, term and own signal must hold; nothing is recorded and nothing waits."""
    body = {**desk.request(), **changed}
    with pytest.raises(error):
        await desk.send(body)
    assert await log_size(desk.world) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"box": None},
        {"kind": "oral", "box": wire_box(bytes(4096))},
        {"kind": "oral", "box": None, "chunks": ["0" * 64]},
        {"reason": "other"},
        {"categories": []},
        {"categories": ["gezondheid"]},
        {"categories": ["hulp"]},
        {"level": 4},
        {"level": 0},
        {"grounds": []},
        {"kind": "declined", "box": None},
        {"kind": "declined", "box": None, "reason": "other", "categories": ["hulp"], "level": 0, "grounds": []},
    ],
)
async def test_an_answer_whose_members_do_not_fit_is_refused(desk: Desk, changed: dict[str, Any]) -> None:
    """An answer stays within the question, and its members fit its kind."""
    request = await desk.sent(categories=["hulp", "veiligheid"])
    whole = {"categories": ["hulp", "veiligheid"], **changed}
    with pytest.raises(FieldRuleError):
        await desk.answer(request, {**desk.reply(request), **whole})


async def test_only_a_worker_of_the_own_roster_is_named(desk: Desk) -> None:
    """A stranger, or an approver who is no worker, is not who answers; and only a worker asks."""
    request = await desk.sent()
    for who in ("stranger", "approver-1000"):
        with pytest.raises(FieldRuleError):
            await desk.forward(request, who=who)
    approver = requester(desk.asker(VEILIG_THUIS), role="approver")
    with pytest.raises(RoleNotAllowedError):
        await desk.post(SendRequest, desk.request(), by=VEILIG_THUIS, who=approver)
