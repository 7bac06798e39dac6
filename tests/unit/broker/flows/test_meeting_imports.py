"""An imported signal is met in its turn: who was there is told, if he may see it; who imported it looks himself."""

from typing import Any, cast

import pytest

from broker.domain.errors import StaleDecisionError
from broker.domain.signals import SignalState
from broker.flows import meet_imported as meeting
from broker.flows.errors import DecisionFailedError
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, documents, log_size, shield
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import followed_up, matches_of_side, notices_of, who
from tests.simulators.importing import imports, takes_turn
from tests.unit.broker.flows.noted_log import recorded

IN_MEMORY = pytest.mark.parametrize("world", ["memory"], indirect=True)
"""For what the database has no part in: how the readings of each store answer is held by the tests beside it."""
CHILD = household(subject="child", parents=["mother"], address="home")
SISTER = household(subject="sister", parents=["mother"])
NEIGHBOUR = household(subject="neighbour", address="home")


def holders(matches: list[dict[str, Any]]) -> set[str]:
    """Return who is on the other side of these matches."""
    return {match["involved"]["holder"]["oin"] for match in matches}


async def test_who_was_there_is_told_in_the_turn_of_an_imported_signal(world: World) -> None:
    """Before its turn nobody knows; then the holder has a match and a notice, and who imported it has neither (D2)."""
    await world.register(who(world, GI), CHILD)
    await imports(world, WIJKTEAM, CHILD)
    assert await matches_of_side(world, GI) == []
    assert await takes_turn(world) == WIJKTEAM
    (match,) = await matches_of_side(world, GI)
    assert (holders([match]), match["madeOn"]) == ({WIJKTEAM}, "2026-11-22")
    assert await notices_of(world, GI) == [("match", match["matchId"])]
    assert await matches_of_side(world, WIJKTEAM) == []
    assert await notices_of(world, WIJKTEAM) == []


@IN_MEMORY
async def test_an_import_is_no_look(world: World) -> None:
    """Whatever its signals meet, who imported them reads the same, and takes a mistake back without a review."""
    await world.register(who(world, GI), CHILD)
    answer = await imports(world, WIJKTEAM, CHILD)
    await takes_turn(world)
    told = await world.withdraw(who(world, WIJKTEAM), str(answer.result["signalId"]))
    assert told.result["outcome"] == "done"


async def test_a_later_registration_meets_what_was_imported_and_is_not_met_again(world: World) -> None:
    """Who registers beside an imported signal is told at once, and its turn makes no second match of the two."""
    await imports(world, WIJKTEAM, CHILD)
    await world.register(who(world, GI), CHILD)
    assert (len(await matches_of_side(world, GI)), len(await matches_of_side(world, WIJKTEAM))) == (1, 1)
    assert await takes_turn(world) == WIJKTEAM
    assert (len(await matches_of_side(world, GI)), len(await matches_of_side(world, WIJKTEAM))) == (1, 1)
    assert len(await notices_of(world, WIJKTEAM)) == 1


@IN_MEMORY
async def test_two_imports_meet_once(world: World) -> None:
    """Two caseloads that hold the same family: one of the two is told, in one match, and can call the other."""
    await imports(world, WIJKTEAM, CHILD)
    await imports(world, GI, SISTER)
    assert await takes_turn(world) == WIJKTEAM
    assert await takes_turn(world, after=WIJKTEAM) == GI
    assert (len(await matches_of_side(world, GI)), len(await notices_of(world, GI))) == (1, 1)
    assert await matches_of_side(world, WIJKTEAM) == []


async def test_organisations_take_turns(world: World) -> None:
    """Who imports one signal does not wait for another's whole caseload; round and again."""
    for name in ("one", "two", "three"):
        await imports(world, WIJKTEAM, household(subject=name))
    await imports(world, GI, household(subject="four"))
    after, turns = "", []
    for _ in range(5):
        after = await takes_turn(world, after=after)
        turns.append(after)
    assert turns == [WIJKTEAM, GI, WIJKTEAM, WIJKTEAM, WIJKTEAM]


@IN_MEMORY
async def test_a_turn_is_one_entry_whoever_was_met(world: World) -> None:
    """With a match, without one, and without anybody who waits the log grows by one entry of one kind."""
    await world.register(who(world, GI), CHILD)
    await imports(world, WIJKTEAM, CHILD)
    await imports(world, WIJKTEAM, household(subject="stranger"))
    before, written = await log_size(world), recorded(world)
    for number in range(1, 4):
        await takes_turn(world)
        assert await log_size(world) == before + number
    assert [one.kind for one in written] == ["retention"] * 3
    for group in ("meta", "actor"):
        assert [one.payloads[group] for one in written] == [written[-1].payloads[group]] * 3


@IN_MEMORY
async def test_an_import_meets_nobody_by_address_alone(world: World) -> None:
    """A flat is no household, in a turn as in a registration."""
    await world.register(who(world, GI), NEIGHBOUR)
    await imports(world, WIJKTEAM, CHILD)
    await takes_turn(world)
    assert await matches_of_side(world, WIJKTEAM) == []
    assert await matches_of_side(world, GI) == []


async def test_of_a_shielded_signal_its_holder_alone_is_told(world: World) -> None:
    """The importing side reads what it would read without that signal; the holder who shielded it has a match."""
    first = await world.register(who(world, GI), CHILD)
    await shield(world, str(first.result["signalId"]))
    await imports(world, WIJKTEAM, CHILD)
    written = recorded(world)
    await takes_turn(world)
    payloads = written[0].payloads
    assert (payloads["hits"]["met"], len(cast("list[object]", payloads["shielded"]["met"]))) == ([], 1)
    assert await matches_of_side(world, WIJKTEAM) == []
    assert await notices_of(world, WIJKTEAM) == []
    assert holders(await matches_of_side(world, GI)) == {WIJKTEAM}
    assert [kind for kind, _ in await notices_of(world, GI)] == ["match"]


@IN_MEMORY
async def test_an_imported_signal_that_was_shielded_meanwhile_tells_nobody(world: World) -> None:
    """Nobody is told of it, in its turn as at any other time; what was decided stands where its holder's FG reads."""
    await world.register(who(world, GI), CHILD)
    answer = await imports(world, WIJKTEAM, CHILD)
    await shield(world, str(answer.result["signalId"]))
    written = recorded(world)
    await takes_turn(world)
    payloads = written[0].payloads
    assert (payloads["hits"]["met"], len(cast("list[object]", payloads["shielded"]["met"]))) == ([], 1)
    assert await matches_of_side(world, GI) == []
    assert await notices_of(world, GI) == []


@IN_MEMORY
async def test_who_may_not_act_is_not_told(world: World) -> None:
    """A suspended holder has no decision and no match; the entry says that there was none."""
    await world.register(who(world, GI), CHILD)
    await imports(world, WIJKTEAM, CHILD)
    world.documents = documents(Enrolled(suspended=frozenset({GI})))
    written = recorded(world)
    await takes_turn(world)
    ((_, kind, level, rule),) = cast("list[list[object]]", written[0].payloads["hits"]["met"])
    assert (kind, level, rule) == ("person", 0, None)
    world.documents = documents()
    assert await matches_of_side(world, GI) == []


async def test_a_withdrawn_signal_has_had_its_turn(world: World) -> None:
    """Nobody is told of it, and it waits no more."""
    await world.register(who(world, GI), CHILD)
    answer = await imports(world, WIJKTEAM, CHILD)
    await world.withdraw(who(world, WIJKTEAM), str(answer.result["signalId"]))
    assert await takes_turn(world) == WIJKTEAM
    assert await world.following.matches.next_unmet(after="") is None
    assert await matches_of_side(world, GI) == []


@IN_MEMORY
async def test_a_signal_past_its_day_waits_until_it_was_swept(world: World) -> None:
    """Our clock alone ends nothing: it tells nobody, and has its turn again."""
    await world.register(who(world, GI), CHILD)
    await imports(world, WIJKTEAM, CHILD)
    world.clock.move(1000 * 86_400)
    assert await takes_turn(world) == WIJKTEAM
    assert await matches_of_side(world, GI) == []
    waiting = await world.following.matches.next_unmet(after="")
    assert waiting is not None
    assert waiting.signal.state is SignalState.ACTIVE


@IN_MEMORY
async def test_a_side_that_works_together_already_gets_no_notice(world: World) -> None:
    """A click on an earlier match of the two on this household holds for an imported signal too."""
    await world.register(who(world, GI), SISTER)
    await world.register(who(world, WIJKTEAM), SISTER)
    (match,) = await matches_of_side(world, GI)
    await followed_up(world, who(world, GI), match["matchId"], "werken_al_samen")
    before = await notices_of(world, GI)
    await imports(world, WIJKTEAM, CHILD)
    await takes_turn(world)
    assert len(await matches_of_side(world, GI)) == 2
    assert await notices_of(world, GI) == before


@IN_MEMORY
async def test_a_decision_that_fails_tells_nobody_and_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be decided is recorded as that; others have their turn first, and then it is met."""
    await world.register(who(world, GI), CHILD)
    await imports(world, WIJKTEAM, CHILD)
    await imports(world, WIJKTEAM, household(subject="stranger"))

    def fails(*_: object, **__: object) -> None:
        raise DecisionFailedError

    written = recorded(world)
    with monkeypatch.context() as broken:
        broken.setattr(meeting, "judge_turn", fails)
        await takes_turn(world)
    assert written[0].payloads["hits"]["failed"] is True
    assert await matches_of_side(world, GI) == []
    for _ in range(2):
        await takes_turn(world)
    assert len(await matches_of_side(world, GI)) == 1


@IN_MEMORY
async def test_what_does_not_fit_the_entry_is_told_at_the_next_turn(world: World) -> None:
    """A household that very many are involved with loses nobody: each turn tells as many as its entry can say."""
    teams = [(oin, f"team-{number}") for oin in (GI, VEILIG_THUIS, SCHOOL) for number in range(1, 7)]
    world.documents = documents(Enrolled(teams=tuple(f"team-{number}" for number in range(1, 7))))
    for oin, team in teams:
        child = household(subject=f"{oin} {team}", parents=["mother"])
        await world.register(who(world, oin), child, team=team)
    await imports(world, WIJKTEAM, household(subject="another", parents=["mother"]))
    turns = 0
    while turns < 9 and await world.following.matches.next_unmet(after="") is not None:
        await takes_turn(world)
        turns += 1
    assert 1 < turns < 9
    assert isinstance(world.ledger, MemoryBroker)
    met = [
        one.older_side.of for one in world.ledger.state.matches.values() if one.newer_side.of.organisation == WIJKTEAM
    ]
    assert sorted((of.organisation, of.team) for of in met) == sorted(teams)


@IN_MEMORY
async def test_nobody_has_a_turn_while_nobody_watches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While witnesses are away nothing is disclosed; the entry stands all the same, and the signal waits."""
    await world.register(who(world, GI), CHILD)
    await imports(world, WIJKTEAM, CHILD)
    with monkeypatch.context() as unwatched:
        unwatched.setattr(type(world.log), "disclosures_stopped", lambda _: True)
        before = await log_size(world)
        assert await takes_turn(world) == ""
        assert await log_size(world) == before + 1
    assert await matches_of_side(world, GI) == []
    assert await takes_turn(world) == WIJKTEAM
    assert len(await matches_of_side(world, GI)) == 1


@IN_MEMORY
async def test_what_keeps_moving_is_left_for_the_next_pace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn whose every reading is stale by the commit does nothing, and says so."""
    await imports(world, WIJKTEAM, CHILD)

    async def moved(_: object, __: object) -> None:
        raise StaleDecisionError

    written = recorded(world)
    with monkeypatch.context() as moving:
        moving.setattr(type(world.log.turn()), "commit", moved)
        with pytest.raises(StaleDecisionError):
            await takes_turn(world)
    assert written == []
    assert await world.following.matches.next_unmet(after="") is not None
