"""Asking and answering through the flows: who may, once, in time, and everything of it recorded."""

import pytest

from broker.domain.errors import (
    FieldRuleError,
    NotFoundError,
    RefusedError,
)
from broker.protocol.errors import MalformedError
from broker.protocol.request_messages import Tell
from tests.simulators.asking import household
from tests.simulators.broker_world import log_size, tasks_of
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import COLLEAGUE, HUISARTS, PROOF, TEXT, Desk, problem_of, shown


async def test_a_question_and_its_answer_travel_from_end_to_end(desk: Desk) -> None:
    """Veilig Thuis asks, the wijkteam reads the question and answers, Veilig Thuis reads the answer; all recorded."""
    request = await desk.sent()
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
    assert problem_of(refused.value) == "refused"
    assert refused.value.document["possible"]
    assert await log_size(desk.world) == 1
    assert shown(await desk.list(by=WIJKTEAM)) == []


async def test_more_than_is_permitted_is_not_sent(desk: Desk) -> None:
    """Content, level 4, without an account of why it is needed is refused with its own words; nothing is sent."""
    with pytest.raises(RefusedError) as refused:
        await desk.send(desk.request(level=4))
    assert problem_of(refused.value) == "level-not-permitted"
    request = await desk.sent()
    with pytest.raises(RefusedError) as refused:
        await desk.answer(request, desk.reply(request, categories=["hulp"], grounds=["CVP"]))
    assert problem_of(refused.value) == "refused"


@pytest.mark.parametrize(
    ("kind", "state"), [("part", "part"), ("oral", "oral"), ("declined", "declined"), ("all", "answered")]
)
async def test_every_way_to_answer_is_a_state(desk: Desk, kind: str, state: str) -> None:
    """All, part, orally, or not shared: the asker reads which, and for the last two there is nothing to open."""
    request = await desk.sent(categories=["hulp", "veiligheid"])
    categories = [] if kind == "declined" else ["hulp", "veiligheid"] if kind == "all" else ["hulp"]
    answered = await desk.answer(request, desk.reply(request, kind=kind, categories=categories))
    assert shown(answered)[0]["state"] == state
    read = await desk.fetch(request, by=VEILIG_THUIS)
    assert (read.result["box"] is None) == (kind in ("oral", "declined"))


async def test_not_sharing_has_no_consequence(desk: Desk) -> None:
    """Who declines gives a reason code; no task or flag follows, and the words say that it is allowed."""
    request = await desk.sent()
    before = tasks_of(desk.world)
    answered = await desk.answer(request, desk.reply(request, kind="declined"))
    assert answered.result["text"] == {"id": "letter.reply.declined", "params": {}}
    assert tasks_of(desk.world) == before


async def test_a_request_is_answered_once(desk: Desk) -> None:
    """A second answer, also another kind of one, is told as its own problem, recorded, and changes nothing."""
    request = await desk.sent()
    await desk.answer(request, desk.reply(request, kind="declined"))
    with pytest.raises(RefusedError) as refused:
        await desk.answer(request, desk.reply(request))
    assert problem_of(refused.value) == "request-already-answered"
    assert shown(await desk.list(by=WIJKTEAM))[0]["state"] == "declined"
    assert await log_size(desk.world) == 4


async def test_nothing_is_answered_after_a_withdrawal_or_the_last_day(desk: Desk) -> None:
    """Each is its own problem; the last day itself still counts."""
    gone, late = await desk.sent(), await desk.sent()
    await desk.withdraw(gone)
    with pytest.raises(RefusedError) as refused:
        await desk.answer(gone, desk.reply(gone))
    assert problem_of(refused.value) == "request-withdrawn"
    with pytest.raises(RefusedError) as refused:
        await desk.withdraw(gone)
    assert problem_of(refused.value) == "request-withdrawn"
    desk.world.clock.move(3 * 86_400)
    assert shown(await desk.list(by=WIJKTEAM, after=min(gone, late)))[-1]["state"] in ("sent", "withdrawn")
    desk.world.clock.move(86_400)
    with pytest.raises(RefusedError) as refused:
        await desk.answer(late, desk.reply(late))
    assert problem_of(refused.value) == "request-expired"
    with pytest.raises(RefusedError) as refused:
        await desk.forward(late)
    assert problem_of(refused.value) == "request-expired"
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(late, by=WIJKTEAM)
    assert problem_of(refused.value) == "letter-withheld"


async def test_a_personal_question_is_answered_by_who_was_named(desk: Desk) -> None:
    """At a huisarts nobody answers, or reads, before somebody is named; then he alone, and he alone passes it on."""
    request = await desk.sent(to=HUISARTS)
    body = desk.reply(request, by=HUISARTS)
    for act in (desk.answer(request, body, by=HUISARTS), desk.fetch(request, by=HUISARTS)):
        with pytest.raises(RefusedError) as refused:
            await act
        assert problem_of(refused.value) == "request-needs-named-worker"
    named = await desk.forward(request, by=HUISARTS, who=COLLEAGUE)
    assert (shown(named)[0]["worker"], shown(named)[0]["state"]) == (COLLEAGUE, "forwarded")
    for act in (
        desk.answer(request, desk.reply(request, by=HUISARTS), by=HUISARTS),
        desk.fetch(request, by=HUISARTS),
        desk.forward(request, by=HUISARTS, who=None),
    ):
        with pytest.raises(RefusedError) as refused:
            await act
        assert problem_of(refused.value) == "request-for-another-worker"
    asker_reads = shown(await desk.list(by=VEILIG_THUIS))[0]
    assert (asker_reads["worker"], asker_reads["state"]) == (None, "sent")
    assert (await desk.fetch(request, by=HUISARTS, worker=COLLEAGUE)).result["of"] == "request"
    answered = await desk.answer(request, desk.reply(request, by=HUISARTS), by=HUISARTS, worker=COLLEAGUE)
    assert shown(answered)[0]["state"] == "answered"


async def test_a_question_to_a_team_is_anybodys_there(desk: Desk) -> None:
    """Where no professional secrecy binds one person, a colleague of the team answers what was passed to a team."""
    request = await desk.sent()
    await desk.forward(request)
    answered = await desk.answer(request, desk.reply(request), worker=COLLEAGUE)
    assert shown(answered)[0]["state"] == "answered"
    with pytest.raises(RefusedError) as refused:
        await desk.forward(request)
    assert problem_of(refused.value) == "request-already-answered"


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
    request = await desk.sent(signalId=signal)
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
    with pytest.raises(FieldRuleError):
        await desk.answer(request, desk.reply(request, by=VEILIG_THUIS, categories=["veiligheid"]), by=VEILIG_THUIS)


async def test_a_telling_may_be_taken_back_until_it_is_fetched(desk: Desk) -> None:
    """What was withdrawn is not handed out."""
    body = desk.telling(HUISARTS)
    await desk.send(body, by=HUISARTS)
    await desk.withdraw(str(body["idempotencyKey"]), by=HUISARTS)
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(str(body["idempotencyKey"]), by=VEILIG_THUIS)
    assert problem_of(refused.value) == "letter-withheld"


async def test_feedback_to_the_reporter_has_no_content(desk: Desk) -> None:
    """Veilig Thuis tells a reporter which steps it took: level 2, codes only, on its own ground."""
    told = {"grounds": ["WMO-4.1.1-2-G"], "proof": PROOF, "categories": ["terugkoppeling"], "level": 2}
    body = desk.telling(VEILIG_THUIS, SCHOOL, **told)
    await desk.post(Tell, body, by=VEILIG_THUIS)
    fetched = await desk.fetch(str(body["idempotencyKey"]), by=SCHOOL)
    assert desk.opened(fetched, by=SCHOOL, sender=VEILIG_THUIS).text == ""


async def test_nothing_is_noted_of_what_was_not_handed_out(desk: Desk) -> None:
    """A delivery is confirmed by who was handed something, and by nobody before."""
    request = await desk.sent()
    for by in (WIJKTEAM, VEILIG_THUIS):
        with pytest.raises(MalformedError):
            await desk.note(request, "delivered", by=by)
