"""No disclosure commits after the commit of a withdrawal it depends on: nor does a match that rests on consent alone.

The signals stay, for she agrees to somebody else still: nothing but her word ends what is told. Each order of reading
and committing is played once on each store; afterwards nothing is told, by an answer that is asked for again neither.
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
from tests.simulators.asking import Asker, household
from tests.simulators.barrier import AtOnce, Gated, Schedule, every_schedule
from tests.simulators.broker_world import STORES, World, a_world, matches_of
from tests.simulators.consenting import ASSESSED, GGZ, HUISARTS, INFORMED, caring, recorded, withdrawn
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.following_up import found_in, listed, matches_of_side, notices_of, who

REGISTER, LOOK, END = "register", "look", "end"
ENDED = (END, -1)
"""Stands among the commits at the place of the withdrawal."""


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle with the test region beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


@pytest.fixture(params=STORES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core with a wijkteam and a general practitioner."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield caring(running)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: in `acts` reading consents and committing wait for their turn, in `ends` committing alone."""

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
        acts = replace(ends, consents=Gated(world.consents, schedule, "about"), following=following)
        return cls(log=log, acts=acts, ends=ends)

    async def end(self, oin: str, consent_id: str, towards: str) -> None:
        """She takes back what she said of this other organisation, and of no other."""
        await withdrawn(self.ends, adult_at(self.ends, oin), consent_id, parties=[towards])
        self.log.commits.append(ENDED)

    def holds(self, actor: str, *, disclosed: bool) -> None:
        """Hold only if this actor's disclosure, where there was one, committed before the end."""
        actors = [one for one, _ in self.log.commits]
        assert not disclosed or actors.index(actor) < self.log.commits.index(ENDED), actors


def adult_at(world: World, oin: str) -> Asker:
    """Return a worker whose ids nobody had before, who asks about adults."""
    return who(world, oin, purpose="volwassene", ground="TOEST")


async def agreed(world: World, oin: str, person: str, towards: str) -> str:
    """Record that a person agrees to this other organisation, and to one more; return the record's id."""
    return await recorded(world, adult_at(world, oin), person=person, parties=[towards, GGZ])


async def comes(world: World, oin: str, person: str) -> Answered:
    """An organisation registers on what it recorded."""
    asker = adult_at(world, oin)
    return await world.register(asker, household(subject=person), assessment=ASSESSED, informing=INFORMED)


async def test_no_order_shows_a_match_after_she_took_it_back(world: World) -> None:
    """A wijkteam registers and looks at its matches while she tells her huisarts no: never shown after."""
    played: set[tuple[str, bool]] = set()
    count = 0

    async def run(schedule: Schedule) -> None:
        nonlocal count
        count += 1
        person, asker = f"person {count}", adult_at(world, WIJKTEAM)
        theirs = await agreed(world, HUISARTS, person, WIJKTEAM)
        await comes(world, HUISARTS, person)
        await agreed(world, WIJKTEAM, person, HUISARTS)
        order = Order.of(world, schedule)
        body = asker.registration(household(subject=person), assessment=ASSESSED, informing=INFORMED)
        came_to = await schedule.play(
            {
                REGISTER: lambda: order.acts.send_registration(asker, body),
                LOOK: lambda: listed(order.acts, who(world, WIJKTEAM)),
                END: lambda: order.end(HUISARTS, theirs, WIJKTEAM),
            }
        )
        registered, look = came_to[REGISTER], came_to[LOOK]
        assert isinstance(registered, Answered), registered
        assert isinstance(look, Answered), look
        for actor, disclosed in ((REGISTER, bool(matches_of(registered))), (LOOK, bool(found_in(look)))):
            order.holds(actor, disclosed=disclosed)
            played.add((actor, disclosed))
        assert await matches_of_side(world, WIJKTEAM) == []
        if matches_of(registered):
            with pytest.raises(AnswerWithheldError):
                await world.send_registration(asker, body)

    assert await every_schedule(run) >= 30
    assert played == {(REGISTER, True), (REGISTER, False), (LOOK, True), (LOOK, False)}


@pytest.mark.parametrize("look", ["inbox", "matches"])
async def test_no_order_tells_the_holder_after_she_took_it_back(world: World, look: str) -> None:
    """A wijkteam registers and she takes her yes back while the huisarts looks: told before that, or never."""
    told: set[bool] = set()
    count = 0

    async def run(schedule: Schedule) -> None:
        nonlocal count
        count += 1
        person = f"person {count}"
        # The huisarts may look, and knows that she is in care at the wijkteam by the wijkteam's record alone.
        await recorded(world, adult_at(world, HUISARTS), person=person, parties=[GGZ])
        await comes(world, HUISARTS, person)
        mine = await agreed(world, WIJKTEAM, person, HUISARTS)
        order, fetcher = Order.of(world, schedule), who(world, HUISARTS)
        fetch = fetcher.command(had=[])

        async def comes_and_ends() -> None:
            await comes(order.acts, WIJKTEAM, person)
            await order.end(WIJKTEAM, mine, HUISARTS)

        async def looks() -> bool:
            if look == "inbox":
                return bool((await order.acts.send_inbox(fetcher, fetch)).result["notices"])
            return bool(found_in(await listed(order.acts, fetcher)))

        came_to = await schedule.play({REGISTER: comes_and_ends, LOOK: looks})
        disclosed = bool(came_to[LOOK])
        assert came_to == {REGISTER: None, LOOK: disclosed}
        order.holds(LOOK, disclosed=disclosed)
        assert (await notices_of(world, HUISARTS), await matches_of_side(world, HUISARTS)) == ([], [])
        if disclosed and look == "inbox":
            with pytest.raises(AnswerWithheldError):
                await world.send_inbox(fetcher, fetch)
        told.add(disclosed)

    assert await every_schedule(run) >= 6
    assert told == {True, False}
