"""No phone call, and no oral answer, is told after the commit of the withdrawal of a consent that it rests on."""

import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.barrier import AtOnce, Gated, Schedule, every_schedule
from tests.simulators.broker_world import World, a_world, held_in
from tests.simulators.citing import BUURTTEAM, MEETING, VT, asking_with_consent, citing, consent
from tests.simulators.consenting import withdrawn
from tests.simulators.databases import DATABASES
from tests.simulators.phoning import listed, note, phone_calls_in, start, verify
from tests.simulators.requesting import Desk

ACT, END, TELL = "act", "end", "tell"


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle with the test region beside it, under which one asks with consent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return asking_with_consent(PolicyInForce.of(load_bundle(insecure_test_bundle=True)))


@dataclass(slots=True)
class Played:
    """What was told in each order, and what was committed before what."""

    told: list[bool] = field(default_factory=list)

    def judge(self, log: AtOnce, came_to: dict[str, object], *, told: bool) -> None:
        """Note one order: what was told committed before the end did, if that did."""
        actors = [actor for actor, _ in log.commits]
        assert not isinstance(came_to[END], Exception)
        if told:
            assert actors.index(TELL) < actors.index(END), actors
        self.told.append(told)

    def both(self, count: int) -> bool:
        """Return whether the orders differ: in some it was told before the end, in some it was withheld for it."""
        return count > 2 and True in self.told and False in self.told


def _gated(world: World, schedule: Schedule) -> tuple[World, AtOnce]:
    """Return the same world behind the barrier: the first reading of calls, and every commit, stop there."""
    log = AtOnce(world, schedule)
    assert world.calling is not None
    phone = Gated(world.calling.phone, schedule, "phone_calls", "received", "received_call", "recorded_until")
    return replace(world, log=log, calling=replace(world.calling, phone=phone)), log  # type: ignore[arg-type]  # `Log` is all that flows need of it


async def _asked(desk: Desk, world: World, consent_id: str) -> Answered:
    return await start(world, desk.asker(VT), **MEETING, to=BUURTTEAM, consentId=consent_id)


async def _orders(
    store: str, path: Path, policy: PolicyInForce, one: Callable[[Desk, Schedule, Played], Awaitable[None]]
) -> None:
    played = Played()
    async with a_world(store, path, policy=policy) as world:
        desk = citing(world)

        async def run(schedule: Schedule) -> None:
            await one(desk, schedule, played)
            held_in(world).write("DELETE FROM phone_calls")

        assert played.both(await every_schedule(run))


@pytest.mark.parametrize("store", DATABASES)
async def test_no_order_tells_of_a_call_after_its_yes_is_taken_back(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """Whatever the order of announcing, taking back and listing: who is called reads nothing after the end."""

    async def one(desk: Desk, schedule: Schedule, played: Played) -> None:
        cited = await consent(desk, by=VT, parties=[BUURTTEAM])
        world, log = _gated(desk.world, schedule)
        came_to = await schedule.play(
            {
                ACT: lambda: _asked(desk, world, cited),
                END: lambda: withdrawn(replace(desk.world, log=log), desk.asker(VT), cited),  # type: ignore[arg-type]  # as above
                TELL: lambda: listed(world, desk.asker(BUURTTEAM)),
            }
        )
        heard: Any = came_to[TELL]
        played.judge(log, came_to, told=any(not call["withheld"] for call in heard))
        assert all(call["withheld"] for call in await listed(desk.world, desk.asker(BUURTTEAM)))

    await _orders(store, tmp_path, policy, one)


@pytest.mark.parametrize("store", DATABASES)
async def test_no_order_verifies_a_caller_after_his_yes_is_taken_back(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """Whatever the order: who calls is told before the taking back or never, and of that only who was told before."""

    async def one(desk: Desk, schedule: Schedule, played: Played) -> None:
        cited = await consent(desk, by=VT, parties=[BUURTTEAM])
        (call,) = phone_calls_in(await _asked(desk, desk.world, cited))
        world, log = _gated(desk.world, schedule)
        came_to = await schedule.play(
            {
                END: lambda: withdrawn(replace(desk.world, log=log), desk.asker(VT), cited),  # type: ignore[arg-type]  # as above
                TELL: lambda: verify(world, desk.asker(BUURTTEAM), call["code"]),
            }
        )
        verified = isinstance(came_to[TELL], Answered)
        played.judge(log, came_to, told=verified)
        about = [row[0] for row in held_in(desk.world).rows("SELECT about FROM notices")]
        assert about.count(call["callId"]) == int(verified)

    await _orders(store, tmp_path, policy, one)


@pytest.mark.parametrize("whose", [VT, BUURTTEAM])
@pytest.mark.parametrize("store", DATABASES)
async def test_no_order_tells_of_an_oral_answer_after_a_yes_is_taken_back(
    store: str, whose: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """Whose yes it was, and whatever the order of noting, taking back and listing: the caller reads no answer after."""

    async def one(desk: Desk, schedule: Schedule, played: Played) -> None:
        asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
        (call,) = phone_calls_in(await _asked(desk, desk.world, asked_on))
        world, log = _gated(desk.world, schedule)
        ends = {VT: asked_on, BUURTTEAM: told_on}[whose]
        came_to = await schedule.play(
            {
                ACT: lambda: note(world, desk.asker(BUURTTEAM), call["callId"], grounds=["TOEST"], consentId=told_on),
                END: lambda: withdrawn(replace(desk.world, log=log), desk.asker(whose), ends),  # type: ignore[arg-type]  # as above
                TELL: lambda: listed(world, desk.asker(VT)),
            }
        )
        heard: Any = came_to[TELL]
        played.judge(log, came_to, told=heard[0]["oral"] is not None)
        (after,) = await listed(desk.world, desk.asker(VT))
        assert after["oral"] is None

    await _orders(store, tmp_path, policy, one)
