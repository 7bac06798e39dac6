"""Of a signal that one may not see, nothing that follows a match tells anything (D8).

Two worlds run the same acts in the same order with the same randomness. They differ in one signal: in the first it was
never registered, in the other it is shielded, or its holder excludes who looks. Hypothesis chooses what else happens on
the household. Then everything that the side which may not see it can observe is compared: answers, pages of the inbox
and of the matches, how many entries each act took, and what the matchcoordinator is shown, before and after a sweep of
what is overdue.
"""

import asyncio
import json
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.signals import Exclusion
from broker.flows.policy import PolicyInForce
from broker.ports import StampKind
from policies import load_bundle
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, a_world, log_size, shield
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.following_up import followed_up, found_in, listed

HOUSEHOLDS = {
    "child": household(subject="child", parents=["mother"]),
    "sister": household(subject="sister", parents=["mother"]),
    "stranger": household(subject="stranger"),
}
DAY = 86_400
TEAMS = [WIJKTEAM, SCHOOL, VEILIG_THUIS]
ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("register"), st.sampled_from([WIJKTEAM, SCHOOL, VEILIG_THUIS]), st.sampled_from([*HOUSEHOLDS])
        ),
        st.tuples(st.just("state"), st.just(WIJKTEAM), st.sampled_from(["contact_gehad", "werken_al_samen", "klaar"])),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 9)),
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
    async with a_world("memory", Path(tempfile.mkdtemp()), policy=policy()) as world:
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
        answer = await world.register(asker, HOUSEHOLDS[value], team="team-1")
        told = answer.result if oin == WIJKTEAM else None
    elif asker is not None:
        told = await _stated(world, number, value)
    return told, await log_size(world) - before


async def _stated(world: World, number: int, state: str) -> Any:  # noqa: ANN401 - whatever is observed
    found = found_in(await listed(world, world.asker(WIJKTEAM, seed=f"first {number}")))
    open_ = [match["matchId"] for match in found if match["state"] != "klaar"]
    if not open_:
        return None
    answer = await followed_up(world, world.asker(WIJKTEAM, seed=f"state {number}"), open_[0], state)
    return answer.result


async def _looked(world: World, number: int) -> tuple[Any, ...]:
    """Return what the wijkteam reads: its matches, its inbox, its signals, and how long the answers are."""
    asker = world.asker(WIJKTEAM, seed=f"look {number}")
    before = await log_size(world)
    answers = [await listed(world, asker), await world.inbox(asker), await world.list(asker)]
    leaves = [len(str(answer.receipt["leaf"])) for answer in answers]
    return (
        [json.dumps(dict(answer.result), sort_keys=True) for answer in answers],
        leaves,
        await log_size(world) - before,
    )


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
