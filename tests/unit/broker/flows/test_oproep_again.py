"""Who is asked by a second oproep: whoever did not decline the very same, and never twice by two rings (ADR 48)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.call_ports import calls_key
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from broker.store.calls import StoredCalls
from tests.simulators import consenting
from tests.simulators.asking import household
from tests.simulators.barrier import AtOnce, Schedule
from tests.simulators.broker_world import World, a_world, held_in
from tests.simulators.calling import MELDING, call, calls_in, decide, list_own_calls, list_own_rings, rings_in
from tests.simulators.enrolled import SCHOOL, WIJKTEAM
from tests.simulators.following_up import notices_of
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.broker.flows.test_calling import ASKED, involved, veilig_thuis, with_a_second_team
from tests.unit.broker.flows.test_rings_judged_anew import asked_on_consent
from tests.unit.broker.flows.test_still_asked import on_own_signals

DAY = 86_400
NEW_REPORT = {**MELDING, "reference": "cd" * 32, "since": "2026-11-22"}


@pytest.fixture
async def world(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on SQLite: who is asked does not depend on the database."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield running


async def sent(world: World, **changed: Any) -> Answered:  # noqa: ANN401 - members of a body
    """Return what Veilig Thuis reads of an oproep about the child."""
    size = len(held_in(world).rows("SELECT id FROM calls"))
    return await call(world, veilig_thuis(world, seed=str(size)), ASKED, **changed)


async def rung(world: World) -> list[dict[str, Any]]:
    """Return what asks the school's teams now."""
    return rings_in(await list_own_rings(world, world.asker(SCHOOL, seed="looks")))


async def answered(world: World, choice: str) -> dict[str, Any]:
    """Return the one ring of the school after this decision on it."""
    (ring,) = await rung(world)
    (after,) = rings_in(await decide(world, world.asker(SCHOOL, seed=choice), ring["ringId"], choice))
    return after


async def told_of(world: World) -> list[str]:
    """Return the notices that the school fetches: by which it knows of them from now on."""
    return [about for kind, about in await notices_of(world, SCHOOL) if kind == "call"]


@pytest.mark.parametrize("choice", ["decline", "accept", None])
async def test_another_report_is_another_question(world: World, choice: str | None) -> None:
    """Whatever was done with an oproep about one report: one about the next report asks everybody."""
    await involved(world)
    await sent(world)
    before = [] if choice is None else [await answered(world, choice)]
    if choice is None:
        before = await rung(world)
    told = await sent(world, proof=NEW_REPORT)
    waiting = [ring for ring in await rung(world) if ring["ringId"] not in {one["ringId"] for one in before}]
    assert [ring["state"] for ring in waiting] == ["waiting"]
    assert calls_in(told)[0]["askedUntil"] == waiting[0]["askedUntil"]


async def test_who_did_not_look_is_asked_until_the_later_day(world: World) -> None:
    """The ring goes on under the second oproep: one ring, with the day that the asker reads, and one notice more."""
    await involved(world)
    await sent(world)
    (first,) = await rung(world)
    assert len(await told_of(world)) == 1
    world.clock.move(3 * DAY)
    told = await sent(world)
    (again,) = await rung(world)
    assert again == {**first, "askedUntil": calls_in(told)[0]["askedUntil"]}
    assert again["askedUntil"] > first["askedUntil"]
    assert len(await told_of(world)) == 2
    world.clock.move(4 * DAY)
    assert await rung(world) == [again]


async def test_who_heard_of_neither_oproep_hears_of_it_once(world: World) -> None:
    """Two oproepen before the inbox was fetched leave one notice: it is one ring."""
    await involved(world)
    await sent(world)
    await sent(world)
    assert len(await told_of(world)) == 1


async def test_who_will_call_can_do_so_until_the_later_day(world: World) -> None:
    """Accepted and asked again for the same: the card stays to be read for as long as the asker was told to wait."""
    await involved(world)
    await sent(world)
    accepted = await answered(world, "accept")
    world.clock.move(3 * DAY)
    told = await sent(world)
    assert await rung(world) == [{**accepted, "askedUntil": calls_in(told)[0]["askedUntil"]}]


async def test_who_declined_is_not_asked_the_same_again(world: World) -> None:
    """Declining is done once, also where another team of the asker asks about that report."""
    await involved(world)
    await sent(world)
    await answered(world, "decline")
    with_a_second_team(world, veilig_thuis(world).oin)
    for team in ("team-1", "team-2"):
        await sent(world, team=team)
        assert await rung(world) == []


async def test_another_team_that_asks_has_a_ring_of_its_own(world: World) -> None:
    """Whoever calls back calls one team: neither takes the place of the other."""
    with_a_second_team(world, veilig_thuis(world).oin)
    await involved(world)
    await sent(world)
    await sent(world, team="team-2")
    assert [ring["state"] for ring in await rung(world)] == ["waiting", "waiting"]


async def test_a_ring_stands_on_its_own_oproep(world: World) -> None:
    """Asked by another own signal, which ends: the first oproep still asks, for that is what its asker was told."""
    world.policy = on_own_signals(world.policy)
    await involved(world)
    own = {
        subject: await world.register(world.asker(WIJKTEAM, seed=subject), household(subject=subject))
        for subject in ("child", "brother")
    }
    for subject in own:
        asked = household(subject=subject, parents=("mother",), members=())
        await call(world, world.asker(WIJKTEAM, seed=f"asks {subject}"), asked)
    first, second = await rung(world)
    assert first["signalId"] == second["signalId"]
    day = (world.clock.today() - timedelta(days=1)).isoformat()
    held_in(world).write("UPDATE signals SET ends_on = ? WHERE id = ?", day, own["brother"].result["signalId"])
    assert len(await rung(world)) == 1
    held_in(world).write("UPDATE signals SET ends_on = ? WHERE id = ?", day, own["child"].result["signalId"])
    assert await rung(world) == []


async def test_a_forwarded_ring_goes_on_where_it_is(world: World) -> None:
    """The team that it was handed to is asked again, not the one that handed it on."""
    with_a_second_team(world, SCHOOL)
    await involved(world)
    await sent(world)
    (ring,) = await rung(world)
    await decide(world, world.asker(SCHOOL), ring["ringId"], "forward", team="team-2")
    await sent(world)
    assert [one["team"] for one in await rung(world)] == ["team-2"]


async def test_another_consent_is_another_question(world: World) -> None:
    """On the same agreement nobody is asked twice; what she says later is a new one, and asks anew."""
    asker, holder, _ = await asked_on_consent(world)
    resident = household(subject="resident", members=())
    await call(world, asker, resident)
    (ring,) = rings_in(await list_own_rings(world, holder))
    await decide(world, holder, ring["ringId"], "decline")
    await consenting.recorded(world, asker, person="resident", parties=[holder.oin])
    await call(world, asker, resident)
    (anew,) = rings_in(await list_own_rings(world, holder))
    assert (anew["state"], anew["ringId"] != ring["ringId"]) == ("waiting", True)


def once_during(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Awaitable[object]]) -> None:
    """While an oproep looks who was asked before, something else is committed; once."""
    honest, done = StoredCalls.asked_by, list[bool]()
    unscheduled: Any = AtOnce(world, Schedule([]))
    world.log = unscheduled

    async def asked_by(calls: StoredCalls, **asked: Any) -> Any:  # noqa: ANN401 - as the one beside it
        found = await honest(calls, **asked)
        if not done:
            done.append(True)
            await meanwhile()
        return found

    monkeypatch.setattr(StoredCalls, "asked_by", asked_by)


async def test_of_two_oproepen_at_once_one_rings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decided in the same tick the second sees what the first rang: one ring, and both are acknowledged."""
    await involved(world)
    once_during(world, monkeypatch, lambda: call(world, veilig_thuis(world, seed="other"), ASKED))
    told = await sent(world)
    assert told.result["outcome"] == "sent"
    assert len(held_in(world).rows("SELECT id FROM calls")) == 2
    assert len(await rung(world)) == 1


async def test_two_oproepen_at_once_are_decided_alike_whomever_they_reach(world: World) -> None:
    """What makes the second one stale is the asker's own: it moves where nobody is involved, too (D8)."""
    proposals = recorded(world)
    await sent(world)
    key = calls_key(veilig_thuis(world).oin, "vt-melding")
    assert key in {stamp.of for stamp in proposals[-1].relies_on}
    (stamp,) = await world.signals.stamps([key])
    assert stamp.version == 1


async def test_who_declines_at_that_moment_is_not_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decline between looking and committing counts: the oproep is decided anew, and nobody is rung."""
    await involved(world)
    await sent(world)
    once_during(world, monkeypatch, lambda: answered(world, "decline"))
    assert (await sent(world)).result["outcome"] == "sent"
    assert await rung(world) == []


async def test_the_asker_reads_the_same_whatever_was_done_before(world: World) -> None:
    """Declined, waiting or nobody there: a second oproep is acknowledged in the same words with the same day."""
    await involved(world)
    first = await sent(world)
    await answered(world, "decline")
    answers = [first, await sent(world), await sent(world, proof=NEW_REPORT)]
    answers.append(await call(world, veilig_thuis(world, seed="nobody"), household(subject="stranger", members=())))
    assert len({str(one.result["text"]) for one in answers}) == 1
    listed = calls_in(await list_own_calls(world, veilig_thuis(world, seed="lists")))
    assert len({tuple(sorted((key, str(one[key])) for key in one if key != "callId")) for one in listed}) == 1
