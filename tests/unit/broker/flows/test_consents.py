"""Consent opens only what those who gave it opened, and only while they do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broker.domain.errors import (
    AnswerWithheldError,
    FieldRuleError,
    NotFoundError,
    PointInvalidError,
    RefusedError,
)
from broker.protocol.errors import TicketError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, matches_of, tasks_of
from tests.simulators.consenting import (
    FATHER,
    GGZ,
    HUISARTS,
    MENTOR,
    MOTHER,
    TRUDY,
    adult,
    answer,
    answered_too,
    approved,
    caring,
    consents_of,
    involved,
    listed,
    record,
    recorded,
    send_record,
    withdrawn,
)
from tests.simulators.enrolled import WIJKTEAM

LOOK = household(subject="trudy", members=())


@pytest.fixture
async def asked(world: World) -> World:
    """Trudy's general practitioner is involved, and she told him that the wijkteam may know."""
    await involved(caring(world), HUISARTS)
    return world


async def refusal(world: World, asker: Any, look: Any = LOOK) -> str:  # noqa: ANN401 - an asker and a household
    """Return why a check is refused."""
    with pytest.raises(RefusedError) as error:
        await world.check(asker, look)
    return str(error.value.document["textId"])


async def test_without_consent_an_adult_is_not_looked_up(asked: World) -> None:
    """Scenario 7: without Trudy's consent the check is refused openly, and asking her is the way that is shown."""
    with pytest.raises(RefusedError) as error:
        await asked.check(adult(asked, WIJKTEAM), LOOK)
    assert error.value.document["textId"] == "vraag.consent-missing"
    possible: Any = error.value.document["possible"]
    assert "kan.toestemming-vragen" in {way["textId"] for way in possible}


async def test_her_consent_shows_the_holder_she_named(asked: World) -> None:
    """Scenario 7: with a consent that a second person approved, the named holder is shown."""
    asker = adult(asked, WIJKTEAM)
    await recorded(asked, asker)
    shown = matches_of(await asked.check(asker, LOOK))
    assert [(match["holder"]["oin"], match["kind"]) for match in shown] == [(HUISARTS, "person")]


async def test_a_holder_she_did_not_name_is_not_shown(asked: World) -> None:
    """Per named holder: what she said of the general practitioner says nothing of the mental health institution."""
    await involved(asked, GGZ, towards=HUISARTS)
    asker = adult(asked, WIJKTEAM)
    await recorded(asked, asker)
    assert {match["holder"]["oin"] for match in matches_of(await asked.check(asker, LOOK))} == {HUISARTS}


async def test_what_only_the_asker_recorded_counts_once_approved(world: World) -> None:
    """Recorded by the holder, or approved by a second person (D5): an asker's own word opens nothing."""
    await involved(caring(world), HUISARTS, towards=GGZ)
    asker = adult(world, WIJKTEAM)
    await send_record(world, asker, record(asker))
    assert matches_of(await world.check(asker, LOOK)) == []
    await recorded(world, asker)
    assert len(matches_of(await world.check(asker, LOOK))) == 1


async def test_a_consent_opens_only_the_tokens_of_who_gave_it(asked: World) -> None:
    """A check of more persons than consented shows only those persons' hits."""
    await involved(asked, HUISARTS, person="piet")
    asker = adult(asked, WIJKTEAM)
    await recorded(asked, asker)
    both = household(subject="piet", members=["trudy"])
    piet = household(subject="piet", members=())
    assert await refusal(asked, adult(asked, WIJKTEAM, seed="piet"), piet) == "vraag.consent-missing"
    assert matches_of(await asked.check(asker, both)) == []
    assert len(matches_of(await asked.check(asker, household(subject="trudy", members=["piet"])))) == 1


@pytest.mark.parametrize("where", ["asker", "holder"])
async def test_a_withdrawal_works_at_once(asked: World, where: str) -> None:
    """After a withdrawal on either side nothing is shown, also not what was answered before."""
    asker = adult(asked, WIJKTEAM)
    mine = await recorded(asked, asker)
    body = asker.check(LOOK)
    assert len(matches_of(await asked.send_check(asker, body))) == 1
    holder = adult(asked, HUISARTS, seed="withdraws")
    theirs = (await listed(asked, holder))[0]["consentId"]
    told = await withdrawn(asked, *((asker, mine) if where == "asker" else (holder, theirs)))
    assert told.result["text"] == {"id": "consent.withdrawn", "params": {"time": "12:00"}}
    with pytest.raises(AnswerWithheldError):
        await asked.send_check(asker, body)
    if where == "asker":
        assert await refusal(asked, asker) == "vraag.consent-ended"
    else:
        assert matches_of(await asked.check(asker, LOOK)) == []


async def test_a_withdrawal_for_one_party_leaves_the_others(asked: World) -> None:
    """Trudy takes back that the general practitioner is shown; what she said of the institution stays."""
    await involved(asked, GGZ)
    asker = adult(asked, WIJKTEAM)
    mine = await recorded(asked, asker, parties=[HUISARTS, GGZ])
    assert len(matches_of(await asked.check(asker, LOOK))) == 2
    told = await withdrawn(asked, asker, mine, parties=[HUISARTS])
    assert {one["oin"]: one["state"] for one in consents_of(told)[0]["parties"]} == {
        HUISARTS: "withdrawn",
        GGZ: "given",
    }
    assert {match["holder"]["oin"] for match in matches_of(await asked.check(asker, LOOK))} == {GGZ}


async def test_a_no_recorded_anew_is_a_no(asked: World) -> None:
    """Somebody else in the organisation records a no: what another record says does not outweigh it."""
    asker = adult(asked, WIJKTEAM)
    await recorded(asked, asker)
    assert len(matches_of(await asked.check(asker, LOOK))) == 1
    await recorded(asked, asker, answer(said="refused"))
    assert await refusal(asked, asker) == "vraag.consent-ended"
    await recorded(asked, asker)
    assert len(matches_of(await asked.check(asker, LOOK))) == 1


async def test_a_consent_does_not_last(asked: World) -> None:
    """After its last day it opens nothing, and an answer that rested on it is not given again."""
    asker = adult(asked, WIJKTEAM)
    await recorded(asked, asker, answer(until="2026-12-01"))
    body = asker.check(LOOK)
    assert len(matches_of(await asked.send_check(asker, body))) == 1
    asked.clock.move(timedelta(days=30).total_seconds())
    later = adult(asked, WIJKTEAM, seed="later")
    assert await refusal(asked, later) == "vraag.consent-ended"
    with pytest.raises(AnswerWithheldError):
        await asked.send_check(asker, body)


async def test_an_own_signal_says_who_it_is_about(asked: World) -> None:
    """A record about an own signal needs no token and no ticket, and binds to that signal's person."""
    holder = adult(asked, HUISARTS, seed="by signal")
    signal = next(iter(await own_signals(asked, holder)))
    await send_record(
        asked, holder, record(holder, answer(said="refused"), person=None, signalId=signal, parties=[WIJKTEAM])
    )
    asker = adult(asked, WIJKTEAM)
    await recorded(asked, asker)
    assert matches_of(await asked.check(asker, LOOK)) == []


async def own_signals(world: World, asker: Any) -> list[str]:  # noqa: ANN401 - an asker
    """Return the ids of an organisation's signals."""
    listing: Any = (await world.list(asker)).result["signals"]
    return [str(signal["signalId"]) for signal in listing]


@pytest.mark.parametrize(
    ("line", "changed", "text"),
    [
        (answer(MOTHER, "guardian", custody="none"), {"age": "under12"}, "consent.custody"),
        (answer(MOTHER, "guardian"), {}, "consent.not_theirs"),
        (answer(), {"age": "under12"}, "consent.not_theirs"),
        (answer(MENTOR, "mentor"), {}, "consent.not_theirs"),
        (answer(), {"unable": True}, "consent.not_theirs"),
        (answer(MENTOR, "mentor", suspect=True), {"unable": True}, "consent.suspect"),
    ],
)
async def test_a_yes_that_cannot_be_given_is_refused_recorded_and_without_effect(
    world: World, line: dict[str, Any], changed: dict[str, Any], text: str
) -> None:
    """A yes without custody, by the suspect, or by somebody whose answer does not count: its own problem, an entry."""
    asker = adult(caring(world), WIJKTEAM)
    with pytest.raises(RefusedError) as error:
        await recorded(world, asker, line, **changed)
    assert error.value.document["textId"] == text
    assert error.value.receipt
    assert await listed(world, asker) == []


async def test_one_parents_no_is_a_no(world: World) -> None:
    """Of two parents with custody both must say yes, and the no of one closes it, until he says yes."""
    asker = adult(caring(world), WIJKTEAM, purpose="afstemmen")
    lines = (answer(MOTHER, "guardian"), answer(FATHER, "guardian", "asked"))
    mine = await recorded(world, asker, *lines, age="under12", categories=["hulp"])
    assert (await listed(world, asker))[0]["parties"][0]["state"] == "unknown"
    for said, state in (("refused", "refused"), ("given", "given")):
        told = await answered_too(world, asker, mine, answer(FATHER, "guardian", said))
        assert consents_of(told)[0]["parties"][0]["state"] == state
    with pytest.raises(RefusedError):
        await answered_too(world, asker, mine, answer("9" * 64, "guardian", custody="none"))


async def test_the_resident_gets_a_confirmation_or_it_is_looked_at_again(world: World) -> None:
    """What is still to be sent is a task within a week; unsafe, it is looked at again on the day that was named."""
    asker = adult(caring(world), WIJKTEAM)
    await recorded(world, asker, confirmation="to_send")
    await recorded(world, asker, confirmation="unsafe", reviewOn="2026-12-20")
    await recorded(world, asker, answer(said="refused"), confirmation="to_send")
    tasks = [(task.kind, task.due_on.isoformat()) for task in tasks_of(world)]
    assert tasks == [("bevestig_toestemming", "2026-11-29"), ("herzie_uitstel", "2026-12-20")]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"purpose": "vt-melding"}, FieldRuleError),
        ({"categories": ["roddel"]}, FieldRuleError),
        ({"parties": [WIJKTEAM]}, FieldRuleError),
        ({"parties": ["0" * 20]}, FieldRuleError),
        ({"signalId": "0" * 32}, FieldRuleError),
        ({"signalId": "0" * 32, "subject": None, "tickets": []}, NotFoundError),
        ({"subject": None}, TicketError),
        ({"subject": "_" * 42 + "8"}, PointInvalidError),
        ({"confirmation": "unsafe"}, FieldRuleError),
        ({"reviewOn": "2026-12-20"}, FieldRuleError),
        ({"ageEndsOn": "2027-07-01"}, FieldRuleError),
        *(
            ({"age": age, "ageEndsOn": ends}, FieldRuleError)
            for age, ends in [
                ("under12", None),
                ("under12", "2038-12-01"),
                ("under12", "2039-01-01"),
                ("12to15", "2031-01-01"),
                ("16to17", "2026-10-01"),
                ("18to22", "2027-07-02"),
                ("18to22", "2032-01-01"),
            ]
        ),
        (
            {
                "age": "under12",
                "ageEndsOn": "2027-07-01",
                "guardians": 1,
                "answers": [answer(MOTHER, "guardian", custodyRef=None)],
            },
            FieldRuleError,
        ),
        ({"answers": [answer(until=None)]}, FieldRuleError),
        ({"answers": [answer(until="2029-01-01")]}, FieldRuleError),
        ({"answers": [answer(proof=None)]}, FieldRuleError),
        ({"answers": [answer(reason="danger")]}, FieldRuleError),
        ({"answers": [answer(), answer(said="refused")]}, FieldRuleError),
    ],
)
async def test_a_record_that_breaks_a_rule_is_none(
    world: World, changed: dict[str, Any], error: type[Exception]
) -> None:
    """What a record must say it says, or nothing is recorded."""
    asker = adult(caring(world), WIJKTEAM)
    with pytest.raises(error):
        await send_record(world, asker, {**record(asker), **changed}, approval=approved(asker))
    assert await listed(world, asker) == []


@pytest.mark.parametrize("heard_by", [None, "nobody"])
async def test_what_was_spoken_was_heard_by_a_colleague(world: World, heard_by: str | None) -> None:
    """A yes on the telephone names who heard it, and he is on the organisation's roster."""
    asker = adult(caring(world), WIJKTEAM)
    spoken = {"kind": "spoken", "reference": None, "spokenWith": heard_by, "interpreter": "by_phone"}
    with pytest.raises(FieldRuleError):
        await recorded(world, asker, answer(proof=spoken))
    await recorded(world, asker, answer(proof={**spoken, "spokenWith": "worker-1000"}))


async def test_tickets_of_an_import_record_nobody(world: World) -> None:
    """Consent is recorded one person at a time, never with the tickets of a caseload."""
    asker = adult(caring(world), WIJKTEAM)
    tickets = asker.tickets("register", household(subject="trudy"), grants=("a" * 32, "a" * 32))
    with pytest.raises(TicketError):
        await send_record(world, asker, {**record(asker), "tickets": tickets})


async def test_a_withdrawal_names_who_answered_and_parties_of_the_record(asked: World) -> None:
    """Nobody takes back what he never gave, and another organisation's record reads as none."""
    asker = adult(asked, WIJKTEAM)
    mine = await recorded(asked, asker)
    for changed in ({"who": MOTHER}, {"capacity": "mentor"}, {"parties": [GGZ]}):
        with pytest.raises(FieldRuleError):
            await withdrawn(asked, asker, mine, **changed)
    with pytest.raises(NotFoundError):
        await withdrawn(asked, adult(asked, HUISARTS), mine)


async def test_a_list_has_own_records_in_pages(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list shows own records only, a page at a time, with who answered as the organisation names them."""
    monkeypatch.setattr("broker.flows.list_consents.CONSENTS_PER_PAGE", 1)
    asker = adult(asked, WIJKTEAM)
    mine = sorted([await recorded(asked, asker), await recorded(asked, asker, person="piet")])
    first = await listed(asked, asker)
    assert [one["consentId"] for one in [*first, *await listed(asked, asker, after=mine[0])]] == mine
    assert [one["who"] for one in first[0]["persons"]] == [TRUDY]


async def test_a_record_for_a_purpose_that_is_no_more_is_listed_as_counting_for_nothing(asked: World) -> None:
    """The own list goes on showing what was recorded, and nobody's yes counts for what no document knows."""
    asker = adult(asked, WIJKTEAM)
    mine = await recorded(asked, asker)
    bundle = asked.policy.bundle
    purposes = {name: purpose for name, purpose in bundle.purposes.items() if name != "volwassene"}
    asked.policy = replace(asked.policy, bundle=replace(bundle, purposes=purposes))
    (shown,) = await listed(asked, asker)
    assert shown["consentId"] == mine
    assert {party["state"] for party in shown["parties"]} == {"unknown"}
