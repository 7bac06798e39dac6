"""What stands out is the same in every world that the asker cannot tell apart (D8)."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.acts import SearchTerms, reviewed_act
from broker.domain.signals import Exclusion
from broker.domain.thresholds import THRESHOLDS
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in, shield
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.reviewing import FG, PF, Reviewers

ONE = household(subject="one", parents=("mother",))
TWO = household(subject="two", parents=("father",))
OF_BOTH = household(subject="three", parents=("mother", "father"))
TIMES = THRESHOLDS["repeats"].default - 1


async def _hidden(world: World, how: str) -> None:
    signal_id = str((await world.register(world.asker(WIJKTEAM), OF_BOTH)).result["signalId"])
    if how == "shielded":
        await shield(world, signal_id)
    elif isinstance(world.ledger, MemoryBroker):
        signals = world.ledger.state.signals
        barred = frozenset({Exclusion(organisation=GI, worker=None)})
        signals[signal_id] = replace(signals[signal_id], exclusions=barred)
    else:
        held_in(world).write("INSERT INTO signal_exclusions VALUES (?, ?, '')", signal_id, GI)


def _told(acts: list[dict[str, Any]]) -> list[Any]:
    return [(act["type"], act["outcome"], [flag["kind"] for flag in act["flags"]]) for act in acts if act["purpose"]]


@pytest.mark.parametrize("how", ["shielded", "excluded"])
async def test_looks_that_share_only_a_hidden_signal_are_no_repeats(world: World, how: str) -> None:
    """Two households of one worker, tied by a signal that he may not see, are two, as where there is no signal."""
    world.clock.move(86_400)  # a Monday
    await _hidden(world, how)
    review = Reviewers(world)
    answers = []
    for number, which in enumerate((ONE, TWO)):
        answers.append(await world.register(world.asker(GI, seed=f"register {number}"), which))
        asked = {**which, "members": []}
        answers += [await world.check(world.asker(GI, seed=f"{number} {time}"), asked) for time in range(TIMES - 1)]
    assert {answer.result["outcome"] for answer in answers} == {"nothing"}
    for role in (PF, FG):
        acts = await review.acts(GI, role=role)
        assert [flags for _, _, flags in _told(acts)] == [[]] * (2 * TIMES)
        assert await review.queue(GI, role=role) == []
    await world.check(world.asker(GI, seed="check again"), {**TWO, "members": []})
    (act,) = await review.queue(GI)
    assert [flag["kind"] for flag in act["flags"]] == ["repeats"]


def test_an_entry_of_before_tells_no_own_signals() -> None:
    """Entries that do not state which handles are own ones are read still, and count for no household."""
    opened = {"subject": {"schema": "entry-subject/v1", "handles": ["a", "b"]}}
    act = reviewed_act(index=0, at=0, kind="check", terms=SearchTerms(organisation=GI, controller=GI), opened=opened)
    assert (act.handles, act.own_handles) == (frozenset({"a", "b"}), frozenset())
