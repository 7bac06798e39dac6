"""Letters that rest on a consent or on an exception: what is cited is fed to the decision, and nothing else is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import FieldRuleError, NotFoundError, RefusedError
from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import SendRequest
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, approval, held_in, log_size, tasks_of
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
    told_in_meeting,
    told_police,
)
from tests.simulators.consenting import TRUDY, answer, answered_too, consents_of, record, send_record, withdrawn
from tests.simulators.consenting import recorded as recorded_consent
from tests.simulators.databases import DATABASES
from tests.simulators.excepting import completed
from tests.simulators.requesting import COLLEAGUE, PROOF, TEXT, Desk, problem_of, shown
from tests.unit.broker.flows.deciders import watched
from tests.unit.broker.flows.noted_log import recorded


@pytest.fixture(params=DATABASES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on a database, with parties to an agreement that rests on consent, and who may break a secret."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield citing(running)


async def refusal(desk: Desk, body: dict[str, Any], *, by: str) -> Any:  # noqa: ANN401 - a problem document
    """Return the document of a letter that is refused: that is an entry, and nothing waits for anybody."""
    before = await log_size(desk.world)
    with pytest.raises(RefusedError) as refused:
        await desk.send(body, by=by)
    assert refused.value.receipt
    assert await log_size(desk.world) == before + 1
    assert shown(await desk.list(by=body["to"])) == []
    return refused.value.document


async def withheld(desk: Desk, letter: str, *, by: str) -> bool:
    """Return whether this letter is handed out no more."""
    try:
        fetched = await desk.fetch(letter, by=by)
    except RefusedError as refused:
        return problem_of(refused) == "letter-withheld"
    assert fetched.result["box"] is not None
    return False


async def test_with_a_yes_it_is_told(desk: Desk) -> None:
    """What Trudy allowed for this purpose, this category and this receiver is told, and read."""
    body = told_in_meeting(desk, await consent(desk))
    assert (await desk.send(body, by=BUURTTEAM)).result["outcome"] == "sent"
    fetched = await desk.fetch(body["idempotencyKey"], by=VT)
    assert desk.opened(fetched, by=VT, sender=BUURTTEAM).text == TEXT


async def test_without_citing_it_consent_counts_for_nothing(desk: Desk) -> None:
    """Who has a yes on record and does not cite it is refused as who has none."""
    await consent(desk)
    assert (await refusal(desk, told_in_meeting(desk, None), by=BUURTTEAM))["textId"].startswith("vraag.consent")


@pytest.mark.parametrize(
    "named",
    [
        {"parties": [GI]},
        {"categories": ["veiligheid"]},
        {"purpose": "overlast"},
        {"answers": [answer(said="refused")]},
        {"answers": [answer(said="asked")]},
        {"answers": [answer("2" * 64, "guardian")], "age": "12to15"},
    ],
)
async def test_a_yes_opens_only_what_it_names(desk: Desk, named: dict[str, Any]) -> None:
    """Another receiver, category or purpose, a no, no answer yet, or not everybody's yes: nothing is told."""
    await refusal(desk, told_in_meeting(desk, await consent(desk, **named)), by=BUURTTEAM)


async def test_what_is_cited_is_the_own_organisations(desk: Desk) -> None:
    """Another organisation's consent or exception is none, as one that does not exist; nothing is recorded."""
    own, exception = await consent(desk), await excepted(desk)
    size = await log_size(desk.world)
    for by, body in (
        (GI, desk.telling(GI, VT, purpose="casusoverleg", grounds=["TOEST"], categories=["hulp"], consentId=own)),
        (BUURTTEAM, told_in_meeting(desk, "0" * 32)),
        (HUISARTS, told_police(desk, "0" * 32)),
        (BUURTTEAM, {**desk.telling(BUURTTEAM, POLITIE, purpose="nood", grounds=["CVP"]), "exceptionId": exception}),
    ):
        with pytest.raises(NotFoundError):
            await desk.send(body, by=by)
    with pytest.raises(FieldRuleError):
        await desk.send(told_in_meeting(desk, own, grounds=["WMO-5.2.6"]), by=BUURTTEAM)
    assert await log_size(desk.world) == size


async def test_after_a_withdrawal_nobody_reads_it(desk: Desk) -> None:
    """A yes that is taken back withholds what waits, and nothing more is told on it, until there is a new yes."""
    cited = await consent(desk)
    body = told_in_meeting(desk, cited)
    await desk.send(body, by=BUURTTEAM)
    assert not await withheld(desk, body["idempotencyKey"], by=VT)
    await withdrawn(desk.world, desk.asker(BUURTTEAM), cited)
    assert await withheld(desk, body["idempotencyKey"], by=VT)
    with pytest.raises(RefusedError):
        await desk.send(told_in_meeting(desk, cited), by=BUURTTEAM)
    await answered_too(desk.world, desk.asker(BUURTTEAM), cited, answer())
    # What she says yes to again, towards the same receiver, is what was told: it is not lost for that she hesitated.
    assert not await withheld(desk, body["idempotencyKey"], by=VT)
    assert (await desk.send(told_in_meeting(desk, cited), by=BUURTTEAM)).result["outcome"] == "sent"


async def test_a_no_in_another_record_is_a_no(desk: Desk) -> None:
    """Whatever record is cited: what the same person took back elsewhere withholds too, and opens nothing."""
    person = {"person": "trudy", "parties": [VT], "purpose": "casusoverleg", "categories": ["hulp"]}
    asker = desk.world.asker(BUURTTEAM, seed="first", purpose="casusoverleg")
    cited = await recorded_consent(desk.world, asker, **person)
    body = told_in_meeting(desk, cited)
    await desk.send(body, by=BUURTTEAM)
    again = desk.world.asker(BUURTTEAM, seed="second", purpose="casusoverleg")
    beside = await recorded_consent(desk.world, again, **person)
    assert not await withheld(desk, body["idempotencyKey"], by=VT)
    await withdrawn(desk.world, again, beside)
    assert await withheld(desk, body["idempotencyKey"], by=VT)
    with pytest.raises(RefusedError):
        await desk.send(told_in_meeting(desk, cited), by=BUURTTEAM)


async def test_after_the_last_day_of_a_yes_nobody_reads_it(desk: Desk) -> None:
    """A yes that has expired withholds too, though nobody took anything back."""
    cited = await consent(desk, answers=[answer(TRUDY, until="2026-11-23")])
    body = told_in_meeting(desk, cited)
    await desk.send(body, by=BUURTTEAM)
    desk.world.clock.move(86_400)
    assert not await withheld(desk, body["idempotencyKey"], by=VT)
    desk.world.clock.move(86_400)
    assert await withheld(desk, body["idempotencyKey"], by=VT)


async def test_a_documented_exception_tells_the_police(desk: Desk) -> None:
    """Scenario 10: six answers, a colleague, an approval; the letter goes, and its entry names the exception."""
    exception, proposals = await excepted(desk), recorded(desk.world)
    body = told_police(desk, exception)
    assert (await desk.send(body, by=HUISARTS)).result["outcome"] == "sent"
    assert exception in str(proposals[-1].payloads)
    assert "beoordeel_uitzondering" in {task.kind for task in tasks_of(desk.world)}
    # Another exception of the same worker takes nothing of this one back.
    await excepted(desk)
    fetched = await desk.fetch(body["idempotencyKey"], by=POLITIE)
    assert desk.opened(fetched, by=POLITIE, sender=HUISARTS).text == TEXT


async def test_an_exception_that_needed_no_approval_is_told_without(desk: Desk) -> None:
    """Where the organisation's meldcode asked nobody when it was invoked, its letter needs nobody either."""
    citing(desk.world, meldcode_approval=False)
    exception = await excepted(desk, approved=False)
    citing(desk.world)
    body = told_police(desk, exception)
    assert (await desk.send(body, by=HUISARTS)).result["outcome"] == "sent"
    assert not await withheld(desk, body["idempotencyKey"], by=POLITIE)


async def test_a_life_in_danger_is_told(desk: Desk) -> None:
    """On the ground of a life in danger, with its six answers, the police read the letter; on another ground nobody."""
    exception = await excepted(desk, type="vitaal")
    body = told_police(desk, exception, grounds=["VITAAL"])
    assert (await desk.send(body, by=HUISARTS)).result["outcome"] == "sent"
    fetched = await desk.fetch(body["idempotencyKey"], by=POLITIE)
    assert desk.opened(fetched, by=POLITIE, sender=HUISARTS).text == TEXT


@pytest.mark.parametrize("ground", ["BW-7:448-TE", "JW-7.3.2-3"])
async def test_what_a_patient_does_not_hear_yet_goes_to_no_organisation(desk: Desk, ground: str) -> None:
    """The therapeutic exception is towards who represents the patient: a letter on it is refused, with what to do."""
    body = desk.telling(HUISARTS, BUURTTEAM, purpose="patient", grounds=[ground], categories=["gezondheid"])
    document = await refusal(desk, body, by=HUISARTS)
    assert document["textId"] == "vraag.recipient-not-allowed"
    assert document["possible"][0]["textId"] == "kan.vertegenwoordiger-zelf"
    assert "vertel het de vertegenwoordiger zelf" in document["possible"][0]["text"]


async def test_without_the_exception_nothing_is_told(desk: Desk) -> None:
    """Conflict of duties that is only claimed is refused, with what is missing."""
    document = await refusal(desk, told_police(desk, None), by=HUISARTS)
    assert document["textId"] == "vraag.dossier-incomplete"


@pytest.mark.parametrize(
    ("invoked", "letter"),
    [
        ({"type": "vitaal"}, {}),
        ({"worker": COLLEAGUE}, {}),
        ({"recipientOrganisation": OTHER_POLICE}, {}),
        ({}, {"categories": ["veiligheid", "gezondheid"]}),
        ({}, {"grounds": ["CVP", "VITAAL"]}),
        ({"type": "vitaal", "recipient": "seh", "category": "gezondheid"}, {"grounds": ["VITAAL"]}),
    ],
)
async def test_an_exception_counts_for_what_it_was_invoked_for(
    desk: Desk, invoked: dict[str, Any], letter: dict[str, Any]
) -> None:
    """On another ground, of another worker, to another recipient, about something else: as without a dossier."""
    await refusal(desk, told_police(desk, await excepted(desk, **invoked), **letter), by=HUISARTS)


async def test_an_exception_tells_one_organisation_so_far_and_so_long(desk: Desk) -> None:
    """Beyond the level that was approved, to a second organisation, or after fourteen days: as without a dossier."""
    low = await excepted(desk, level=1)
    await refusal(desk, told_police(desk, low), by=HUISARTS)
    exception = await excepted(desk)
    await desk.send(told_police(desk, exception), by=HUISARTS)
    assert (await desk.send(told_police(desk, exception), by=HUISARTS)).result["outcome"] == "sent"
    elsewhere = desk.telling(HUISARTS, OTHER_POLICE, **EMERGENCY, exceptionId=exception)
    await refusal_after(desk, elsewhere)
    desk.world.clock.move(14 * 86_400)
    await desk.send(told_police(desk, exception, expiresOn="2026-12-15"), by=HUISARTS)
    desk.world.clock.move(1)
    await refusal_after(desk, told_police(desk, exception, expiresOn="2026-12-15"))


async def test_what_a_reviewer_found_not_in_order_tells_nothing_more(desk: Desk) -> None:
    """Nothing is told on it, and what was not fetched yet is withheld."""
    exception = await excepted(desk)
    body = told_police(desk, exception)
    await desk.send(body, by=HUISARTS)
    (index,) = held_in(desk.world).rows("SELECT idx FROM exceptions")[0]
    with held_in(desk.world).session() as connection:
        connection.execute(
            "INSERT INTO review_notes (idx, organisation, worker, kind, about, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (index + 1000, HUISARTS, "pf", "verdict", str(index), '{"verdict": "not_in_order", "reason": "x"}', 1),
        )
    await refusal_after(desk, told_police(desk, exception))
    assert await withheld(desk, body["idempotencyKey"], by=POLITIE)


async def test_a_record_about_nobody_known_here_needs_a_second_person(desk: Desk) -> None:
    """It is held against no other record, so one worker's word alone tells nothing by letter."""
    asker = desk.asker(BUURTTEAM)
    about: dict[str, Any] = {"purpose": "casusoverleg", "categories": ["hulp"], "parties": [VT], "person": None}
    alone = await send_record(desk.world, asker, record(asker, **about))
    await refusal(desk, told_in_meeting(desk, consents_of(alone)[0]["consentId"]), by=BUURTTEAM)
    assert (await desk.send(told_in_meeting(desk, await consent(desk)), by=BUURTTEAM)).result["outcome"] == "sent"


async def test_what_is_acute_tells_for_a_day(desk: Desk) -> None:
    """Acute danger is told at once, and is read after the dossier is complete too; without its rest it ends."""
    exception = await excepted(desk, type="acuut")
    first = told_police(desk, exception)
    await desk.send(first, by=HUISARTS)
    desk.world.clock.move(86_401)
    await refusal_after(desk, told_police(desk, exception))
    await completed(desk.world, desk.asker(HUISARTS), exception, consulted=COLLEAGUE)
    assert not await withheld(desk, first["idempotencyKey"], by=POLITIE)
    # From now on it is a documented one, which somebody approves.
    await refusal_after(desk, told_police(desk, exception))
    body = told_police(desk, exception)
    sent = await desk.send(body, by=HUISARTS, approval=approval(desk.asker(HUISARTS)))
    assert sent.result["outcome"] == "sent"


async def test_what_is_cited_and_gone_withholds(desk: Desk) -> None:
    """A letter that cites what is not there any more is handed out to nobody."""
    body = told_police(desk, await excepted(desk))
    await desk.send(body, by=HUISARTS)
    with held_in(desk.world).session() as connection:
        connection.execute("DELETE FROM exceptions")
    assert await withheld(desk, body["idempotencyKey"], by=POLITIE)


async def refusal_after(desk: Desk, body: dict[str, Any]) -> None:
    """The general practitioner's letter is refused."""
    with pytest.raises(RefusedError) as refused:
        await desk.send(body, by=HUISARTS)
    assert problem_of(refused.value) == "refused"


async def test_a_consent_gives_standing_where_nothing_else_does(desk: Desk, policy: PolicyInForce) -> None:
    """A question may cite a consent too; a proof outranks it, and an own signal entitles for its own purpose alone."""
    cited = await consent(desk)
    registered = await desk.world.register(desk.asker(BUURTTEAM), household(subject="trudy"))
    own = registered.result["signalId"]
    desk.world.policy, point = watched(policy)
    for proof, signal, grounds, standing in (
        (None, None, ["TOEST"], "consent"),
        (PROOF, None, ["TOEST"], "statutory_reference"),
        (None, None, ["TOEST", "WMO-5.2.6"], "consent"),
        (None, own, ["TOEST"], "consent"),
        (None, own, ["TOEST", "WMO-5.2.6"], "consent"),
    ):
        stated = {"consentId": cited, "proof": proof, "grounds": grounds, "signalId": signal}
        body = desk.request(BUURTTEAM, VT, **{**MEETING, **stated})
        with pytest.raises(RefusedError):
            await desk.post(SendRequest, body, by=BUURTTEAM)
        assert (point.asked[-1].standing, point.asked[-1].consent) == (standing, "given")
    assert point.asked[-1].consent_by == {"person"}
    body = desk.request(BUURTTEAM, VT, **{**MEETING, "purpose": "proefregio", "consentId": cited, "signalId": own})
    with pytest.raises(RefusedError):
        await desk.post(SendRequest, {**body, "grounds": ["TOEST", "WMO-5.2.6"]}, by=BUURTTEAM)
    assert point.asked[-1].standing == "own_signal"


async def test_an_answer_rests_on_a_consent_of_its_own(desk: Desk, policy: PolicyInForce) -> None:
    """Under a document that lets one ask with consent: both sides' yes counts, until either is taken back."""
    desk.world.policy = asking_with_consent(policy)
    asked, told = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    for taken, by in ((asked, VT), (told, BUURTTEAM)):
        body = desk.request(VT, BUURTTEAM, **{**MEETING, "consentId": asked})
        await desk.post(SendRequest, body, by=VT)
        request = body["idempotencyKey"]
        stated: dict[str, Any] = {"grounds": ["TOEST"], "consentId": told}
        uncited = desk.reply(request, by=BUURTTEAM, to=VT, grounds=["TOEST"])
        with pytest.raises(RefusedError):
            await desk.answer(request, uncited, by=BUURTTEAM)
        answered = desk.reply(request, by=BUURTTEAM, to=VT, **stated)
        await desk.answer(request, answered, by=BUURTTEAM)
        assert not await withheld(desk, request, by=VT)
        await withdrawn(desk.world, desk.asker(by), taken)
        assert await withheld(desk, request, by=VT)
        if by == VT:
            asked = await consent(desk, by=VT, parties=[BUURTTEAM])
