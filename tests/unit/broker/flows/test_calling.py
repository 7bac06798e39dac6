"""The oproep: who is asked to call, what holders decide, and that the asker never reads a word of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import (
    FieldRuleError,
    NotDoneError,
    NotFoundError,
    RefusedError,
    RoleNotAllowedError,
    TeamUnknownError,
)
from broker.domain.signals import Exclusion
from broker.flows.policy import PolicyInForce
from tests.simulators import consenting
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world, documents, held_in, log_size, shield, tasks_of
from tests.simulators.calling import call, calls_in, decide, list_own_calls, list_own_rings, rings_in, send_decision
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.policies.amsterdam import AMSTELVEEN, BUURTTEAM, GGZ_AMSTERDAM

ASKED = household(subject="child", parents=("mother",), members=("brother",))


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core that commits at once; oproepen are kept in databases only."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


def veilig_thuis(world: World, **changed: Any) -> Asker:  # noqa: ANN401 - fields of an asker
    """Return a worker of Veilig Thuis who works on a melding."""
    return world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6", **changed)


async def involved(world: World, oin: str = SCHOOL, subject: str = "child") -> str:
    """An organisation has a signal on somebody; return its id."""
    answer = await world.register(world.asker(oin, seed=subject), household(subject=subject, parents=("mother",)))
    return str(answer.result["signalId"])


async def notices_for(world: World, oin: str) -> list[dict[str, Any]]:
    """Return what waits in an organisation's inbox, but for matches."""
    answer: Any = (await world.inbox(world.asker(oin, seed="inbox"))).result
    return [notice for notice in answer["notices"] if notice["kind"] != "match"]


def with_a_second_team(world: World, oin: str) -> None:
    """The organisation's roster has a team besides the first."""
    roster = world.documents.rosters[oin]
    teams = {**roster.teams, "team-2": replace(roster.teams["team-1"], code="team-2")}
    world.documents.rosters = {**world.documents.rosters, oin: replace(roster, teams=teams)}


async def test_the_team_that_is_involved_is_asked_and_the_asker_reads_that_it_was_sent(world: World) -> None:
    """A holder reads who asks, for what, about which own signal and until when; the asker reads wording.md, no more."""
    signal = await involved(world)
    sent = await call(world, veilig_thuis(world), ASKED)
    assert sent.result["outcome"] == "sent"
    assert sent.result["text"] == {"id": "call.sent", "params": {"date": "28 november 2026"}}
    (ring,) = rings_in(await list_own_rings(world, world.asker(SCHOOL)))
    assert (ring["signalId"], ring["team"], ring["state"]) == (signal, "team-1", "waiting")
    assert ring["caller"] == {"oin": VEILIG_THUIS, "name": "Veilig Thuis Gelderland-Midden", "contact": None}
    (notice,) = await notices_for(world, SCHOOL)
    assert (notice["kind"], notice["team"], notice["about"]) == ("call", "team-1", ring["ringId"])


async def test_who_accepts_is_told_whom_to_call(world: World) -> None:
    """Accepting shows the contact card of the asking team, at once and in the list until the last day."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    answer = await decide(world, school, ring["ringId"], "accept")
    (accepted,) = rings_in(answer)
    assert accepted["state"] == "accepted"
    assert accepted["caller"]["contact"]["phone"] == "026 000 0000"
    assert rings_in(await list_own_rings(world, school)) == [accepted]


async def test_who_declines_is_asked_no_more(world: World) -> None:
    """Declining is a right: it is noted, nobody is told, and the ring is gone from the list."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    answer = await decide(world, school, ring["ringId"], "decline")
    assert (rings_in(answer)[0]["state"], rings_in(answer)[0]["caller"]["contact"]) == ("declined", None)
    assert rings_in(await list_own_rings(world, school)) == []


async def test_another_team_is_asked_instead(world: World) -> None:
    """The wrong team hands it on inside its organisation; the other team is told as the first one was."""
    with_a_second_team(world, SCHOOL)
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    await decide(world, school, ring["ringId"], "forward", team="team-2")
    (forwarded,) = rings_in(await list_own_rings(world, school))
    assert (forwarded["team"], forwarded["state"]) == ("team-2", "waiting")
    notices = await notices_for(world, SCHOOL)
    assert [notice["team"] for notice in notices] == ["team-1", "team-2"]
    assert rings_in(await decide(world, school, ring["ringId"], "accept"))[0]["state"] == "accepted"


@pytest.mark.parametrize("choice", ["accept", "decline", "forward"])
async def test_a_ring_is_decided_once(world: World, choice: str) -> None:
    """Deciding again is refused with a problem of its own, recorded, and changes nothing."""
    with_a_second_team(world, SCHOOL)
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    await decide(world, school, ring["ringId"], "accept")
    before, size = rings_in(await list_own_rings(world, school)), await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await decide(world, school, ring["ringId"], choice, team="team-2" if choice == "forward" else None)
    assert refused.value.document["type"] == "urn:sluis:problem:call-answered"
    assert await log_size(world) == size + 1
    assert rings_in(await list_own_rings(world, school)) == before


async def test_after_its_last_day_nobody_is_asked(world: World) -> None:
    """Doing nothing is an answer too: the ring leaves the list, and is decided on no more."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    (ring,) = rings_in(await list_own_rings(world, world.asker(SCHOOL)))
    assert ring["askedUntil"] == "2026-11-27"
    world.clock.move(9 * 86_400)
    late = world.asker(SCHOOL, seed="late")
    assert rings_in(await list_own_rings(world, late)) == []
    with pytest.raises(RefusedError) as refused:
        await decide(world, late, ring["ringId"], "accept")
    assert refused.value.document["type"] == "urn:sluis:problem:call-over"


async def test_the_same_decision_sent_again_has_the_same_answer(world: World) -> None:
    """One key, one effect: a holder who did not get the answer asks again and reads what he was told."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    body = school.command(answer="accept", team=None)
    first = await send_decision(world, school, ring["ringId"], body)
    again = await send_decision(world, school, ring["ringId"], body)
    assert again.replayed
    assert (again.result, again.receipt) == (first.result, first.receipt)


async def test_what_may_not_be_rung_hears_nothing(world: World) -> None:
    """A shielded signal, the asker's own and one that excludes him ring nobody; the shield's holder is told apart."""
    shielded, excluding = await involved(world), await involved(world, GI, "brother")
    await involved(world, VEILIG_THUIS)
    await shield(world, shielded)
    with held_in(world).session() as connection:
        exclusion = Exclusion(organisation=VEILIG_THUIS, worker=None)
        statement = "INSERT INTO signal_exclusions (signal_id, organisation, worker) VALUES (?, ?, ?)"
        connection.execute(statement, (excluding, exclusion.organisation, exclusion.worker or ""))
    await call(world, veilig_thuis(world), ASKED)
    assert held_in(world).rows("SELECT count(*) FROM call_rings")[0][0] == 0
    (notice,) = await notices_for(world, SCHOOL)
    assert (notice["kind"], notice["about"]) == ("shield_alert", shielded)


async def test_one_signal_rings_once_however_it_was_found(world: World) -> None:
    """A signal that matches as a person and by the family is one question to one professional."""
    await involved(world)
    await involved(world, GI, "brother")
    await call(
        world, veilig_thuis(world), household(subject="child", parents=("mother",), members=("brother", "child"))
    )
    assert held_in(world).rows("SELECT organisation FROM call_rings ORDER BY organisation") == [(GI,), (SCHOOL,)]


async def test_who_may_not_call_is_refused_openly_and_rings_nobody(world: World) -> None:
    """Without a proof of its task Veilig Thuis sends no oproep: it reads why, and nobody was looked up."""
    await involved(world)
    with pytest.raises(RefusedError):
        await call(world, veilig_thuis(world), ASKED, proof=None)
    assert held_in(world).rows("SELECT count(*) FROM calls")[0][0] == 0


async def test_a_gi_calls_on_an_order_and_its_entry_shows_nobody(world: World) -> None:
    """The entry is of kind oproep with outcome sent; its `meta`, which the asker opens, names no holder."""
    await involved(world)
    gi = world.asker(GI, purpose="gi-maatregel", ground="JW-7.3.11-4")
    order = {"kind": "maatregel", "reference": "cd" * 32, "since": "2026-06-01", "endsOn": "2027-05-01"}
    proposals = recorded(world)
    await call(world, gi, ASKED, proof=order)
    meta: Any = proposals[-1].payloads["meta"]
    assert (proposals[-1].kind, meta["outcome"], meta["shown"]) == ("oproep", "sent", [])
    assert meta["request"]["proof_reference"] == order["reference"]
    hits: Any = proposals[-1].payloads["hits"]
    assert len(hits["decisions"]) == 1


async def test_duties_of_an_oproep_are_tasks(world: World) -> None:
    """What comes with the permit, such as informing the family, stands on a list in the same transaction."""
    await call(world, veilig_thuis(world), ASKED)
    assert [(task.kind, task.organisation) for task in tasks_of(world)] == [("informeer_betrokkene", VEILIG_THUIS)]


async def test_anothers_ring_is_no_ring(world: World) -> None:
    """Who guesses the id of another organisation's ring reads what an id that does not exist reads."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    (ring,) = rings_in(await list_own_rings(world, world.asker(SCHOOL)))
    for asker in (veilig_thuis(world, seed="own"), world.asker(GI)):
        with pytest.raises(NotFoundError):
            await decide(world, asker, ring["ringId"], "accept")
    with pytest.raises(NotFoundError):
        await decide(world, world.asker(SCHOOL, seed="2"), "0" * 32, "accept")


async def test_a_decision_keeps_its_own_rules(world: World) -> None:
    """A team is named to forward and only then; it is another one, with a contact card; and a worker decides."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    school = world.asker(SCHOOL)
    (ring,) = rings_in(await list_own_rings(world, school))
    for choice, team in (("accept", "team-2"), ("forward", None), ("forward", "team-1")):
        with pytest.raises(FieldRuleError):
            await decide(world, school, ring["ringId"], choice, team=team)
    with pytest.raises(TeamUnknownError):
        await decide(world, school, ring["ringId"], "forward", team="nobody")
    for reader in (list_own_rings, list_own_calls):
        with pytest.raises(RoleNotAllowedError):
            await reader(world, world.asker(SCHOOL, role="fg"))


async def test_an_organisation_reads_its_own_oproepen(world: World) -> None:
    """The asker's list has every oproep of his organisation, by id, and of nobody else."""
    asker = veilig_thuis(world)
    sent = [calls_in(await call(world, asker, ASKED))[0] for _ in range(3)]
    listed = calls_in(await list_own_calls(world, asker))
    assert listed == sorted(sent, key=lambda one: str(one["callId"]))
    assert calls_in(await list_own_calls(world, asker, after=listed[0]["callId"])) == listed[1:]
    assert calls_in(await list_own_calls(world, world.asker(WIJKTEAM))) == []


async def test_nothing_is_rung_while_nobody_watches_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once witnesses are away too long an oproep is not done, whoever is involved (ADR 24)."""
    await involved(world)
    monkeypatch.setattr(type(world.log), "disclosures_stopped", lambda _: True)
    with pytest.raises(NotDoneError):
        await call(world, veilig_thuis(world), ASKED)
    assert held_in(world).rows("SELECT count(*) FROM call_rings")[0][0] == 0


async def test_with_consent_only_whom_the_resident_named_is_asked(world: World) -> None:
    """A party she named is asked, an equally involved one she did not name is not; taken back, nobody is."""
    names = {BUURTTEAM: "wijkteam", AMSTELVEEN: "wijkteam", GGZ_AMSTERDAM: "ggz"}
    world.documents = documents(Enrolled(names={oin: (oin, org_class) for oin, org_class in names.items()}))
    for oin in (AMSTELVEEN, GGZ_AMSTERDAM):
        await involved(world, oin, "resident")
    asker = world.asker(BUURTTEAM, purpose="casusoverleg", ground="TOEST")
    consent = await consenting.recorded(world, asker, person="resident", parties=[AMSTELVEEN])
    resident = household(subject="resident", members=())
    await call(world, asker, resident)
    rung = [rings_in(await list_own_rings(world, world.asker(oin))) for oin in (AMSTELVEEN, GGZ_AMSTERDAM)]
    assert [len(rings) for rings in rung] == [1, 0]
    await consenting.withdrawn(world, asker, consent)
    with pytest.raises(RefusedError) as refused:
        await call(world, asker, resident)
    assert refused.value.document["textId"] == "vraag.consent-ended"
