"""No disclosure commits after the commit of a withdrawal or shield it depends on: nor does a match, or its notice.

A match is made while the other side ends what it rests on. Each order of reading and committing is played once, in
memory and on SQLite; afterwards nothing is told any more, by an answer that is asked for again neither.
"""

import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from broker.domain.errors import AnswerWithheldError
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.asking import household
from tests.simulators.barrier import AtOnce, Gated, Schedule, every_schedule
from tests.simulators.broker_world import World, a_world, matches_of, shield
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.following_up import found_in, listed, matches_of_side, notices_of, who

REGISTER, LOOK, END = "register", "look", "end"
ENDED = (END, -1)
"""Stands among the commits at the place of the withdrawal or shield; a withdrawal that was refused leaves none."""
ENDINGS = ("withdrawn", "shielded")
STORES = ("memory", "sqlite")


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle with the test region beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


@pytest.fixture(params=STORES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core in which two organisations meet."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: `acts` is the world in which reading and committing wait for their turn, `ends` only committing."""

    schedule: Schedule
    log: AtOnce
    acts: World
    ends: World

    @classmethod
    def of(cls, world: World, schedule: Schedule) -> "Order":
        """Return this world in this order."""
        log = AtOnce(world, schedule)
        following = replace(
            world.following,
            matches=Gated(world.following.matches, schedule, "of_side"),
            inbox=Gated(world.following.inbox, schedule, "waiting"),
        )
        ends = replace(world, log=log)  # type: ignore[arg-type]  # `Log` is all that flows need of it
        acts = replace(ends, signals=Gated(world.signals, schedule, "look_up"), following=following)
        return cls(schedule=schedule, log=log, acts=acts, ends=ends)

    async def end(self, oin: str, signal: str, how: str) -> None:
        """The signal is withdrawn or shielded, in one step: what that changes is one transaction anyway."""
        if how == ENDINGS[0]:
            await self.ends.withdraw(who(self.ends, oin), signal, reason="no_longer_needed")
        else:
            await self.schedule.gate()
            await shield(self.ends, signal)
        self.log.commits.append(ENDED)

    def ended(self) -> bool:
        """Return whether it ended."""
        return ENDED in self.log.commits

    def holds(self, actor: str, *, disclosed: bool) -> None:
        """Hold only if this actor's disclosure, where there was one, committed before the end."""
        if disclosed and self.ended():
            actors = [one for one, _ in self.log.commits]
            assert actors.index(actor) < self.log.commits.index(ENDED), actors


async def involved(world: World, oin: str, person: str) -> str:
    """An organisation is involved with a person; return the id of its signal."""
    registered = await world.register(who(world, oin), household(subject=person))
    return str(registered.result["signalId"])


def signal_in(registered: object) -> str:
    """Return the id of the signal that this registration stored."""
    assert isinstance(registered, Answered), registered
    return str(registered.result["signalId"])


@pytest.mark.parametrize("ending", ENDINGS)
async def test_no_order_shows_a_match_after_the_holder_ended_it(world: World, ending: str) -> None:
    """A team registers and looks at its matches while the holder of the other signal ends it: never shown after."""
    played: list[tuple[bool, bool, bool]] = []

    async def run(schedule: Schedule) -> None:
        person = f"person {len(played)}"
        held, order, asker = await involved(world, GI, person), Order.of(world, schedule), who(world, WIJKTEAM)
        body = asker.registration(household(subject=person))
        came_to = await schedule.play(
            {
                REGISTER: lambda: order.acts.send_registration(asker, body),
                LOOK: lambda: listed(order.acts, who(world, WIJKTEAM)),
                END: lambda: order.end(GI, held, ending),
            }
        )
        registered, look = came_to[REGISTER], came_to[LOOK]
        signal = signal_in(registered)
        assert isinstance(registered, Answered)
        assert isinstance(look, Answered)
        shown, seen = bool(matches_of(registered)), bool(found_in(look))
        order.holds(REGISTER, disclosed=shown)
        order.holds(LOOK, disclosed=seen)
        if order.ended():
            assert await matches_of_side(world, WIJKTEAM) == []
            if shown:
                with pytest.raises(AnswerWithheldError):
                    await world.send_registration(asker, body)
        else:
            # Who withdraws while somebody comes is asked why first: then the match stands, and both sides know.
            assert ending == ENDINGS[0]
            assert len(await matches_of_side(world, WIJKTEAM)) == 1
        if order.ended() and ending == ENDINGS[0]:
            assert (await notices_of(world, GI), await matches_of_side(world, GI)) == ([], [])
        played.append((shown, seen, order.ended()))
        for one in (held, signal):
            # The next order begins with nothing to be seen.
            await shield(world, one)

    assert await every_schedule(run) >= 30
    assert {shown for shown, _, _ in played} == {True, False}
    assert {seen for _, seen, _ in played} == {True, False}
    assert any(ended for _, _, ended in played)


@pytest.mark.parametrize("look", ["inbox", "matches"])
@pytest.mark.parametrize("ending", ENDINGS)
async def test_no_order_tells_the_holder_of_who_came_and_went(world: World, ending: str, look: str) -> None:
    """A team registers and ends its signal again while the other side looks: told before the end, or never."""
    told: set[bool] = set()

    async def run(schedule: Schedule) -> None:
        person, order = f"person {schedule.choices} {look}", Order.of(world, schedule)
        # Who is shown nobody may withdraw at once: the signal of the holder is shielded before.
        await shield(world, await involved(world, GI, person))
        fetcher = who(world, GI)
        fetch = fetcher.command(had=[])

        async def comes_and_goes() -> None:
            came = await order.acts.register(who(world, WIJKTEAM), household(subject=person))
            assert matches_of(came) == []
            await order.end(WIJKTEAM, signal_in(came), ending)

        async def looks() -> bool:
            if look == "inbox":
                return bool((await order.acts.send_inbox(fetcher, fetch)).result["notices"])
            return bool(found_in(await listed(order.acts, fetcher)))

        came_to = await schedule.play({REGISTER: comes_and_goes, LOOK: looks})
        disclosed = bool(came_to[LOOK])
        assert came_to == {REGISTER: None, LOOK: disclosed}
        assert order.ended()
        order.holds(LOOK, disclosed=disclosed)
        assert (await notices_of(world, GI), await matches_of_side(world, GI)) == ([], [])
        if disclosed and look == "inbox":
            with pytest.raises(AnswerWithheldError):
                await world.send_inbox(fetcher, fetch)
        told.add(disclosed)

    assert await every_schedule(run) >= 10
    assert told == {True, False}
