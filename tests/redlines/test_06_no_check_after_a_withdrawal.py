"""No disclosure commits after the commit of a withdrawal it depends on, replays included: in every order of the steps.

A check and a withdrawal, step by step between decide, withdraw and disclose, in all orders, in memory and on both
databases. What was shown has its entry before the withdrawal's; what was shown before is not shown again after it.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.domain.errors import AnswerWithheldError, RefusedError
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from policies import load_bundle
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import STORES, World, a_world, held_in, matches_of
from tests.simulators.consenting import HUISARTS, adult, caring, involved, recorded, withdrawn
from tests.simulators.consenting import listed as records
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.interleaving import BarredConsents, BarredLog, BarredSignals, Barrier, orders

CHECK, WITHDRAW = "check", "withdraw"
STEPS = ((CHECK, 4), (WITHDRAW, 2))
"""A check: own consents, look-up, holders' consents, commit. A withdrawal: the record, commit."""


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle."""
    return PolicyInForce.of(load_bundle())


@pytest.fixture(params=STORES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core with a wijkteam and a general practitioner."""
    async with a_world(request.param, tmp_path, policy=policy, tick_ms=20) as running:
        yield caring(running)


def barred(world: World, barrier: Barrier, who: str) -> World:
    """Return the world as one flow sees it: every step of it behind the barrier."""
    fields = {name: getattr(world, name) for name in world.__slots__}
    return World(
        **{
            **fields,
            "consents": BarredConsents(world.consents, barrier, who),
            "signals": BarredSignals(world.signals, barrier, who),
            "log": BarredLog(world.log, barrier, who),
        }
    )


def entries(world: World) -> list[str]:
    """Return the kinds of all acts in the order of their entries."""
    if isinstance(world.ledger, MemoryBroker):
        acts = world.ledger.state.acts
        return [acts[index][1] for index in sorted(acts)]
    return [row[0] for row in held_in(world).rows("SELECT kind FROM acts ORDER BY idx")]


@pytest.mark.parametrize("side", ["asker", "holder"])
async def test_every_order_of_a_check_and_a_withdrawal(world: World, side: str) -> None:
    """Shown means: recorded before the withdrawal; after it a replay shows nothing and a new check neither."""
    outcomes, known = set(), set[str]()
    for number, order in enumerate(orders(*STEPS)):
        person = f"person {number}"
        look = household(subject=person, members=())
        holder = await involved(world, HUISARTS, person=person)
        asker = adult(world, WIJKTEAM, seed=person)
        mine = await recorded(world, asker, person=person)
        theirs = await records(world, adult(world, HUISARTS, seed=f"lists {person}"))
        (fresh,) = {one["consentId"] for one in theirs if one["recordedOn"]} - known
        known.add(fresh)
        withdrawing, consent_id = (asker, mine) if side == "asker" else (holder, fresh)
        before, body, barrier = len(entries(world)), asker.check(look), Barrier()
        checked, _ = await barrier.run(
            order,
            {
                CHECK: barred(world, barrier, CHECK).send_check(asker, body),
                WITHDRAW: withdrawn(barred(world, barrier, WITHDRAW), withdrawing, consent_id),
            },
        )
        shown = isinstance(checked, Answered) and bool(matches_of(checked))
        outcomes.add(shown)
        assert isinstance(checked, Answered | RefusedError), (order, checked)
        if shown:
            assert entries(world)[before:] == ["check", "consent"], order
            with pytest.raises(AnswerWithheldError):
                await world.send_check(asker, body)
        await _shows_nothing(world, person)
    assert outcomes == {True, False}


async def _shows_nothing(world: World, person: str) -> None:
    asker = adult(world, WIJKTEAM, seed=f"after {person}")
    try:
        answer = await world.check(asker, household(subject=person, members=()))
    except RefusedError:
        return
    assert matches_of(answer) == []
