"""Letters are told of by the rule they are fetched by, kept from who is kept from their household, or not sent."""

import datetime
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import NotDoneError, NotFoundError, RefusedError
from broker.flows import list_requests
from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import SendRequest
from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, documents, exclude
from tests.simulators.citing import BUURTTEAM, MEETING, VT, asking_with_consent, citing, consent, told_in_meeting
from tests.simulators.consenting import answer, withdrawn
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.requesting import Desk, problem_of, shown
from tests.unit.broker.flows.noted_log import recorded

DAY = 86_400
RELATIVE = "relative"


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core with parties to an agreement under which one asks with consent too."""
    async with a_world("sqlite", tmp_path, policy=asking_with_consent(policy)) as running:
        yield citing(running)


async def line(desk: Desk, request: str, *, by: str) -> dict[str, Any]:
    """Return how this side reads a letter in its list."""
    (one,) = [one for one in shown(await desk.list(by=by)) if one["requestId"] == request]
    return one


def about(one: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a line tells of what the letter is about."""
    return one["purpose"], one["grounds"], one["categories"], one["level"]


async def refused(act: Any) -> str:  # noqa: ANN401 - whatever is refused
    """Return the problem of an act that is refused and recorded."""
    with pytest.raises(RefusedError) as refusal:
        await act
    return problem_of(refusal.value)


async def signal_of(desk: Desk, by: str) -> str:
    """Return an own signal about the same child."""
    registered = await desk.world.register(desk.asker(by), household(subject="a"))
    return str(registered.result["signalId"])


async def asked_and_answered(desk: Desk) -> tuple[str, str, str]:
    """Return the signals on which both sides rest, and a request of Veilig Thuis that the wijkteam answered."""
    asked, held = await signal_of(desk, VEILIG_THUIS), await signal_of(desk, WIJKTEAM)
    request = await desk.sent(signalId=asked)
    await desk.answer(request, desk.reply(request, signalId=held))
    return asked, held, request


async def test_a_yes_that_ran_out_is_in_no_list(desk: Desk) -> None:
    """What nobody fetched while the yes held is told of no more than that it was sent, as its fetch says."""
    soon = (desk.today + datetime.timedelta(days=1)).isoformat()
    body = told_in_meeting(desk, await consent(desk, answers=[answer(until=soon)]))
    await desk.send(body, by=BUURTTEAM)
    desk.world.clock.move(DAY)
    assert (await line(desk, body["idempotencyKey"], by=VT))["state"] == "sent"
    desk.world.clock.move(DAY)
    late = await line(desk, body["idempotencyKey"], by=VT)
    assert (late["state"], about(late)) == ("withheld", (None, [], [], 0))
    assert await refused(desk.fetch(body["idempotencyKey"], by=VT)) == "letter-withheld"


@pytest.mark.parametrize("kind", ["all", "oral"])
async def test_an_answer_on_a_yes_that_ran_out_is_in_no_list(desk: Desk, kind: str) -> None:
    """The asker reads that it is withheld: not how it was answered, in which categories or on which ground."""
    soon = (desk.today + datetime.timedelta(days=1)).isoformat()
    asked = await consent(desk, by=VT, parties=[BUURTTEAM])
    told = await consent(desk, answers=[answer(until=soon)])
    question = desk.request(VT, BUURTTEAM, **{**MEETING, "consentId": asked})
    await desk.post(SendRequest, question, by=VT)
    request = question["idempotencyKey"]
    body = desk.reply(request, by=BUURTTEAM, to=VT, grounds=["TOEST"], consentId=told, kind=kind)
    await desk.answer(request, body, by=BUURTTEAM)
    assert (await line(desk, request, by=VT))["answer"]["grounds"] == ["TOEST"]
    desk.world.clock.move(2 * DAY)
    late = await line(desk, request, by=VT)
    assert (late["state"], late["answer"]) == ("withheld", None)
    if kind == "oral":
        (fetched,) = shown(await desk.fetch(request, by=VT))
        assert (fetched["state"], fetched["answer"]) == ("withheld", None)


async def test_an_oral_answer_that_cites_nothing_stays_told(desk: Desk) -> None:
    """It was given when it might be: that the term of the question is over takes nothing back."""
    request = await desk.sent()
    await desk.answer(request, desk.reply(request, kind="oral"))
    desk.world.clock.move(12 * DAY)
    assert (await line(desk, request, by=VEILIG_THUIS))["answer"]["kind"] == "oral"


async def test_passing_on_tells_no_more_than_a_list(desk: Desk) -> None:
    """A question on a yes that ran out is passed on to the right team without what it was about."""
    soon = (desk.today + datetime.timedelta(days=1)).isoformat()
    asked = await consent(desk, by=VT, parties=[BUURTTEAM], answers=[answer(until=soon)])
    question = desk.request(VT, BUURTTEAM, **{**MEETING, "consentId": asked})
    await desk.post(SendRequest, question, by=VT)
    desk.world.clock.move(2 * DAY)
    (passed,) = shown(await desk.forward(question["idempotencyKey"], by=BUURTTEAM))
    assert about(passed) == (None, [], [], 0)


@pytest.mark.parametrize("whose", [VEILIG_THUIS, WIJKTEAM])
async def test_who_is_kept_from_the_household_finds_no_letter_about_it(desk: Desk, whose: str) -> None:
    """Family who works at either side: not in his list, not fetched, and no act on it, whatever id he guesses."""
    asked, held, request = await asked_and_answered(desk)
    await exclude(desk.world, {VEILIG_THUIS: asked, WIJKTEAM: held}[whose], organisation=whose, worker=RELATIVE)
    proposals = recorded(desk.world)
    assert shown(await desk.list(by=whose, worker=RELATIVE)) == []
    size = len(proposals)
    for act in (desk.fetch, desk.forward) if whose == WIJKTEAM else (desk.fetch,):
        with pytest.raises(NotFoundError):
            await act(request, by=whose, worker=RELATIVE)
    assert len(proposals) == size
    assert [one["requestId"] for one in shown(await desk.list(by=whose))] == [request]


async def test_nobody_answers_on_a_signal_that_is_kept_from_him(desk: Desk) -> None:
    """Its id, named by who is kept from it, is an unknown id: nothing is sent, and a colleague still answers on it."""
    held = await signal_of(desk, WIJKTEAM)
    request = await desk.sent(signalId=await signal_of(desk, VEILIG_THUIS))
    await exclude(desk.world, held, organisation=WIJKTEAM, worker=RELATIVE)
    for signal_id in (held, "0" * 32):
        with pytest.raises(NotFoundError):
            await desk.answer(request, desk.reply(request, signalId=signal_id), worker=RELATIVE)
    assert (await line(desk, request, by=VEILIG_THUIS))["state"] != "answered"
    await desk.answer(request, desk.reply(request, signalId=held))
    assert (await line(desk, request, by=VEILIG_THUIS))["state"] == "answered"


async def test_a_page_is_filled_with_letters_that_are_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that are kept from a worker take no place in his list."""
    monkeypatch.setattr(list_requests, "REQUESTS_PER_PAGE", 2)
    asked = await signal_of(desk, VEILIG_THUIS)
    kept = [await desk.sent(signalId=asked) for _ in range(3)]
    plain = [await desk.sent() for _ in range(3)]
    await exclude(desk.world, asked, organisation=VEILIG_THUIS, worker=RELATIVE)
    found: list[str] = []
    page = shown(await desk.list(by=VEILIG_THUIS, worker=RELATIVE))
    while page:
        assert len(page) == 2 or len(found) == 2
        found += [one["requestId"] for one in page]
        page = shown(await desk.list(by=VEILIG_THUIS, worker=RELATIVE, after=found[-1]))
    assert found == sorted(plain)
    assert not set(kept) & set(found)


@pytest.mark.parametrize("side", [VEILIG_THUIS, WIJKTEAM])
async def test_another_team_neither_reads_nor_answers(desk: Desk, side: str) -> None:
    """Who works for another team is refused openly and recorded, on either side; passed on to his team, he may."""
    one = Worker(sub="one", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-1"}))
    other = replace(one, sub="other", teams=frozenset({"team-2"}))
    desk.world.documents = documents(Enrolled(teams=("team-1", "team-2"), others={side: (one, other)}))
    request = await desk.sent()
    if side == WIJKTEAM:
        assert await refused(desk.fetch(request, by=side, worker="other")) == "request-of-another-team"
        assert await refused(desk.answer(request, desk.reply(request), worker="other")) == "request-of-another-team"
        await desk.forward(request, worker="one", team="team-2")
        assert await refused(desk.fetch(request, by=side, worker="one")) == "request-of-another-team"
        assert (await desk.fetch(request, by=side, worker="other")).result["of"] == "request"
    else:
        await desk.answer(request, desk.reply(request))
        assert await refused(desk.fetch(request, by=side, worker="other")) == "request-of-another-team"
        assert (await desk.fetch(request, by=side, worker="one")).result["of"] == "answer"


@pytest.mark.parametrize("kind", ["all", "oral"])
async def test_what_nobody_could_fetch_is_not_acknowledged(desk: Desk, kind: str) -> None:
    """The asker's signal ended meanwhile: the answer is refused, recorded and stored nowhere; not sharing goes on."""
    asked = await signal_of(desk, VEILIG_THUIS)
    request = await desk.sent(signalId=asked)
    await desk.fetch(request, by=WIJKTEAM)
    await desk.world.withdraw(desk.asker(VEILIG_THUIS), asked, reason="no_longer_needed")
    assert await refused(desk.answer(request, desk.reply(request, kind=kind))) == "request-lapsed"
    assert (await line(desk, request, by=WIJKTEAM))["answer"] is None
    assert (await desk.answer(request, desk.reply(request, kind="declined"))).result["outcome"] == "done"


async def test_a_question_whose_yes_was_taken_back_is_answered_no_more(desk: Desk) -> None:
    """The resident took back what the asker asked on: the holder reads so before anything is sent."""
    asked, told = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    question = desk.request(VT, BUURTTEAM, **{**MEETING, "consentId": asked})
    await desk.post(SendRequest, question, by=VT)
    await withdrawn(desk.world, desk.asker(VT), asked)
    request = question["idempotencyKey"]
    body = desk.reply(request, by=BUURTTEAM, to=VT, grounds=["TOEST"], consentId=told)
    assert await refused(desk.answer(request, body, by=BUURTTEAM)) == "request-lapsed"


async def test_nobody_reads_of_letters_while_nobody_watches_the_log(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a list nor how a question was answered is told on the broker's word alone (ADR 24)."""
    request = await desk.sent()
    await desk.answer(request, desk.reply(request, kind="oral"))
    monkeypatch.setattr(type(desk.world.log), "disclosures_stopped", lambda _: True)
    with pytest.raises(NotDoneError):
        await desk.list(by=VEILIG_THUIS)
    with pytest.raises(NotDoneError):
        await desk.fetch(request, by=VEILIG_THUIS)
