"""What asks a holder is judged at every look: what was taken back, has ended, or is not this worker's asks nobody."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import AnswerWithheldError, NotDoneError, NotFoundError, RefusedError
from broker.flows import list_rings
from broker.flows.policy import PolicyInForce
from broker.protocol.roster import Worker
from tests.simulators import consenting
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world, documents, held_in, log_size, shield
from tests.simulators.calling import call, decide, list_own_rings, rings_in, send_decision
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, Enrolled
from tests.simulators.following_up import notices_of
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.broker.flows.test_calling import ASKED, involved, veilig_thuis
from tests.unit.policies.amsterdam import AMSTELVEEN, BUURTTEAM

DAY = 86_400
ELSEWHERE = "00000099000000019000"
ONE = Worker(sub="worker-one", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-1"}))
OTHER = Worker(sub="worker-two", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-2"}))


@pytest.fixture
async def world(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on SQLite: what is judged does not depend on the database."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield running


async def with_two_teams(world: World) -> str:
    """The school has two teams with a worker each, and is asked to call about a signal of team 1; return its id."""
    world.documents = documents(Enrolled(teams=("team-1", "team-2"), others={SCHOOL: (ONE, OTHER)}))
    signal = await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    return signal


def excluded(world: World, signal: str, worker: str) -> None:
    """The holder keeps its signal from a worker of its own."""
    with held_in(world).session() as connection:
        statement = "INSERT INTO signal_exclusions (signal_id, organisation, worker) VALUES (?, ?, ?)"
        connection.execute(statement, (signal, SCHOOL, worker))


async def told_of(world: World, oin: str) -> list[str]:
    """Return of what kinds the notices are that its worker is told of, but for matches."""
    return [kind for kind, _ in await notices_of(world, oin) if kind != "match"]


async def asked_on_consent(world: World, *lines: dict[str, Any]) -> tuple[Asker, Asker, str]:
    """A team is asked to call because the resident named it; return the asker, the holder, and the consent."""
    names = {BUURTTEAM: "wijkteam", AMSTELVEEN: "wijkteam", ELSEWHERE: "wijkteam"}
    world.documents = documents(Enrolled(names={oin: (oin, org_class) for oin, org_class in names.items()}))
    await involved(world, AMSTELVEEN, "resident")
    asker = world.asker(BUURTTEAM, purpose="casusoverleg", ground="TOEST")
    consent = await consenting.recorded(world, asker, *lines, person="resident", parties=[AMSTELVEEN])
    await call(world, asker, household(subject="resident", members=()))
    return asker, world.asker(AMSTELVEEN), consent


async def test_a_yes_that_was_taken_back_asks_nobody(world: World) -> None:
    """From the withdrawal on the ring is no ring: not listed, not decided on; who had heard of it hears of its end."""
    asker, holder, consent = await asked_on_consent(world)
    (ring,) = rings_in(await list_own_rings(world, holder))
    assert await told_of(world, AMSTELVEEN) == ["call"]
    await consenting.withdrawn(world, asker, consent)
    assert rings_in(await list_own_rings(world, holder)) == []
    with pytest.raises(NotFoundError):
        await decide(world, holder, ring["ringId"], "accept")
    assert await told_of(world, AMSTELVEEN) == ["consent_withdrawn"]


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("what", ["a longer yes", "a no towards another", "the holder about something else"])
async def test_what_takes_nothing_back_leaves_a_ring(world: World, what: str, *, accepted: bool) -> None:
    """Whatever else is recorded of who still says yes: who was asked stays asked, and who calls has the card."""
    asker, holder, consent = await asked_on_consent(world)
    (ring,) = rings_in(await list_own_rings(world, holder))
    if accepted:
        await decide(world, holder, ring["ringId"], "accept")
    told = await told_of(world, AMSTELVEEN)
    if what == "a longer yes":
        await consenting.answered_too(world, asker, consent, consenting.answer(until="2027-09-01"))
    elif what == "a no towards another":
        refused = consenting.answer(said="refused")
        await consenting.recorded(world, asker, refused, person="resident", parties=[ELSEWHERE])
    else:
        other = world.asker(AMSTELVEEN, purpose="volwassene", ground="TOEST")
        asked = consenting.answer(said="asked")
        await consenting.recorded(world, other, asked, person="resident", parties=[BUURTTEAM], purpose="volwassene")
    (still,) = rings_in(await list_own_rings(world, holder))
    assert (still["ringId"], still["caller"]["contact"] is not None) == (ring["ringId"], accepted)
    assert await told_of(world, AMSTELVEEN) == told == ["call"]


@pytest.mark.parametrize("who", ["asker", "holder"])
async def test_a_no_in_another_record_ends_a_ring_until_a_yes_again(world: World, who: str) -> None:
    """What either recorded counts, whichever record it stands in; what she says yes to again asks again."""
    asker, holder, consent = await asked_on_consent(world)
    party = AMSTELVEEN if who == "asker" else BUURTTEAM
    by = asker if who == "asker" else world.asker(AMSTELVEEN, purpose="casusoverleg", ground="TOEST")
    no = await consenting.recorded(
        world, by, consenting.answer(said="refused"), person="resident", parties=[party], purpose="casusoverleg"
    )
    assert rings_in(await list_own_rings(world, holder)) == []
    await consenting.answered_too(world, by, no, consenting.answer())
    assert len(rings_in(await list_own_rings(world, holder))) == 1
    # Where that ends two records that asked the same team, it has one notice of it.
    before = await told_of(world, AMSTELVEEN)
    await consenting.withdrawn(world, asker, consent)
    assert rings_in(await list_own_rings(world, holder)) == []
    assert (await told_of(world, AMSTELVEEN))[len(before) - 1 :] == ["consent_withdrawn"]


@pytest.mark.parametrize(("knows", "kinds"), [("nothing", []), ("listed", ["consent_withdrawn"])])
async def test_who_never_heard_of_a_ring_hears_nothing_of_its_end(world: World, knows: str, kinds: list[str]) -> None:
    """A ring of which nothing was read just goes; who listed it, and fetched no notice, is told that it ended."""
    asker, holder, consent = await asked_on_consent(world)
    if knows == "listed":
        await list_own_rings(world, holder)
    await consenting.withdrawn(world, asker, consent)
    assert await told_of(world, AMSTELVEEN) == kinds


async def test_whom_to_call_is_not_told_again_after_a_withdrawal(world: World) -> None:
    """The card that a holder was shown is withheld once the resident took her yes back (red line 6)."""
    asker, holder, consent = await asked_on_consent(world)
    (ring,) = rings_in(await list_own_rings(world, holder))
    body = holder.command(answer="accept", team=None)
    first = await send_decision(world, holder, ring["ringId"], body)
    assert rings_in(first)[0]["caller"]["contact"]["phone"] == "026 000 0000"
    await consenting.withdrawn(world, asker, consent)
    with pytest.raises(AnswerWithheldError):
        await send_decision(world, holder, ring["ringId"], body)
    assert rings_in(await list_own_rings(world, holder)) == []


async def test_a_yes_that_ran_out_asks_nobody(world: World) -> None:
    """The day after its last one the ring is no ring, and the card that was shown is not shown again."""
    line = consenting.answer(until=(world.clock.today() + timedelta(days=1)).isoformat())
    _, holder, _ = await asked_on_consent(world, line)
    world.clock.move(DAY)
    (ring,) = rings_in(await list_own_rings(world, holder))
    body = holder.command(answer="accept", team=None)
    assert rings_in(await send_decision(world, holder, ring["ringId"], body))[0]["caller"]["contact"] is not None
    world.clock.move(DAY)
    with pytest.raises(AnswerWithheldError):
        await send_decision(world, holder, ring["ringId"], body)
    assert rings_in(await list_own_rings(world, holder)) == []
    with pytest.raises(NotFoundError):
        await decide(world, holder, ring["ringId"], "decline")


async def test_whom_to_call_rests_on_the_askers_standing(world: World) -> None:
    """Suspended later, or in between, who asked is not told of again: the answer goes by his stamp."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    (ring,) = rings_in(await list_own_rings(world, world.asker(SCHOOL)))
    proposals = recorded(world)
    await decide(world, world.asker(SCHOOL), ring["ringId"], "accept")
    answer = proposals[-1].answer
    assert answer is not None
    for stamps in (answer.rests_on, proposals[-1].relies_on):
        assert VEILIG_THUIS.encode() in {stamp.of.key for stamp in stamps}


async def test_who_was_asked_is_not_asked_again_for_the_same(world: World) -> None:
    """Declined or not yet decided: another oproep of this asker for this purpose rings whoever was not asked."""
    await involved(world)
    school = world.asker(SCHOOL)
    sent = [await call(world, veilig_thuis(world, seed="first"), ASKED)]
    (ring,) = rings_in(await list_own_rings(world, school))
    sent.append(await call(world, veilig_thuis(world, seed="second"), ASKED))
    assert rings_in(await list_own_rings(world, school)) == [ring]
    await decide(world, school, ring["ringId"], "decline")
    sent.append(await call(world, veilig_thuis(world, seed="third"), ASKED))
    assert rings_in(await list_own_rings(world, school)) == []
    texts: list[Any] = [one.result["text"] for one in sent]
    assert {text["id"] for text in texts} == {"call.sent"}
    world.clock.move(8 * DAY)
    await call(world, veilig_thuis(world, seed="later"), ASKED)
    assert len(rings_in(await list_own_rings(world, school))) == 1


async def test_nobody_is_told_whom_to_call_while_nobody_watches_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing and accepting stop, whatever asks; declining tells nobody anything, and goes on (ADR 24)."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    monkeypatch.setattr(type(world.log), "disclosures_stopped", lambda _: True)
    with pytest.raises(NotDoneError):
        await list_own_rings(world, school)
    with pytest.raises(NotDoneError):
        await decide(world, school, ring["ringId"], "accept")
    await decide(world, school, ring["ringId"], "decline")


async def _withdrawn(world: World, signal: str) -> None:
    await world.withdraw(world.asker(SCHOOL, seed="withdraws"), signal)


async def _ended(world: World, signal: str) -> None:
    day = world.clock.today() - timedelta(days=1)
    held_in(world).write("UPDATE signals SET ends_on = ? WHERE id = ?", day.isoformat(), signal)


async def _asker_suspended(world: World, _signal: str) -> None:
    world.documents = documents(Enrolled(suspended=frozenset({VEILIG_THUIS})))


async def _asker_gone(world: World, _signal: str) -> None:
    names = {oin: name for oin, name in Enrolled().names.items() if oin != VEILIG_THUIS}
    world.documents = documents(Enrolled(names=names))


@pytest.mark.parametrize("happens", [_withdrawn, _ended, _asker_suspended, _asker_gone])
async def test_what_holds_no_more_asks_nobody(world: World, happens: Any) -> None:  # noqa: ANN401 - one of the above
    """A signal that was withdrawn or has ended, and an asker that may act no more: there is no ring."""
    signal = await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    await happens(world, signal)
    assert rings_in(await list_own_rings(world, school)) == []
    with pytest.raises(NotFoundError):
        await decide(world, school, ring["ringId"], "accept")
    assert await told_of(world, SCHOOL) == []


async def test_a_holder_who_shields_his_own_signal_still_decides(world: World) -> None:
    """A shield keeps others out, not its holder: whether he calls is his to decide, as before."""
    signal = await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    await shield(world, signal)
    assert len(rings_in(await list_own_rings(world, world.asker(SCHOOL)))) == 1


async def test_only_the_team_that_is_asked_decides(world: World) -> None:
    """A colleague of another team is refused openly, recorded and without effect; handed on to him, he may."""
    await with_two_teams(world)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school, worker=OTHER.sub))
    size = await log_size(world)
    for choice, team in (("accept", None), ("decline", None), ("forward", "team-2")):
        with pytest.raises(RefusedError) as refused:
            await decide(world, school, ring["ringId"], choice, team=team, worker=OTHER.sub)
        assert refused.value.document["type"] == "urn:sluis:problem:call-of-another-team"
    assert await log_size(world) == size + 3
    assert rings_in(await list_own_rings(world, school, worker=ONE.sub)) == [ring]
    await decide(world, school, ring["ringId"], "forward", team="team-2", worker=ONE.sub)
    answer = await decide(world, school, ring["ringId"], "accept", worker=OTHER.sub)
    assert rings_in(answer)[0]["state"] == "accepted"


async def test_who_is_kept_from_a_signal_reads_nothing_that_comes_in_about_it(world: World) -> None:
    """Family who works at the holder: no ring, no notice of it, and an id that he guesses is unknown."""
    signal = await with_two_teams(world)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school, worker=ONE.sub))
    excluded(world, signal, "worker-4000")
    assert rings_in(await list_own_rings(world, school)) == []
    with pytest.raises(NotFoundError):
        await decide(world, school, ring["ringId"], "decline")
    assert await told_of(world, SCHOOL) == []
    assert rings_in(await list_own_rings(world, school, worker=ONE.sub)) == [ring]


async def test_who_is_kept_from_a_shielded_signal_is_not_told_that_it_was_hit(world: World) -> None:
    """That somebody came upon the household is told to the holder's workers, and not to who must not see the signal."""
    signal = await involved(world)
    await shield(world, signal)
    await call(world, veilig_thuis(world), ASKED)
    assert await told_of(world, SCHOOL) == ["shield_alert"]
    excluded(world, signal, "worker-4000")
    assert await told_of(world, SCHOOL) == []


async def test_for_what_is_asked_is_told_to_who_will_call(world: World) -> None:
    """Before he decided a holder reads that somebody has a question; that there is a report is not told by it."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    assert ring["purpose"] is None
    (accepted,) = rings_in(await decide(world, school, ring["ringId"], "accept"))
    assert accepted["purpose"] == "vt-melding"


async def test_a_page_is_filled_with_what_may_be_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings that may not be seen take no place: a page goes on after them until it is full."""
    monkeypatch.setattr(list_rings, "CALLS_PER_PAGE", 2)
    signals = [await involved(world, subject=f"child {number}") for number in range(5)]
    for number in range(5):
        await call(world, veilig_thuis(world, seed=str(number)), household(subject=f"child {number}", members=()))
    listed = await _all(world)
    assert len(listed) == 5
    gone = {one["signalId"] for one in listed[:3]}
    for signal in gone:
        await world.withdraw(world.asker(SCHOOL, seed=signal), signal)
    assert [one["signalId"] for one in await _all(world)] == [one["signalId"] for one in listed[3:]]
    assert gone < set(signals)


async def _all(world: World) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    page = rings_in(await list_own_rings(world, world.asker(SCHOOL)))
    while page:
        listed += page
        page = rings_in(await list_own_rings(world, world.asker(SCHOOL), after=page[-1]["ringId"]))
    return listed


async def test_a_notice_about_nothing_that_is_left_is_not_told(world: World) -> None:
    """A ring or a signal that is there no more leaves no notice behind."""
    await involved(world)
    for kind in ("call", "shield_alert"):
        await call(world, veilig_thuis(world, seed=kind), ASKED)
        held_in(world).write("UPDATE notices SET kind = ?, about = ?", kind, "0" * 32)
        assert await told_of(world, SCHOOL) == []


async def test_a_ring_about_anothers_signal_is_none(world: World) -> None:
    """What does not belong together in the database is shown to nobody."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    other = await involved(world, VEILIG_THUIS, "stranger")
    held_in(world).write("UPDATE call_rings SET signal_id = ?", other)
    assert rings_in(await list_own_rings(world, world.asker(SCHOOL))) == []
