"""Matches between signals that rest on consent alone: told on the resident's yes to each side, and no longer than it.

Each side's decision has what a check of its own would have: what it recorded of the person, and what the other did.
"""

import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from broker.domain.errors import AnswerWithheldError, NotFoundError
from broker.flows.policy import PolicyInForce
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world
from tests.simulators.consenting import (
    ASSESSED,
    HUISARTS,
    INFORMED,
    adult,
    answer,
    answered_too,
    caring,
    involved,
    record,
    recorded,
    send_record,
    withdrawn,
)
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.following_up import followed_up, matches_of_side, notices_of, opened, who
from tests.simulators.importing import GRANT, takes_turn

DAY = 86_400
TRUDY = household(subject="trudy")
STORES = ("memory", "sqlite")


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


async def comes(world: World, oin: str = WIJKTEAM, *, towards: str = HUISARTS, until: str = "2027-05-01") -> str:
    """An organisation records Trudy's yes and registers; return the id of the record."""
    asker = adult(world, oin, seed=f"comes {oin} {towards}")
    kept = await recorded(world, asker, answer(until=until), parties=[towards])
    about = replace(asker, seed=f"comes {oin} signal")
    await world.register(about, TRUDY, assessment=ASSESSED, informing=INFORMED)
    return kept


def person_of(world: World, oin: str) -> Asker:
    """Return a worker whose ids nobody had before, who asks about adults."""
    return who(world, oin, purpose="volwassene", ground="TOEST")


async def test_both_are_told_where_she_said_yes_to_both(world: World) -> None:
    """Trudy's wijkteam and her huisarts, each with her yes that names the other: told, noticed, opened, followed up."""
    await involved(world, HUISARTS, towards=WIJKTEAM)
    await comes(world)
    for oin in (HUISARTS, WIJKTEAM):
        (match,) = await matches_of_side(world, oin)
        await opened(world, who(world, oin), match["matchId"])
        assert [one["state"] for one in await matches_of_side(world, oin)] == ["gelezen"]
        await followed_up(world, who(world, oin), match["matchId"], "contact_gehad")
    assert [kind for kind, _ in await notices_of(world, HUISARTS)] == ["match"]


async def test_a_yes_that_names_somebody_else_tells_nobody(world: World) -> None:
    """The holder's record names the wijkteam, the wijkteam's names another: the one is told, the other is not."""
    await involved(world, HUISARTS, towards="00000099000000008000")
    await comes(world, towards="00000099000000008000")
    assert await matches_of_side(world, HUISARTS) == []
    assert await matches_of_side(world, WIJKTEAM) == []
    assert await notices_of(world, HUISARTS) == []


async def test_what_one_worker_says_alone_tells_nobody(world: World) -> None:
    """A yes that nobody approved opens no match to who recorded it, as it opens no check."""
    await involved(world, HUISARTS, towards="00000099000000008000")
    asker = person_of(world, WIJKTEAM)
    await send_record(world, asker, record(asker, parties=[HUISARTS]))
    await world.register(person_of(world, WIJKTEAM), TRUDY, assessment=ASSESSED, informing=INFORMED)
    assert await matches_of_side(world, WIJKTEAM) == []


async def test_a_yes_taken_back_ends_what_it_told_to_both(world: World) -> None:
    """From the commit of a withdrawal on: no list, no opening, no notice, and no answer that is asked for again."""
    await involved(world, HUISARTS, towards=WIJKTEAM)
    kept = await comes(world)
    (match,) = await matches_of_side(world, HUISARTS)
    fetcher = who(world, HUISARTS)
    fetch = fetcher.command(had=[])
    assert (await world.send_inbox(fetcher, fetch)).result["notices"]
    await withdrawn(world, person_of(world, WIJKTEAM), kept, parties=[HUISARTS])
    for oin in (HUISARTS, WIJKTEAM):
        assert await matches_of_side(world, oin) == []
        with pytest.raises(NotFoundError):
            await opened(world, who(world, oin), match["matchId"])
    assert "match" not in {kind for kind, _ in await notices_of(world, HUISARTS)}
    with pytest.raises(AnswerWithheldError):
        await world.send_inbox(fetcher, fetch)


async def test_an_inbox_is_told_again_until_the_last_day_of_a_yes(world: World) -> None:
    """Fetched before, a page that rests on the fetcher's own record is told again to its last day, and no longer."""
    last = world.clock.today() + timedelta(days=6)
    await comes(world, HUISARTS, towards=WIJKTEAM, until=last.isoformat())
    await comes(world, towards="00000099000000008000")
    fetcher = who(world, HUISARTS)
    fetch = fetcher.command(had=[])
    assert (await world.send_inbox(fetcher, fetch)).result["notices"]
    world.clock.move(6 * DAY)
    assert (await world.send_inbox(fetcher, fetch)).result["notices"]
    world.clock.move(DAY)
    with pytest.raises(AnswerWithheldError):
        await world.send_inbox(fetcher, fetch)


async def test_a_yes_that_has_ended_tells_no_more(world: World) -> None:
    """On the last day it is told, the day after it is not."""
    await involved(world, HUISARTS, towards=WIJKTEAM)
    last = world.clock.today() + timedelta(days=6)
    await comes(world, until=last.isoformat())
    world.clock.move(6 * DAY)
    assert len(await matches_of_side(world, WIJKTEAM)) == 1
    world.clock.move(DAY)
    # Its signal rested on that yes alone, and has ended with it: the huisarts, who has her own, sees none either.
    for oin in (WIJKTEAM, HUISARTS):
        assert await matches_of_side(world, oin) == []


async def test_a_yes_towards_one_that_has_ended_tells_that_one_no_more(world: World) -> None:
    """The wijkteam's signal stands on her yes towards another: only what she agreed for the huisarts is over."""
    last = world.clock.today() + timedelta(days=6)
    # The huisarts named somebody else: all that shows the two to each other is what the wijkteam recorded.
    await involved(world, HUISARTS, towards="00000099000000008000")
    await recorded(world, person_of(world, WIJKTEAM), parties=["00000099000000008000"])
    await comes(world, until=last.isoformat())
    world.clock.move(6 * DAY)
    assert [len(await matches_of_side(world, oin)) for oin in (WIJKTEAM, HUISARTS)] == [1, 1]
    world.clock.move(DAY)
    assert [len(await matches_of_side(world, oin)) for oin in (WIJKTEAM, HUISARTS)] == [0, 0]


async def test_a_yes_that_comes_back_opens_what_was_told_before(world: World) -> None:
    """A consent may be given again: who was told then sees the match again, who was not is told by looking himself."""
    await involved(world, HUISARTS, towards=WIJKTEAM)
    kept = await comes(world, towards=HUISARTS)
    asker = person_of(world, WIJKTEAM)
    # That she agrees to another organisation keeps the signal: else it ends with her last yes.
    await recorded(world, asker, parties=["00000099000000008000"])
    await withdrawn(world, person_of(world, WIJKTEAM), kept, parties=[HUISARTS])
    assert await matches_of_side(world, WIJKTEAM) == []
    await answered_too(world, person_of(world, WIJKTEAM), kept, answer())
    assert len(await matches_of_side(world, WIJKTEAM)) == 1


async def test_a_turn_of_an_imported_signal_asks_for_consents_too(world: World) -> None:
    """Who was there before is told of an imported signal on her yes, and who imported it looks himself."""
    await involved(world, HUISARTS, towards=WIJKTEAM)
    await recorded(world, person_of(world, WIJKTEAM), parties=[HUISARTS])
    asker = person_of(world, WIJKTEAM)
    tickets = asker.tickets("register", TRUDY, grants=(GRANT, GRANT), issued_at=asker.now, lifetime_s=10 * DAY)
    body = asker.registration(TRUDY, tickets=tickets, assessment=ASSESSED, informing=INFORMED)
    assert (await world.send_registration(asker, body)).result["outcome"] == "done"
    assert await takes_turn(world) == WIJKTEAM
    assert len(await matches_of_side(world, HUISARTS)) == 1
    assert await matches_of_side(world, WIJKTEAM) == []


async def test_nobody_else_sees_to_a_match_on_consent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """She named who may know, and no coordinator among them: none is told, also where a region has one."""
    monkeypatch.setattr(PolicyInForce, "region_of", lambda *_, **__: "proefregio")
    await involved(world, HUISARTS, towards=WIJKTEAM)
    await comes(world)
    assert len(await matches_of_side(world, WIJKTEAM)) == 1
    (match,) = (await world.following.matches.of_side(organisation=WIJKTEAM, after="", at_most=2)).matches
    assert world.policy.coordinator_of("proefregio") is not None
    assert match.coordinators == ()
