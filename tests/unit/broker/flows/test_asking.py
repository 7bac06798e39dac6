"""Asking and answering through the flows: who may, once, in time, and everything of it recorded."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import (
    BundleNotInForceError,
    FieldRuleError,
    NotFoundError,
    ReceiverUnknownError,
    RefusedError,
    RoleNotAllowedError,
)
from broker.flows.policy import PolicyInForce
from broker.protocol.errors import MalformedError
from broker.protocol.request_messages import SendRequest, Tell
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, log_size, requester, tasks_of
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import COLLEAGUE, HUISARTS, PROOF, TEXT, Desk, shown


@pytest.fixture(params=DATABASES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on each database, and the organisations that use it."""
    async with a_world(request.param, tmp_path, policy=policy) as world:
        yield Desk(world)


async def _sent(desk: Desk, to: str = WIJKTEAM, **changed: Any) -> str:  # noqa: ANN401 - members of a body
    body = desk.request(to=to, **changed)
    sent = await desk.send(body)
    assert sent.result["outcome"] == "sent"
    return str(body["idempotencyKey"])


def _problem(refused: pytest.ExceptionInfo[RefusedError]) -> str:
    return str(refused.value.document["type"]).removeprefix("urn:sluis:problem:")


async def test_a_question_and_its_answer_travel_from_end_to_end(desk: Desk) -> None:
    """Veilig Thuis asks, the wijkteam reads the question and answers, Veilig Thuis reads the answer; all recorded."""
    request = await _sent(desk)
    asked = await desk.fetch(request, by=WIJKTEAM)
    assert desk.opened(asked, by=WIJKTEAM, sender=VEILIG_THUIS).text == TEXT
    assert shown(await desk.list(by=VEILIG_THUIS))[0]["state"] == "delivery_unknown"
    await desk.note(request, "opened", by=WIJKTEAM)
    assert shown(await desk.list(by=VEILIG_THUIS))[0]["state"] == "delivered"
    await desk.answer(request, desk.reply(request))
    (known,) = shown(await desk.list(by=VEILIG_THUIS))
    assert (known["state"], known["answer"]["delivery"]) == ("answered", "waiting")
    told = await desk.fetch(request, by=VEILIG_THUIS)
    assert desk.opened(told, by=VEILIG_THUIS, sender=WIJKTEAM).text == "Sinds maart wekelijks."
    assert shown(told)[0]["answer"]["delivery"] == "unknown"
    after = await desk.note(request, "opened", by=VEILIG_THUIS)
    assert shown(after)[0]["answer"]["delivery"] == "opened"
    again = await desk.note(request, "delivered", by=VEILIG_THUIS)
    assert shown(again)[0]["answer"]["delivery"] == "opened"
    assert await log_size(desk.world) == 10
    assert {task.kind for task in tasks_of(desk.world)} == {"informeer_betrokkene"}


async def test_what_is_decided_is_recorded_with_its_request(desk: Desk) -> None:
    """A question without a proof is refused openly with what is possible, and that is an entry of its own."""
    with pytest.raises(RefusedError) as refused:
        await desk.send(desk.request(proof=None))
    assert _problem(refused) == "refused"
    assert refused.value.document["possible"]
    assert await log_size(desk.world) == 1
    assert shown(await desk.list(by=WIJKTEAM)) == []


async def test_more_than_is_permitted_is_not_sent(desk: Desk) -> None:
    """Content, level 4, without an account of why it is needed is refused with its own words; nothing is sent."""
    with pytest.raises(RefusedError) as refused:
        await desk.send(desk.request(level=4))
    assert _problem(refused) == "level-not-permitted"
    request = await _sent(desk)
    with pytest.raises(RefusedError) as refused:
        await desk.answer(request, desk.reply(request, categories=["hulp"], grounds=["CVP"]))
    assert _problem(refused) == "refused"


@pytest.mark.parametrize(
    ("kind", "state"), [("part", "part"), ("oral", "oral"), ("declined", "declined"), ("all", "answered")]
)
async def test_every_way_to_answer_is_a_state(desk: Desk, kind: str, state: str) -> None:
    """All, part, orally, or not shared: the asker reads which, and for the last two there is nothing to open."""
    request = await _sent(desk, categories=["hulp", "veiligheid"])
    categories = [] if kind == "declined" else ["hulp", "veiligheid"] if kind == "all" else ["hulp"]
    answered = await desk.answer(request, desk.reply(request, kind=kind, categories=categories))
    assert shown(answered)[0]["state"] == state
    read = await desk.fetch(request, by=VEILIG_THUIS)
    assert (read.result["box"] is None) == (kind in ("oral", "declined"))


async def test_not_sharing_has_no_consequence(desk: Desk) -> None:
    """Who declines gives a reason code; no task or flag follows, and the words say that it is allowed."""
    request = await _sent(desk)
    before = tasks_of(desk.world)
    answered = await desk.answer(request, desk.reply(request, kind="declined"))
    assert answered.result["text"] == {"id": "letter.reply.declined", "params": {}}
    assert tasks_of(desk.world) == before


async def test_a_request_is_answered_once(desk: Desk) -> None:
    """A second answer, also another kind of one, is told as its own problem, recorded, and changes nothing."""
    request = await _sent(desk)
    await desk.answer(request, desk.reply(request, kind="declined"))
    with pytest.raises(RefusedError) as refused:
        await desk.answer(request, desk.reply(request))
    assert _problem(refused) == "request-already-answered"
    assert shown(await desk.list(by=WIJKTEAM))[0]["state"] == "declined"
    assert await log_size(desk.world) == 4


async def test_nothing_is_answered_after_a_withdrawal_or_the_last_day(desk: Desk) -> None:
    """Each is its own problem; the last day itself still counts."""
    gone, late = await _sent(desk), await _sent(desk)
    await desk.withdraw(gone)
    with pytest.raises(RefusedError) as refused:
        await desk.answer(gone, desk.reply(gone))
    assert _problem(refused) == "request-withdrawn"
    with pytest.raises(RefusedError) as refused:
        await desk.withdraw(gone)
    assert _problem(refused) == "request-withdrawn"
    desk.world.clock.move(3 * 86_400)
    assert shown(await desk.list(by=WIJKTEAM, after=min(gone, late)))[-1]["state"] in ("sent", "withdrawn")
    desk.world.clock.move(86_400)
    with pytest.raises(RefusedError) as refused:
        await desk.answer(late, desk.reply(late))
    assert _problem(refused) == "request-expired"
    with pytest.raises(RefusedError) as refused:
        await desk.forward(late)
    assert _problem(refused) == "request-expired"
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(late, by=WIJKTEAM)
    assert _problem(refused) == "letter-withheld"


async def test_a_personal_question_is_answered_by_who_was_named(desk: Desk) -> None:
    """At a huisarts nobody answers, or reads, before somebody is named; then he alone, and he alone passes it on."""
    request = await _sent(desk, to=HUISARTS)
    body = desk.reply(request, by=HUISARTS)
    for act in (desk.answer(request, body, by=HUISARTS), desk.fetch(request, by=HUISARTS)):
        with pytest.raises(RefusedError) as refused:
            await act
        assert _problem(refused) == "request-needs-named-worker"
    named = await desk.forward(request, by=HUISARTS, who=COLLEAGUE)
    assert (shown(named)[0]["worker"], shown(named)[0]["state"]) == (COLLEAGUE, "forwarded")
    for act in (
        desk.answer(request, desk.reply(request, by=HUISARTS), by=HUISARTS),
        desk.fetch(request, by=HUISARTS),
        desk.forward(request, by=HUISARTS, who=None),
    ):
        with pytest.raises(RefusedError) as refused:
            await act
        assert _problem(refused) == "request-for-another-worker"
    asker_reads = shown(await desk.list(by=VEILIG_THUIS))[0]
    assert (asker_reads["worker"], asker_reads["state"]) == (None, "delivered")
    assert (await desk.fetch(request, by=HUISARTS, worker=COLLEAGUE)).result["of"] == "request"
    answered = await desk.answer(request, desk.reply(request, by=HUISARTS), by=HUISARTS, worker=COLLEAGUE)
    assert shown(answered)[0]["state"] == "answered"


async def test_a_question_to_a_team_is_anybodys_there(desk: Desk) -> None:
    """Where no professional secrecy binds one person, a colleague of the team answers what was passed to a team."""
    request = await _sent(desk)
    await desk.forward(request)
    answered = await desk.answer(request, desk.reply(request), worker=COLLEAGUE)
    assert shown(answered)[0]["state"] == "answered"
    with pytest.raises(RefusedError) as refused:
        await desk.forward(request)
    assert _problem(refused) == "request-already-answered"


async def test_another_organisations_request_is_none(desk: Desk) -> None:
    """For a third organisation, and for the side that does not do this, there is no request; nothing is recorded."""
    request = await _sent(desk)
    size = await log_size(desk.world)
    for act in (
        desk.fetch(request, by=SCHOOL),
        desk.answer(request, desk.reply(request, by=SCHOOL), by=SCHOOL),
        desk.answer(request, desk.reply(request, by=VEILIG_THUIS), by=VEILIG_THUIS),
        desk.forward(request, by=SCHOOL),
        desk.forward(request, by=VEILIG_THUIS),
        desk.withdraw(request, by=WIJKTEAM),
        desk.note(request, "opened", by=SCHOOL),
        desk.fetch("0" * 32, by=WIJKTEAM),
    ):
        with pytest.raises(NotFoundError):
            await act
    assert await log_size(desk.world) == size


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
        {"kind": "oral"},
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
    request = await _sent(desk, categories=["hulp", "veiligheid"])
    whole = {"categories": ["hulp", "veiligheid"], **changed}
    with pytest.raises(FieldRuleError):
        await desk.answer(request, {**desk.reply(request), **whole})


async def test_only_a_worker_of_the_own_roster_is_named(desk: Desk) -> None:
    """A stranger, or an approver who is no worker, is not who answers; and only a worker asks."""
    request = await _sent(desk)
    for who in ("stranger", "approver-1000"):
        with pytest.raises(FieldRuleError):
            await desk.forward(request, who=who)
    approver = requester(desk.asker(VEILIG_THUIS), role="approver")
    with pytest.raises(RoleNotAllowedError):
        await desk.post(SendRequest, desk.request(), by=VEILIG_THUIS, who=approver)


async def test_the_same_request_is_sent_once(desk: Desk) -> None:
    """One idempotency key, one letter: asked again the same answer comes, and nothing is stored twice."""
    body = desk.request()
    first, second = await desk.send(body), await desk.send(body)
    assert (first.result, second.replayed) == (second.result, True)
    assert len(shown(await desk.list(by=WIJKTEAM))) == 1


async def test_a_question_on_an_own_signal_says_which_and_is_found_by_it(desk: Desk) -> None:
    """It may rest on an own active signal; without a proof an own signal is not enough for Veilig Thuis."""
    registered = await desk.world.register(desk.asker(VEILIG_THUIS), household(subject="child"))
    signal = str(registered.result["signalId"])
    request = await _sent(desk, signalId=signal)
    with pytest.raises(RefusedError):
        await desk.send(desk.request(signalId=signal, proof=None))
    stranger = await desk.world.register(desk.asker(GI), household(subject="other"))
    with pytest.raises(NotFoundError):
        await desk.send(desk.request(signalId=stranger.result["signalId"]))
    assert shown(await desk.fetch(request, by=WIJKTEAM))[0]["purpose"] == "vt-melding"


async def test_a_proof_that_has_lapsed_opens_nothing(desk: Desk) -> None:
    """A melding counts for ten weeks; after that asking is refused."""
    with pytest.raises(RefusedError):
        await desk.send(desk.request(proof={**PROOF, "since": "2026-01-05"}))


async def test_what_is_told_unasked_waits_for_its_receiver(desk: Desk) -> None:
    """A huisarts tells Veilig Thuis on a statutory right; it is fetched and opened there, and cannot be answered."""
    body = desk.telling(HUISARTS)
    told = await desk.send(body, by=HUISARTS)
    assert told.result["text"] == {"id": "letter.told", "params": {}}
    request = str(body["idempotencyKey"])
    fetched = await desk.fetch(request, by=VEILIG_THUIS)
    assert fetched.result["of"] == "telling"
    assert desk.opened(fetched, by=VEILIG_THUIS, sender=HUISARTS).text == TEXT
    for act in (
        desk.answer(request, desk.reply(request, by=VEILIG_THUIS, categories=["veiligheid"]), by=VEILIG_THUIS),
        desk.forward(request, by=VEILIG_THUIS),
    ):
        with pytest.raises(RefusedError) as refused:
            await act
        assert _problem(refused) == "request-already-answered"


async def test_a_telling_may_be_taken_back_until_it_is_fetched(desk: Desk) -> None:
    """What was withdrawn is not handed out."""
    body = desk.telling(HUISARTS)
    await desk.send(body, by=HUISARTS)
    await desk.withdraw(str(body["idempotencyKey"]), by=HUISARTS)
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(str(body["idempotencyKey"]), by=VEILIG_THUIS)
    assert _problem(refused) == "letter-withheld"


async def test_feedback_to_the_reporter_has_no_content(desk: Desk) -> None:
    """Veilig Thuis tells a reporter which steps it took: level 2, codes only, on its own ground."""
    told = {"grounds": ["WMO-4.1.1-2-G"], "proof": PROOF, "categories": ["terugkoppeling"], "level": 2}
    body = desk.telling(VEILIG_THUIS, SCHOOL, **told)
    await desk.post(Tell, body, by=VEILIG_THUIS)
    fetched = await desk.fetch(str(body["idempotencyKey"]), by=SCHOOL)
    assert desk.opened(fetched, by=SCHOOL, sender=VEILIG_THUIS).text == ""


async def test_nothing_is_noted_of_what_was_not_handed_out(desk: Desk) -> None:
    """A delivery is confirmed by who was handed something, and by nobody before."""
    request = await _sent(desk)
    for by in (WIJKTEAM, VEILIG_THUIS):
        with pytest.raises(MalformedError):
            await desk.note(request, "delivered", by=by)
