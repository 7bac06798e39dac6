"""A signal that rests on consent lasts no longer than that does, whether it was swept or not (D5, D16)."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.domain.changes import AddAnswers, EndSignal, RenewSignal
from broker.domain.consents import Answer, Capacity, ConsentEvent
from broker.domain.errors import NotFoundError, RefusedError, StaleDecisionError
from broker.domain.signals import SignalState
from broker.ports import Proposal
from broker.protocol.problems import problem
from tests.simulators.asking import household
from tests.simulators.broker_world import World, log_size, matches_of, signals_of, tasks_of
from tests.simulators.consenting import (
    ADULT,
    ASSESSED,
    FATHER,
    GGZ,
    HUISARTS,
    INFORMED,
    MENTOR,
    TRUDY,
    adult,
    answer,
    answered_too,
    caring,
    consents_of,
    listed,
    record,
    recorded,
    send_record,
)
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.proposals import committed
from tests.simulators.retention_oracle import entries_of

DAY = 86_400
TO_MIDNIGHT = 12 * 3600
"""Seconds from where the clock stands to the end of that day in the Netherlands."""
LOOK = household(subject="trudy", members=())
TODAY = "2026-11-22"


async def resting(world: World, *, until: str = TODAY, **changed: Any) -> str:  # noqa: ANN401 - members of a body
    """The doctor is involved with Trudy on her yes up to this day, and the team may look up to long after it."""
    doctor = adult(caring(world), HUISARTS)
    await recorded(world, doctor, answer(until=until), parties=[WIJKTEAM], **changed)
    told = await world.register(doctor, household(subject="trudy"), assessment=ASSESSED, informing=INFORMED)
    await recorded(world, adult(world, WIJKTEAM), answer())
    return str(told.result["signalId"])


async def seen(world: World) -> bool:
    """Return whether the team is shown the doctor by a look of now."""
    return bool(matches_of(await world.check(adult(world, WIJKTEAM, seed=f"look {world.clock.now()}"), LOOK)))


async def state(world: World) -> str:
    """Return the state of the doctor's one signal, as he reads it."""
    (signal,) = signals_of(await world.list(adult(world, HUISARTS, seed=f"list {world.clock.now()}")))
    return str(signal["state"])


@pytest.mark.parametrize(
    ("changed", "days"),
    [({}, 0), ({"until": "2027-05-01", "age": "18to22", "ageEndsOn": "2027-01-01"}, 39)],
    ids=["day", "age"],
)
async def test_it_ends_with_the_day_or_the_age_of_the_yes(world: World, changed: dict[str, Any], days: int) -> None:
    """On the last day it shows, from midnight on nothing does; the sweep ends it and its team is told."""
    await resting(world, **changed)
    world.clock.move(days * DAY + TO_MIDNIGHT - 1)
    assert (await seen(world), await state(world)) == (True, "active")
    assert not (await world.sweep()).consent
    world.clock.move(1)
    assert (await seen(world), await state(world)) == (False, "ended")
    swept = await world.sweep()
    assert (swept.consent, swept.expiry, swept.age) == (1, 0, 0)
    assert "signal-ended" in [task.kind for task in tasks_of(world)]
    assert not (await world.sweep()).consent


async def test_the_entry_names_it_and_nobody_reviews_what_served_no_look(world: World, tmp_path: Path) -> None:
    """What ended is found by its handle, under the reason that it ended for; no reviewer is asked without a look."""
    await resting(world)
    world.clock.move(DAY)
    assert (await world.sweep()).consent == 1
    (entry,) = await entries_of(world, tmp_path / "kek")
    assert len(entry.payloads["subject"]["consent"]) == 1
    assert "review-withdrawal" not in [task.kind for task in tasks_of(world)]


async def test_a_look_of_its_last_fortnight_is_reviewed(world: World) -> None:
    """D5: a signal that showed somebody, and ends with its consent the day after, leaves a task for a reviewer."""
    await resting(world, until="2027-05-01")
    team = adult(world, WIJKTEAM, seed="short", **ADULT)
    await recorded(world, team, answer(until=TODAY))
    about = replace(team, seed="its signal")
    told = await world.register(about, household(subject="trudy"), assessment=ASSESSED, informing=INFORMED)
    assert matches_of(told)
    mine = str(told.result["signalId"])
    # Of two yeses of the same person the later counts, so the team's signal ends with today.
    world.clock.move(DAY)
    assert (await world.sweep()).consent == 1
    kinds = [task.kind for task in tasks_of(world) if task.signal_id == mine]
    assert {"signal-ended", "review-withdrawal"} <= set(kinds)


async def test_a_yes_in_time_lets_it_last_and_one_too_late_does_not(world: World) -> None:
    """A longer yes that is recorded in time moves its end; once it has ended, a later yes revives nothing."""
    await resting(world, until="2026-11-23")
    doctor = adult(world, HUISARTS, seed="again")
    (mine,) = await listed(world, doctor)
    await answered_too(world, doctor, mine["consentId"], answer(until="2027-05-01"))
    world.clock.move(3 * DAY)
    assert (await seen(world), await state(world)) == (True, "active")
    # A shorter one moves it too.
    await answered_too(world, replace(doctor, seed="shorter"), mine["consentId"], answer(until="2026-11-26"))
    world.clock.move(2 * DAY)
    assert await state(world) == "ended"
    await answered_too(world, replace(doctor, seed="late"), mine["consentId"], answer(until="2027-05-01"))
    assert (await seen(world), await state(world)) == (False, "ended")
    assert (await world.sweep()).consent == 1


async def test_a_no_recorded_by_the_signal_ends_it_at_once(world: World) -> None:
    """A record that names the own signal and not the number is about that very person, from its first answer on."""
    signal_id = await resting(world, until="2027-05-01")
    doctor = adult(world, HUISARTS, seed="by signal")
    no = record(doctor, answer(said="refused"), person=None, signalId=signal_id, parties=[WIJKTEAM])
    assert consents_of(await send_record(world, doctor, no))
    assert (await seen(world), await state(world)) == (False, "ended")


async def test_it_is_renewed_on_a_yes_of_today_only(world: World) -> None:
    """Renewing says until when the consent holds, lasts no longer, and is refused and recorded where there is none."""
    signal_id = await resting(world, until="2026-12-31")
    doctor = adult(world, HUISARTS, seed="renews")
    told: Any = (await world.renew(doctor, signal_id, "2027-03-01")).result
    assert told["text"] == {"id": "signal.renewed_consent", "params": {"date": "31 december 2026"}}
    told = (await world.renew(replace(doctor, seed="shorter"), signal_id, "2026-12-30")).result
    assert told["text"]["id"] == "signal.renewed"
    # A no that moved no signal, as those of before did not: it stays to its end, and is not renewed.
    no = ConsentEvent(at=world.clock.now(), who=TRUDY, capacity=Capacity.PERSON, answer=Answer.REFUSED)
    (own,) = await listed(world, replace(doctor, seed="lists"))
    added = AddAnswers(consent_id=own["consentId"], organisation=HUISARTS, events=(no,))
    await committed(world.log, Proposal(kind="consent", payloads={}, changes=(added,)))
    before = await log_size(world)
    with pytest.raises(RefusedError) as error:
        await world.renew(replace(doctor, seed="refused"), signal_id, "2027-03-01")
    assert error.value.document["textId"] == problem("renewal-without-consent").document()["textId"]
    assert (await log_size(world), await state(world)) == (before + 1, "active")
    world.clock.move(timedelta(days=40).total_seconds())
    with pytest.raises(NotFoundError):
        await world.renew(replace(doctor, seed="too late"), signal_id, "2027-03-01")


async def test_a_sweep_that_read_an_earlier_last_day_ends_nothing(world: World) -> None:
    """A yes recorded between reading and committing wins: what would end the signal on its old last day is stale."""
    signal_id = await resting(world, until="2026-11-23")
    own = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert own is not None
    assert own.signal.consent_until == date(2026, 11, 23)
    end = EndSignal(
        signal_id=signal_id, state=SignalState.ENDED, reason="consent", ends_on=own.signal.ends_on,
        last_standing_on=own.signal.last_standing_on, consent_until=own.signal.consent_until,
    )  # fmt: skip
    longer = RenewSignal(signal_id=signal_id, ends_on=None, consent_until=date(2027, 5, 1))
    await committed(world.log, Proposal(kind="consent", payloads={}, changes=(longer,)))
    with pytest.raises(StaleDecisionError):
        await committed(world.log, Proposal(kind="retention", payloads={}, changes=(end,)))
    assert await state(world) == "active"
    # A renewal and a yes of one moment both stand: neither says anything of what the other changes.
    after = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert after is not None
    assert (after.signal.ends_on, after.signal.consent_until) == (own.signal.ends_on, date(2027, 5, 1))


async def test_a_yes_of_who_turns_out_to_be_the_suspect_ends_its_signal(world: World) -> None:
    """Without a no of anybody the signal shows the doctor no more from then on, and its team has the task (R10-15)."""
    doctor = adult(caring(world), HUISARTS)
    said = answer(MENTOR, "mentor", until="2027-05-01")
    consent_id = await recorded(world, doctor, said, parties=[WIJKTEAM], unable=True)
    await world.register(doctor, household(subject="trudy"), assessment=ASSESSED, informing=INFORMED)
    await recorded(world, adult(world, WIJKTEAM), answer())
    assert (await seen(world), await state(world)) == (True, "active")
    world.clock.move(60)
    asked = answer(MENTOR, "mentor", "asked", suspect=True)
    await answered_too(world, replace(doctor, seed="turned out"), consent_id, asked)
    assert (await seen(world), await state(world)) == (False, "ended")
    assert "signal-ended" in [task.kind for task in tasks_of(world)]


async def test_a_younger_age_in_another_record_ends_its_signal(world: World) -> None:
    """Her parents answer then, whomever that record names, and they have not: whose own yes it was counts no more."""
    signal_id = await resting(world, until="2027-05-01")
    world.clock.move(60)
    doctor = adult(world, HUISARTS, seed="she is younger")
    await send_record(world, doctor, record(doctor, answer(FATHER, "guardian", "asked"), parties=[GGZ], age="under12"))
    assert (await seen(world), await state(world)) == (False, "ended")
    assert ("signal-ended", signal_id) in [(task.kind, task.signal_id) for task in tasks_of(world)]
