"""A timer that fires a little too early does not take away the time that witnesses have."""

from pathlib import Path

from broker.store.log_writer import EARLY_SHARE
from tests.simulators.asking import household
from tests.simulators.clock import TestClock
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.served_world import served_world

EARLY_S = 0.0005


class EarlyClock(TestClock):
    """A clock whose timers fire half a millisecond before their time, as those of an event loop may."""

    __test__ = False

    async def sleep(self, seconds: float) -> None:
        """Return too early."""
        await super().sleep(seconds - EARLY_S)


async def test_witnesses_have_a_slot_even_when_timers_are_early(template: Path, tmp_path: Path) -> None:
    """Every receipt is cosigned, although each slot seems to have just begun or just not to have ended."""
    clock = EarlyClock()
    async with served_world(template, tmp_path / "world", witness_up=True, clock=clock) as world:
        answers = [await world.register(WIJKTEAM, household(subject=f"child {number}")) for number in range(5)]
    assert [answer.json()["receipt"]["uncosignedSince"] for answer in answers] == [None] * 5
    assert world.settings.tick_ms / 1000 * EARLY_SHARE > EARLY_S
