"""Phone calls and oral answers that rest on a consent or an exception: decided as the letter they stand for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import FieldRuleError, NotFoundError, RefusedError
from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import SendRequest
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, exclude, held_in, log_size, requester
from tests.simulators.citing import (
    BUURTTEAM,
    EMERGENCY,
    GI,
    HUISARTS,
    MEETING,
    OTHER_POLICE,
    POLITIE,
    VT,
    asking_with_consent,
    citing,
    consent,
    excepted,
    told_police,
)
from tests.simulators.consenting import answer, withdrawn
from tests.simulators.consenting import recorded as recorded_consent
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.phoning import listed, note, phone_calls_in, start, verify
from tests.simulators.requesting import Desk, problem_of, shown
from tests.unit.broker.flows.deciders import watched
from tests.unit.broker.flows.noted_log import recorded

DAY = 86_400


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core with parties to an agreement under which one asks with consent too; red line 6 has both stores."""
    async with a_world("sqlite", tmp_path, policy=asking_with_consent(policy)) as running:
        yield citing(running)


async def asked(desk: Desk, consent_id: str | None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return the call by which Veilig Thuis asks the wijkteam on this yes."""
    about = {**MEETING, "to": BUURTTEAM, "consentId": consent_id, **changed}
    (call,) = phone_calls_in(await start(desk.world, desk.asker(VT), **about))
    return call


async def told(desk: Desk, exception_id: str | None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Return the call by which the general practitioner tells the police."""
    about = {**EMERGENCY, "to": POLITIE, "exceptionId": exception_id, "kind": "telling", **changed}
    (call,) = phone_calls_in(await start(desk.world, desk.asker(HUISARTS), **about))
    return call


async def noted(desk: Desk, call: dict[str, Any], consent_id: str | None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Return the call once the wijkteam noted that it answered on its own yes."""
    about = {"grounds": ["TOEST"], "consentId": consent_id, **changed}
    (answered,) = phone_calls_in(await note(desk.world, desk.asker(BUURTTEAM), call["callId"], **about))
    return answered


async def refused(act: Any) -> str:  # noqa: ANN401 - whatever is refused
    """Return the problem of an act that is refused and recorded."""
    with pytest.raises(RefusedError) as refusal:
        await act
    assert refusal.value.receipt
    return problem_of(refusal.value)


async def test_a_call_on_a_yes_is_decided_with_it(desk: Desk) -> None:
    """With the consent that it cites a call is announced, and its entry names it; uncited it counts for nothing."""
    cited, proposals = await consent(desk, by=VT, parties=[BUURTTEAM]), recorded(desk.world)
    assert await refused(asked(desk, None)) == "refused"
    call = await asked(desk, cited)
    assert call["code"]
    subject: Any = proposals[-1].payloads["subject"]
    assert subject["consent"] == cited
    (known,) = phone_calls_in(await verify(desk.world, desk.asker(BUURTTEAM), call["code"]))
    assert (known["purpose"], known["grounds"]) == ("casusoverleg", ["TOEST"])


async def test_a_yes_towards_another_calls_nobody_else(desk: Desk) -> None:
    """What names another organisation is no yes for this call; another organisation's own is none at all."""
    elsewhere = await consent(desk, by=VT, parties=[GI])
    assert await refused(asked(desk, elsewhere)) == "refused"
    size = await log_size(desk.world)
    for none_of_theirs in ("0" * 32, await consent(desk)):
        with pytest.raises(NotFoundError):
            await asked(desk, none_of_theirs)
    assert await log_size(desk.world) == size + 1  # the other organisation's record


async def test_a_call_has_exactly_the_facts_of_the_letter(desk: Desk, policy: PolicyInForce) -> None:
    """The same question asked by letter and by telephone is decided on the same facts, and so is an answer to it."""
    asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    desk.world.policy, point = watched(asking_with_consent(policy))
    body = desk.request(VT, BUURTTEAM, **{**MEETING, "level": 3, "consentId": asked_on})
    await desk.post(SendRequest, body, by=VT)
    by_letter = list(point.asked)
    point.asked.clear()
    call = await asked(desk, asked_on)
    assert point.asked == by_letter
    request = body["idempotencyKey"]
    stated: dict[str, Any] = {"grounds": ["TOEST"], "consentId": told_on}
    point.asked.clear()
    await desk.answer(request, desk.reply(request, by=BUURTTEAM, to=VT, **stated), by=BUURTTEAM)
    answered = [facts for facts in point.asked if facts.operation == "share"]
    point.asked.clear()
    await noted(desk, call, told_on)
    assert answered
    assert point.asked[-1] == answered[0] == answered[-1]


async def test_nobody_is_called_who_could_never_tell(desk: Desk) -> None:
    """A call asks no organisation that may tell this to nobody who asks: that there is a case is told by asking."""
    caller = desk.asker(VEILIG_THUIS)
    about = {"to": SCHOOL, "categories": ["strafrecht"]}
    assert await refused(start(desk.world, caller, **about)) == "receiver-cannot-tell"
    assert await listed(desk.world, desk.asker(SCHOOL)) == []


async def test_after_a_withdrawal_a_call_tells_nothing(desk: Desk) -> None:
    """The code counts no more, who was called reads neither for what nor on which ground, and nothing is answered."""
    cited, own = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    call = await asked(desk, cited)
    (before,) = await listed(desk.world, desk.asker(BUURTTEAM))
    assert (before["code"], before["withheld"]) == (call["code"], False)
    await withdrawn(desk.world, desk.asker(VT), cited)
    (after,) = await listed(desk.world, desk.asker(BUURTTEAM))
    hidden = ("purpose", "code", "contact", "statement", "oral")
    assert [after[name] for name in hidden] == [None] * 5
    assert (after["grounds"], after["categories"], after["level"], after["withheld"]) == ([], [], 0, True)
    (own_side,) = await listed(desk.world, desk.asker(VT))
    assert (own_side["code"], own_side["purpose"], own_side["withheld"]) == (None, "casusoverleg", True)
    called = desk.asker(BUURTTEAM)
    assert await refused(verify(desk.world, called, call["code"])) == "phone-call-withheld"
    assert await refused(noted(desk, call, own)) == "phone-call-withheld"
    assert await refused(asked(desk, cited)) == "refused"


async def test_who_verified_knows_what_he_was_told_and_answers_no_more(desk: Desk) -> None:
    """What was told stays told; an answer after the withdrawal is refused, recorded with what was to be noted."""
    cited, own = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    call = await asked(desk, cited)
    await verify(desk.world, desk.asker(BUURTTEAM), call["code"])
    await withdrawn(desk.world, desk.asker(VT), cited)
    (after,) = await listed(desk.world, desk.asker(BUURTTEAM))
    assert (after["purpose"], after["withheld"]) == ("casusoverleg", False)
    proposals = recorded(desk.world)
    assert await refused(noted(desk, call, own)) == "phone-call-withheld"
    subject: Any = proposals[-1].payloads["subject"]
    assert (subject["categories"], subject["level"]) == (["hulp"], 3)


async def test_an_oral_answer_rests_on_its_own_yes(desk: Desk) -> None:
    """It is noted with the consent that it cites; taken back, by either side, the caller is told of it no more."""
    for by, party in ((BUURTTEAM, VT), (VT, BUURTTEAM)):
        asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
        call = await asked(desk, asked_on)
        assert await refused(noted(desk, call, None)) == "refused"
        await noted(desk, call, told_on)
        (heard,) = [one for one in await listed(desk.world, desk.asker(VT)) if one["callId"] == call["callId"]]
        assert heard["oral"]["grounds"] == ["TOEST"]
        await withdrawn(desk.world, desk.asker(by), told_on if by == BUURTTEAM else asked_on)
        (after,) = [one for one in await listed(desk.world, desk.asker(VT)) if one["callId"] == call["callId"]]
        assert (after["oral"], after["withheld"]) == (None, True), party


async def test_a_yes_that_ran_out_tells_nothing(desk: Desk) -> None:
    """The day after its last one neither call nor answer is told of."""
    last = desk.world.clock.today().isoformat()
    until = {"answers": [answer(until=last)]}
    asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM], **until), await consent(desk)
    waiting, answered = await asked(desk, asked_on), await asked(desk, asked_on)
    await noted(desk, answered, told_on)
    desk.world.clock.move(DAY)
    (got,) = [one for one in await listed(desk.world, desk.asker(BUURTTEAM)) if one["callId"] == waiting["callId"]]
    (made,) = [one for one in await listed(desk.world, desk.asker(VT)) if one["callId"] == answered["callId"]]
    assert (got["purpose"], got["withheld"], made["oral"], made["withheld"]) == (None, True, None, True)


async def test_a_no_in_another_record_is_a_no_for_calls_too(desk: Desk) -> None:
    """Whatever record is cited: what the same person took back elsewhere withholds a call that waits."""
    person = {"person": "trudy", "parties": [BUURTTEAM], "purpose": "casusoverleg", "categories": ["hulp"]}
    first = desk.world.asker(VT, seed="first", purpose="casusoverleg")
    cited = await recorded_consent(desk.world, first, **person)
    call = await asked(desk, cited)
    beside = await recorded_consent(desk.world, desk.world.asker(VT, seed="second", purpose="casusoverleg"), **person)
    await withdrawn(desk.world, desk.asker(VT), beside)
    assert await refused(verify(desk.world, desk.asker(BUURTTEAM), call["code"])) == "phone-call-withheld"
    assert (await listed(desk.world, desk.asker(BUURTTEAM)))[0]["withheld"]


async def test_an_exception_is_told_by_telephone(desk: Desk) -> None:
    """Conflict of duties: a call that tells is decided with its dossier, its entry is an answer; nobody answers it."""
    exception, proposals = await excepted(desk), recorded(desk.world)
    assert await refused(told(desk, None)) == "refused"
    call = await told(desk, exception)
    entry = proposals[-1]
    subject: Any = entry.payloads["subject"]
    assert (entry.kind, subject["exception"], call["kind"]) == ("answer", exception, "telling")
    (known,) = phone_calls_in(await verify(desk.world, desk.asker(POLITIE), call["code"]))
    assert known["grounds"] == ["CVP"]
    with pytest.raises(FieldRuleError):
        await note(desk.world, desk.asker(POLITIE), call["callId"], categories=["veiligheid"])


async def test_no_question_rests_on_an_exception(desk: Desk) -> None:
    """An exception is for telling: a call that asks and cites one breaks the field's rule."""
    with pytest.raises(FieldRuleError):
        await told(desk, await excepted(desk), kind="request")


async def test_an_exception_tells_one_organisation_by_letter_or_call(desk: Desk) -> None:
    """Told by telephone to one, it tells no other by letter, and the other way round."""
    called, written = await excepted(desk), await excepted(desk)
    await told(desk, called)
    await desk.send(told_police(desk, written), by=HUISARTS)
    elsewhere = desk.telling(HUISARTS, OTHER_POLICE, **EMERGENCY, exceptionId=called)
    assert await refused(desk.send(elsewhere, by=HUISARTS)) == "refused"
    assert await refused(told(desk, written, to=OTHER_POLICE)) == "refused"


async def test_an_own_signal_holds_a_call_while_it_is_active(desk: Desk) -> None:
    """A call that names an own signal ends with it, as a letter does; a stranger's signal is none."""
    cited = await consent(desk, by=VT, parties=[BUURTTEAM])
    registered = await desk.world.register(desk.asker(BUURTTEAM), household(subject="trudy"))
    signal = str(registered.result["signalId"])
    with pytest.raises(NotFoundError):
        await asked(desk, cited, signalId=signal)
    own = await consent(desk)
    call = await asked(desk, cited)
    await noted(desk, call, own, signalId=signal)
    assert (await listed(desk.world, desk.asker(VT)))[0]["oral"] is not None
    await desk.world.withdraw(desk.asker(BUURTTEAM), signal)
    assert (await listed(desk.world, desk.asker(VT)))[0]["oral"] is None


async def test_a_call_is_kept_from_who_is_kept_from_its_household(desk: Desk) -> None:
    """Family who works at either side: no call in his list, no code, nothing to note; his colleagues have it all."""
    own = {
        by: str((await desk.world.register(desk.asker(by), household(subject="trudy"))).result["signalId"])
        for by in (VT, BUURTTEAM)
    }
    asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    call = await asked(desk, asked_on, signalId=own[VT])
    await noted(desk, call, told_on, signalId=own[BUURTTEAM])
    for by, signal in own.items():
        relative = str(requester(desk.asker(by)).worker)
        assert len(await listed(desk.world, desk.asker(by))) == 1
        await exclude(desk.world, signal, organisation=by, worker=relative)
        assert await listed(desk.world, desk.asker(by)) == []
    with pytest.raises(NotFoundError):
        await noted(desk, call, told_on)


async def test_a_call_on_a_match_is_none_to_who_is_kept_from_it(desk: Desk) -> None:
    """On the called side the match says whose household it is: he verifies no such caller, his code is a wrong one."""
    own = {
        by: str((await desk.world.register(desk.asker(by), household(subject="child"))).result["signalId"])
        for by in (VEILIG_THUIS, WIJKTEAM)
    }
    (match,) = [row[0] for row in held_in(desk.world).rows("SELECT id FROM matches")]
    about = {"to": WIJKTEAM, "matchId": match, "categories": ["hulp"]}
    (call,) = phone_calls_in(await start(desk.world, desk.asker(VEILIG_THUIS), **about))
    assert len(await listed(desk.world, desk.asker(WIJKTEAM))) == 1
    worker = str(requester(desk.asker(WIJKTEAM)).worker)
    await exclude(desk.world, own[WIJKTEAM], organisation=WIJKTEAM, worker=worker)
    assert await listed(desk.world, desk.asker(WIJKTEAM)) == []
    assert await refused(verify(desk.world, desk.asker(WIJKTEAM), call["code"])) == "belcode-wrong"


async def test_what_was_on_a_match_stays_kept_once_the_match_is_gone(desk: Desk) -> None:
    """The other side's signal ends, and the match with it: letter and call are still none to who was kept from them."""
    own = {
        by: str((await desk.world.register(desk.asker(by), household(subject="child"))).result["signalId"])
        for by in (VEILIG_THUIS, WIJKTEAM)
    }
    (match,) = [row[0] for row in held_in(desk.world).rows("SELECT id FROM matches")]
    await desk.sent(matchId=match)
    about = {"to": WIJKTEAM, "matchId": match, "categories": ["hulp"]}
    await start(desk.world, desk.asker(VEILIG_THUIS), **about)
    worker = str(requester(desk.asker(VEILIG_THUIS)).worker)
    await exclude(desk.world, own[VEILIG_THUIS], organisation=VEILIG_THUIS, worker=worker)
    desk.world.clock.move(15 * DAY)
    await desk.world.withdraw(desk.asker(WIJKTEAM), own[WIJKTEAM], reason="no_longer_needed")
    assert held_in(desk.world).rows("SELECT id FROM matches") == []
    assert await listed(desk.world, desk.asker(VEILIG_THUIS)) == []
    assert shown(await desk.list(by=VEILIG_THUIS, worker=worker)) == []
    assert len(shown(await desk.list(by=VEILIG_THUIS, worker="colleague"))) == 1
