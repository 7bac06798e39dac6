"""Of a signal that one may not see, nothing that follows a match tells anything (D8).

Two worlds run the same acts in the same order with the same randomness. They differ in one signal: in the first it was
never registered, in the other it is shielded, or its holder excludes who looks. Hypothesis chooses what else happens on
the household. Then everything that the side which may not see it can observe is compared: answers, pages of the inbox,
of the matches and of its tasks, how many entries each act took, and what the matchcoordinator is shown of its matches,
before and after sweeps of what is overdue.
"""

import asyncio
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.errors import RefusedError
from broker.domain.signals import Exclusion
from broker.flows.policy import PolicyInForce
from broker.ports import StampKind
from policies import load_bundle
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, a_world, log_size, shield
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import (
    appointed,
    coordinated,
    followed_up,
    found_in,
    listed,
    sweep_overdue_of,
    told_new_report,
)
from tests.simulators.team_tasks import listed as tasks_listed
from tests.simulators.team_tasks import melding_body, started

HOUSEHOLDS = {
    "child": household(subject="child", parents=["mother"]),
    "sister": household(subject="sister", parents=["mother"]),
    "stranger": household(subject="stranger"),
}
DAY = 86_400
LASTS_DAYS = 190
"""Of a signal: longer than two of the longest waits here and shorter than three, so that some end and some do not."""
TEAMS = [WIJKTEAM, SCHOOL, VEILIG_THUIS]
ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("register"), st.sampled_from([WIJKTEAM, SCHOOL, VEILIG_THUIS]), st.sampled_from([*HOUSEHOLDS])
        ),
        st.tuples(
            st.just("state"),
            st.just(WIJKTEAM),
            st.sampled_from(["contact_gehad", "werken_al_samen", "afspraken_gemaakt", "klaar"]),
        ),
        st.tuples(st.just("state"), st.just(VEILIG_THUIS), st.just("afspraken_gemaakt")),
        st.tuples(st.just("report"), st.just(VEILIG_THUIS), st.integers(0, 3)),
        st.tuples(st.just("lead"), st.just(GI), st.tuples(st.sampled_from(TEAMS), st.booleans())),
        st.tuples(st.just("name"), st.sampled_from(TEAMS), st.tuples(st.sampled_from(TEAMS), st.booleans())),
        st.tuples(st.just("wait"), st.just(""), st.sampled_from([1, 6, 9, 100])),
    ),
    max_size=5,
)
Hide = Callable[[World, str], Any]


@cache
def policy() -> PolicyInForce:
    """The shipped bundle with the test region beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


async def excluding(world: World, signal_id: str) -> None:
    """The holder of this signal keeps it from the wijkteam."""
    assert isinstance(world.ledger, MemoryBroker)
    state = world.ledger.state
    everybody = frozenset({Exclusion(organisation=WIJKTEAM, worker=None)})
    state.signals[signal_id] = replace(state.signals[signal_id], exclusions=everybody)
    state.bump(StampKind.SHIELD, signal_id.encode())


async def observed(acts: list[tuple[str, str, Any]], hide: Hide | None) -> list[Any]:
    """Return what the wijkteam observes of these acts, where the GI's hidden signal is there, or never was."""
    async with a_world("memory", Path(), policy=policy()) as world:
        enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
        world.documents.in_force, world.documents.rosters = enrolled.register(), enrolled.rosters()
        if hide is not None:
            hidden = await world.register(world.asker(GI, seed="hidden"), HOUSEHOLDS["child"])
            await hide(world, str(hidden.result["signalId"]))
        # From here on both worlds draw the same randomness.
        world.randomness = type(world.randomness)(2)
        seen: list[Any] = []
        for number, act in enumerate([("register", WIJKTEAM, "child"), *acts]):
            seen += [await _done(world, number, act), await _looked(world, number)]
        world.clock.move(10 * DAY)
        return [*seen, await _looked(world, len(acts) + 1)]


async def _done(world: World, number: int, act: tuple[str, str, Any]) -> Any:  # noqa: ANN401 - whatever is observed
    kind, oin, value = act
    before = await log_size(world)
    told: Any = None
    asker = world.asker(oin, seed=f"act {number}") if oin else None
    if kind == "wait":
        world.clock.move(value * DAY)
    elif kind == "register" and asker is not None:
        # However long was waited before, it is a signal that runs.
        ends_on = (world.clock.today() + timedelta(days=LASTS_DAYS)).isoformat()
        answer = await world.register(asker, HOUSEHOLDS[value], team="team-1", endsOn=ends_on)
        told = answer.result if oin == WIJKTEAM else None
    elif kind == "lead":
        await _led_unseen(world, number, *value)
        before = await log_size(world)  # an act of who hides is an entry of his own
    elif kind == "name":
        told = await _named(world, number, oin, *value)
    elif asker is not None:
        told = await (_stated(world, number, oin, value) if kind == "state" else _reported(world, number, value))
    return told, await log_size(world) - before


async def _stated(world: World, number: int, oin: str, state: str) -> Any:  # noqa: ANN401 - whatever is observed
    """Say so of the first own match that is open; what Veilig Thuis is told of its own is not compared."""
    match = await _first_open(world, number, oin)
    if match is None:
        return None
    asker = world.asker(oin, seed=f"state {number}")
    try:
        answer: Mapping[str, Any] = (await followed_up(world, asker, match["matchId"], state)).result
    except RefusedError as refused:
        answer = refused.document
    return answer if oin == WIJKTEAM else None


async def _named(world: World, number: int, oin: str, other: str, other_leads: bool) -> Any:  # noqa: ANN401, FBT001 - whatever is observed; it is drawn
    """Say who leads in the first own match with another; only what the wijkteam is told of its own is compared."""
    found = found_in(await listed(world, world.asker(oin, seed=f"names {number}")))
    match = next((one for one in found if one["involved"]["holder"]["oin"] == other and one["state"] != "klaar"), None)
    if match is None:
        return None
    was = None if match["casusregisseur"] is None else match["casusregisseur"]["organisation"]
    asker = world.asker(oin, seed=f"leads {number}")
    answer = await appointed(world, asker, match["matchId"], other if other_leads else oin, was=was)
    return answer.result if oin == WIJKTEAM else None


async def _first_open(world: World, number: int, oin: str) -> dict[str, Any] | None:
    """Return the first match with the wijkteam, or of it, that is not closed on its own side."""
    found = found_in(await listed(world, world.asker(oin, seed=f"first {number}")))
    mine = [one for one in found if oin == WIJKTEAM or one["involved"]["holder"]["oin"] == WIJKTEAM]
    return next((one for one in mine if one["state"] != "klaar"), None)


async def _led_unseen(world: World, number: int, other: str, other_leads: bool) -> None:  # noqa: FBT001 - it is drawn
    """The GI, whose signal is hidden or not there, names who leads the plan in its match with another."""
    found = found_in(await listed(world, world.asker(GI, seed=f"hides {number}")))
    match = next((one for one in found if one["involved"]["holder"]["oin"] == other), None)
    if match is not None:
        was = match["casusregisseur"]
        leader = world.asker(GI, seed=f"leads unseen {number}")
        named = other if other_leads else GI
        await appointed(
            world, leader, match["matchId"], named, was=None if was is None else was["organisation"]
        )  # fmt: skip
    # What it drew is nobody's affair.
    world.randomness = type(world.randomness)(1_000 + number)


async def _reported(world: World, number: int, report: int) -> None:
    """Veilig Thuis has a report, and tells the wijkteam if the two met: it leads the plan then."""
    reference, since = f"{report:064x}", world.clock.today().isoformat()
    match = await _first_open(world, number, VEILIG_THUIS)
    if match is None:
        proof = {"kind": "melding", "reference": reference, "since": since, "endsOn": None}
        asker = world.asker(VEILIG_THUIS, seed=f"report {number}")
        await started(world, asker, melding_body(asker, proof=proof))
        return
    was = None if match["casusregisseur"] is None else match["casusregisseur"]["organisation"]
    leader = world.asker(VEILIG_THUIS, seed=f"lead {number}")
    await appointed(world, leader, match["matchId"], WIJKTEAM, was=was)
    teller = world.asker(VEILIG_THUIS, seed=f"tell {number}")
    await told_new_report(world, teller, match["matchId"], reference=reference, since=since)


async def _looked(world: World, number: int) -> tuple[Any, ...]:
    """Return what the wijkteam and the coordinator read, how long their answers are, and how many entries it took.

    A pace of housekeeping comes first. Of what the coordinator reads only matches of the wijkteam are compared: from
    others its holder does not hide.
    """
    asker = world.asker(WIJKTEAM, seed=f"look {number}")
    before = await log_size(world)
    await sweep_overdue_of(world)
    coordinator = world.asker(GEMEENTE, seed=f"coordinator {number}", role="matchcoordinator")
    answers = [
        await listed(world, asker),
        await tasks_listed(world, asker),
        await world.inbox(asker),
        await world.list(asker),
    ]
    seen_to, noticed = await coordinated(world, coordinator), await world.inbox(coordinator)
    leaves = [len(str(answer.receipt["leaf"])) for answer in (*answers, seen_to, noticed)]
    return (
        [json.dumps(dict(answer.result), sort_keys=True) for answer in answers],
        _of_wijkteam(seen_to.result, noticed.result),
        leaves,
        await log_size(world) - before,
    )


def _of_wijkteam(seen_to: Mapping[str, Any], noticed: Mapping[str, Any]) -> list[Any]:
    """Return what a coordinator reads about the wijkteam: matches, and of what kind the notices about these are.

    But for how many lead the plan of its household: that counts matches of others too, from which nobody keeps him.
    """
    lines = [one for one in seen_to["found"] if WIJKTEAM in {side["organisation"] for side in one["sides"]}]
    ids = {one["matchId"] for one in lines}
    found = [{key: value for key, value in one.items() if key != "casusregisseurs"} for one in lines]
    return [found, sorted((one["kind"], one["about"]) for one in noticed["notices"] if one["about"] in ids)]


def _without_repeats(acts: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    """Return these acts, each registration once: a team has one signal for a purpose on a person."""
    kept, registered = [], {(WIJKTEAM, "child")}
    for act in acts:
        if act[0] == "register" and (act[1], act[2]) in registered:
            continue
        registered.add((act[1], str(act[2])))
        kept.append(act)
    return kept


@given(acts=ACTS, hide=st.sampled_from([shield, excluding]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_who_may_not_see_a_signal_observes_nothing_of_it(acts: list[tuple[str, str, Any]], hide: Hide) -> None:
    """Answers, matches, inbox, lengths and numbers of entries are those of a world without the signal."""
    chosen = _without_repeats(acts)
    assert asyncio.run(observed(chosen, hide)) == asyncio.run(observed(chosen, None))


async def _plain(_world: World, _signal_id: str) -> None:
    """Hide nothing."""


def test_who_may_see_it_does_observe_it() -> None:
    """The control: were the signal not hidden, the very same comparison would find it."""
    assert asyncio.run(observed([], _plain)) != asyncio.run(observed([], None))


def test_tasks_and_what_is_late_are_among_what_is_compared() -> None:
    """The control for tasks: what is observed holds evaluations, an answer to a report, and what is late of these."""
    acts = [
        ("register", VEILIG_THUIS, "child"),
        ("state", WIJKTEAM, "afspraken_gemaakt"),
        ("report", VEILIG_THUIS, 1),
        ("wait", "", 100),
    ]
    text = str(asyncio.run(observed(acts, shield)))
    for word in ("eerste_monitor", "tweede_monitor", "reactie", "te_laat", "follow_up_overdue", "match_overdue"):
        assert word in text, word
