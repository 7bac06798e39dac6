"""Scenario 1: the matchcoordinators of both sides' municipalities see that two teams are to have contact (ADR 44)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from broker.domain.errors import AnswerWithheldError
from broker.domain.matches import TeamOf
from broker.domain.signals import Exclusion
from broker.flows import coordinating
from broker.flows.canonical import canonical
from broker.flows.judging import Recorded
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import Asker, household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, a_world, approval
from tests.simulators.consenting import (
    ASSESSED,
    CARING,
    HUISARTS,
    INFORMED,
    adult,
    answer,
    recorded,
    withdrawn,
)
from tests.simulators.enrolled import GEMEENTE, GEMEENTE_NOORD_HOLLAND, GI, NAMES, WIJKTEAM, Enrolled
from tests.simulators.following_up import coordinated as coordinated_by
from tests.simulators.following_up import followed_up, matches_of_side, sweep_overdue_of, who
from tests.unit.broker.flows.noted_log import recorded as noted_entries
from tests.unit.broker.flows.test_meeting_facts import BOTH as BOTH_SEE
from tests.unit.broker.flows.test_seeing_facts import a_match

CHILD = household(subject="child", parents=["mother"])
DAY = 86_400
YOUTH = {
    "ageQuarter": "2032-01-01",
    "assessment": {"on": "2026-11-20", "by": "worker-1000"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
}
BOTH = (GEMEENTE, GEMEENTE_NOORD_HOLLAND)
MUNICIPALITIES = {GEMEENTE: ("Gemeente Arnhem", "gemeente"), GEMEENTE_NOORD_HOLLAND: ("Gemeente Haarlem", "gemeente")}


@pytest.fixture(params=["memory", "sqlite"])
async def region(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core to which two municipalities belong too, that of Arnhem and that of the guardian."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        enrolled = Enrolled(names={**NAMES, **CARING, **MUNICIPALITIES})
        running.documents.in_force, running.documents.rosters = enrolled.register(), enrolled.rosters()
        yield running


async def signals(world: World, oin: str) -> str:
    """An organisation registers Mieke in the verwijsindex, and a second person agrees; return the signal's id."""
    asker = who(world, oin, purpose="verwijsindex", ground="JW-7.1.4.1")
    body = asker.registration(CHILD, **YOUTH)
    return str((await world.send_registration(asker, body, approval=approval(asker))).result["signalId"])


def coordinator(world: World, oin: str) -> Asker:
    """Return the matchcoordinator of a municipality."""
    return who(world, oin, role="matchcoordinator")


async def coordinated(world: World, oin: str) -> list[dict[str, Any]]:
    """Return what the coordinator of a municipality is shown."""
    found = (await coordinated_by(world, coordinator(world, oin))).result["found"]
    return list(cast("list[dict[str, Any]]", found))


async def noticed(world: World, oin: str) -> list[str]:
    """Return of what kinds the notices are that wait for a municipality's coordinator."""
    answer = await world.inbox(coordinator(world, oin))
    return [one["kind"] for one in cast("list[dict[str, Any]]", answer.result["notices"])]


async def test_both_municipalities_see_the_match_and_that_nobody_called(region: World) -> None:
    """Arnhem's and the guardian's are told, by the entry of the registration; both again on the day after the last."""
    await signals(region, GI)
    proposals = noted_entries(region)
    await signals(region, WIJKTEAM)
    hits: Any = proposals[-1].payloads["hits"]
    (match,) = await matches_of_side(region, WIJKTEAM)
    assert hits["coordinated"] == {match["matchId"]: [[oin, "matchcoordinatie"] for oin in BOTH]}
    for oin in BOTH:
        assert await noticed(region, oin) == ["coordinated"]
        (seen,) = await coordinated(region, oin)
        assert (seen["matchId"], seen["overdue"]) == (match["matchId"], False)
    region.clock.move(6 * DAY)
    assert [await sweep_overdue_of(region), await sweep_overdue_of(region)] == [2, 0]
    for oin in BOTH:
        assert await noticed(region, oin) == ["coordinated", "match_overdue"]
        assert [one["overdue"] for one in await coordinated(region, oin)] == [True]
    await followed_up(region, who(region, GI), match["matchId"], "contact_gehad")
    assert [[one["contacted"] for one in await coordinated(region, oin)] for oin in BOTH] == [[True], [True]]


async def test_one_municipality_that_may_not_know_takes_nothing_from_the_other(region: World) -> None:
    """Kept from the guardian's, after the match was made: nothing is told it any more, and Arnhem is told as before."""
    signal_id = await signals(region, GI)
    await signals(region, WIJKTEAM)
    if not isinstance(region.ledger, MemoryBroker):
        return
    kept = region.ledger.state.signals
    everybody = frozenset({Exclusion(organisation=GEMEENTE_NOORD_HOLLAND, worker=None)})
    kept[signal_id] = replace(kept[signal_id], exclusions=everybody)
    region.clock.move(6 * DAY)
    assert await sweep_overdue_of(region) == 1
    assert await noticed(region, GEMEENTE) == ["coordinated", "match_overdue"]
    assert (await noticed(region, GEMEENTE_NOORD_HOLLAND), await coordinated(region, GEMEENTE_NOORD_HOLLAND)) == (
        [],
        [],
    )


def test_what_has_no_room_in_the_entry_is_told_to_no_municipality(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last byte of room of its own, which nothing else of the entry takes away."""
    to = TeamOf(organisation=GEMEENTE, team="matchcoordinatie")
    alone = a_match(BOTH_SEE)
    one, other = (replace(alone, id=name, coordinators=(to,)) for name in ("one", "other"))
    group = Recorded(payload={"schema": "s" * 10_000}, kept=(), omitted=0)
    named = [[GEMEENTE, "matchcoordinatie"]]
    size = len(canonical({"coordinated": {"one": named, "other": named}}))
    monkeypatch.setattr(coordinating, "COORDINATED_ROOM", size)
    told, made = coordinating.noted(group, (alone, one, other))
    assert (told.payload, made) == (
        {**group.payload, "coordinated": {"one": named, "other": named}},
        (alone, one, other),
    )
    monkeypatch.setattr(coordinating, "COORDINATED_ROOM", size - 1)
    less, made = coordinating.noted(group, (alone, one, other))
    assert (less.payload, made) == (
        {**group.payload, "coordinated": {"one": named}}, (alone, one, replace(other, coordinators=())),
    )  # fmt: skip
    assert coordinating.noted(group, (alone,)) == (group, (alone,))


async def comes(world: World, oin: str, *parties: str) -> str:
    """An organisation records Trudy's yes to these and registers; return the id of the record."""
    asker = adult(world, oin, seed=f"comes {oin}")
    kept = await recorded(world, asker, answer(until="2027-05-01"), parties=list(parties))
    about = replace(asker, seed=f"comes {oin} signal")
    await world.register(about, household(subject="trudy"), assessment=ASSESSED, informing=INFORMED)
    return kept


@pytest.fixture
def of_arnhem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document says that everybody is at home in Arnhem, on every purpose."""
    monkeypatch.setattr(PolicyInForce, "home_of", lambda *_, **__: "arnhem-achterhoek")


@pytest.mark.usefixtures("of_arnhem")
@pytest.mark.parametrize("named_by", [(), (HUISARTS,), (WIJKTEAM,)])
async def test_a_match_on_consent_has_no_coordinator_whom_she_did_not_name(
    region: World, named_by: tuple[str, ...]
) -> None:
    """Trudy named who may know: the municipality is not, where neither record names it, or one of the two alone."""
    for oin, other in ((HUISARTS, WIJKTEAM), (WIJKTEAM, HUISARTS)):
        await comes(region, oin, other, *((GEMEENTE,) if oin in named_by else ()))
    assert len(await matches_of_side(region, WIJKTEAM)) == 1
    assert (await noticed(region, GEMEENTE), await coordinated(region, GEMEENTE)) == ([], [])


@pytest.mark.usefixtures("of_arnhem")
async def test_a_match_on_consent_has_the_coordinator_whom_she_named(region: World) -> None:
    """Both records name the municipality: it is told until one is taken back, and then no answer is told it again."""
    await comes(region, HUISARTS, WIJKTEAM, GEMEENTE)
    kept = await comes(region, WIJKTEAM, HUISARTS, GEMEENTE)
    asker = coordinator(region, GEMEENTE)
    body = asker.command(had=[])
    first = await region.send_inbox(asker, body)
    assert [one["kind"] for one in cast("list[dict[str, Any]]", first.result["notices"])] == ["coordinated"]
    assert len(await coordinated(region, GEMEENTE)) == 1
    taken_back = who(region, WIJKTEAM, purpose="volwassene", ground="TOEST")
    await withdrawn(region, taken_back, kept, parties=[GEMEENTE])
    assert len(await matches_of_side(region, WIJKTEAM)) == 1
    assert (await noticed(region, GEMEENTE), await coordinated(region, GEMEENTE)) == ([], [])
    with pytest.raises(AnswerWithheldError):
        await region.send_inbox(asker, body)
