"""Who says yes for whom, what it opens, and what the resident is told: for who must judge whether that is right.

Each test reads as Given, When, Then.
"""

from datetime import timedelta
from typing import Any

import pytest

from broker.domain.errors import RefusedError
from broker.flows.outcome import Answered
from tests.simulators.asking import household
from tests.simulators.broker_world import World, documents, matches_of, tasks_of
from tests.simulators.consenting import (
    CARING,
    CURATOR,
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
from tests.simulators.enrolled import WIJKTEAM, Enrolled

LOOK = household(subject="trudy", members=())
OWED = frozenset({"informeer_betrokkene", "bevestig_toestemming"})


def text_of(told: Answered) -> str:
    """Return which sentence the worker reads."""
    text = told.result["text"]
    assert isinstance(text, dict)
    return str(text["id"])


def states_of(told: Answered) -> list[str]:
    """Return how the one record in an answer stands towards each organisation."""
    return [party["state"] for party in consents_of(told)[0]["parties"]]


@pytest.mark.parametrize("capacity", ["mentor", "curator", "gemachtigde"])
async def test_who_represents_her_says_yes_for_who_cannot_decide(world: World, capacity: str) -> None:
    """Given Trudy who cannot decide this, when her representative says yes, then the doctor she is with is shown."""
    await involved(caring(world), HUISARTS)
    asker = adult(world, WIJKTEAM)
    # When she can decide herself, his yes is none: it is refused, and said why.
    with pytest.raises(RefusedError) as error:
        await recorded(world, asker, answer(MENTOR, capacity))
    assert error.value.document["textId"] == "consent.not_theirs"
    await recorded(world, asker, answer(MENTOR, capacity), unable=True)
    assert len(matches_of(await world.check(asker, LOOK))) == 1
    # When she herself says no all the same, then that is a no.
    await recorded(world, asker, answer(said="refused"), unable=True)
    with pytest.raises(RefusedError) as error:
        await world.check(adult(world, WIJKTEAM, seed="after her no"), LOOK)
    assert error.value.document["textId"] == "vraag.consent-ended"


async def test_a_representative_from_whom_the_danger_comes_has_no_say(world: World) -> None:
    """Given that the danger comes from her mentor, then neither his yes nor his no counts, under any name."""
    asker = adult(caring(world), WIJKTEAM)
    # Given: he said no, and is marked as who the danger comes from.
    no = answer(MENTOR, "mentor", "refused", suspect=True)
    told = await send_record(world, asker, record(asker, no, unable=True), approval=approved(asker))
    assert (states_of(told), text_of(told)) == (["unknown"], "consent.noted")
    mine = consents_of(told)[0]["consentId"]
    # When he says yes afterwards, as somebody else and without the mark. Then it is refused, and recorded.
    with pytest.raises(RefusedError) as error:
        await answered_too(world, asker, mine, answer(MENTOR, "gemachtigde"))
    assert error.value.document["textId"] == "consent.suspect"
    # When another representative says yes. Then that counts, whatever the mentor takes back.
    assert states_of(await answered_too(world, asker, mine, answer(CURATOR, "curator"))) == ["given"]
    back = await withdrawn(world, asker, mine, who=MENTOR, capacity="mentor")
    assert states_of(back) == ["given"]


async def test_both_parents_say_yes_unless_one_alone_has_custody(world: World) -> None:
    """Given a child under 12, when one of two parents is left out, then nothing opens, and it is said why."""
    asker = adult(caring(world), WIJKTEAM, purpose="verwijsindex")
    mother = answer(MOTHER, "guardian")
    told = await send_record(world, asker, record(asker, mother, age="under12"), approval=approved(asker))
    assert (states_of(told), text_of(told)) == (["unknown"], "consent.not_everybody")
    assert tasks_of(world) == []
    both = await answered_too(world, asker, consents_of(told)[0]["consentId"], answer(FATHER, "guardian"))
    assert (states_of(both), text_of(both)) == (["given"], "consent.recorded_given")
    # The father gets a confirmation too, which the record of the mother could not promise.
    assert [task.kind for task in tasks_of(world)] == ["bevestig_toestemming"]
    # When the court gave custody to the mother alone. Then her yes is enough.
    ruled = answer(MOTHER, "guardian", custody="court_decision")
    alone = record(asker, ruled, age="under12", guardians=1, person="other child")
    told = await send_record(world, asker, alone, approval=approved(asker))
    assert states_of(told) == ["given"]


async def test_who_has_no_custody_closes_nothing(world: World) -> None:
    """Given a mother who alone has custody, when a stepfather says no, then that is noted and closes nothing."""
    asker = adult(caring(world), WIJKTEAM, purpose="verwijsindex")
    lines = (answer(MOTHER, "guardian"), answer(FATHER, "guardian", "refused", custody="none"))
    told = await send_record(
        world, asker, record(asker, *lines, age="under12", guardians=1), approval=approved(asker)
    )  # fmt: skip
    assert states_of(told) == ["given"]


@pytest.mark.parametrize(
    ("line", "changed", "text"),
    [
        (answer(MOTHER, "guardian", custody="stated"), {}, "consent.custody_stated"),
        (answer(MOTHER, "guardian"), {"contested": True}, "consent.custody_contested"),
        (answer(MOTHER, "guardian", "not_asked"), {}, "consent.noted"),
    ],
)
async def test_what_opens_nothing_says_so(
    world: World, line: dict[str, Any], changed: dict[str, Any], text: str
) -> None:
    """Custody that is merely stated or contested, and who was not asked: recorded, and no confirmation is promised."""
    asker = adult(caring(world), WIJKTEAM, purpose="verwijsindex")
    body = record(asker, line, age="under12", guardians=1, confirmation="to_send", **changed)
    told = await send_record(world, asker, body, approval=approved(asker))
    assert (states_of(told), text_of(told), tasks_of(world)) == (["unknown"], text, [])


async def test_who_was_not_asked_and_what_has_expired_stand_in_the_list(world: World) -> None:
    """Per person: not asked because of danger, and a yes of which the last day has passed."""
    asker = adult(caring(world), WIJKTEAM)
    not_asked = answer(MENTOR, "mentor", "not_asked", reason="danger")
    await recorded(world, asker, answer(until="2026-12-01"), not_asked, unable=False)
    world.clock.move(timedelta(days=30).total_seconds())
    (shown,) = await listed(world, adult(world, WIJKTEAM, seed="later"))
    assert {(one["who"], one["answer"], one["reason"]) for one in shown["persons"]} == {
        (TRUDY, "expired", None),
        (MENTOR, "not_asked", "danger"),
    }
    assert [party["state"] for party in shown["parties"]] == ["expired"]


async def test_an_age_that_has_ended_ends_the_yes(world: World) -> None:
    """Given a youth of 15 whose parents and himself said yes, from the quarter in which he is 16 it is his alone."""
    asker = adult(caring(world), WIJKTEAM, purpose="verwijsindex")
    lines = (answer(MOTHER, "guardian"), answer(FATHER, "guardian"), answer())
    await recorded(world, asker, *lines, age="12to15", ageEndsOn="2027-01-01")
    world.clock.move(timedelta(days=45).total_seconds())
    (shown,) = await listed(world, adult(world, WIJKTEAM, seed="later"))
    assert {one["answer"] for one in shown["persons"]} == {"expired"}
    assert [party["state"] for party in shown["parties"]] == ["expired"]


async def test_a_yes_that_a_worker_adds_alone_opens_nothing(world: World) -> None:
    """Given a record that a colleague approved while nobody had answered, when the worker adds a yes alone."""
    await involved(caring(world), HUISARTS, towards=GGZ)
    asker = adult(world, WIJKTEAM)
    mine = await recorded(world, asker, answer(said="asked"))
    # Then nobody is shown by it, and the record says that it is not approved.
    await answered_too(world, asker, mine, answer(), alone=True)
    assert matches_of(await world.check(asker, LOOK)) == []
    assert not (await listed(world, asker))[0]["approved"]
    # When a colleague approves that very answer, then it opens; taken back and added again alone, it does not.
    await answered_too(world, asker, mine, answer())
    assert len(matches_of(await world.check(asker, LOOK))) == 1
    await withdrawn(world, asker, mine)
    await answered_too(world, asker, mine, answer(), alone=True)
    with pytest.raises(RefusedError):
        await world.check(adult(world, WIJKTEAM, seed="after a lone yes"), LOOK)


async def test_a_yes_added_alone_reopens_nothing_at_the_holder_either(world: World) -> None:
    """Given a holder with her yes, when she takes hers back at the asker, then his worker alone brings nothing back."""
    await involved(caring(world), HUISARTS)
    asker = adult(world, WIJKTEAM)
    mine = await recorded(world, asker)
    assert len(matches_of(await world.check(asker, LOOK))) == 1
    await withdrawn(world, asker, mine)
    await answered_too(world, asker, mine, answer(), alone=True)
    with pytest.raises(RefusedError) as error:
        await world.check(adult(world, WIJKTEAM, seed="after a lone yes"), LOOK)
    assert error.value.document["textId"] == "vraag.consent-ended"


async def test_with_her_yes_goes_the_signal_that_rested_on_it(world: World) -> None:
    """Given a doctor's signal on Trudy's yes, when she takes it back, then it ends at once and he is told so."""
    asker = await involved(caring(world), HUISARTS)
    (mine,) = await listed(world, asker)
    await world.check(adult(world, HUISARTS, seed="looks by it"), LOOK)
    await withdrawn(world, asker, mine["consentId"])
    signals: Any = (await world.list(asker)).result["signals"]
    assert [one["state"] for one in signals] == ["ended"]
    assert {"signal-ended", "review-withdrawal"} >= {task.kind for task in tasks_of(world) if task.signal_id} - OWED
    assert "signal-ended" in {task.kind for task in tasks_of(world)}


async def test_a_no_recorded_anew_ends_the_signal_too(world: World) -> None:
    """Given the same, when a colleague records her no in another record, then it ends once nobody is left to show."""
    asker = await involved(caring(world), HUISARTS)
    for party, state in ((GGZ, "active"), (WIJKTEAM, "ended")):
        await recorded(world, asker, answer(said="refused"), parties=[party])
        signals: Any = (await world.list(adult(world, HUISARTS, seed=party))).result["signals"]
        assert [one["state"] for one in signals] == [state]


async def test_a_no_is_recorded_whatever_has_ended(world: World) -> None:
    """Given a team that is no more, when she takes her yes back, then that is recorded all the same."""
    asker = adult(caring(world), WIJKTEAM)
    mine = await recorded(world, asker)
    world.documents = documents(Enrolled(names=CARING, teams=("team-2",)))
    assert states_of(await withdrawn(world, asker, mine)) == ["withdrawn"]
