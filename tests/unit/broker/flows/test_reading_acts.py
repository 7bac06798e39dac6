"""What a review tells of others: nothing that its reader's organisation may not see, however long the reading took."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from broker.domain.signals import Exclusion
from broker.flows.outcome import Answered
from broker.review_ports import ActReader
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, documents, held_in, log_size, shield
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, WIJKTEAM, Enrolled
from tests.simulators.following_up import followed_up, matches_of_side, opened, who
from tests.simulators.reviewing import FG, PF, Reviewers, shown

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


class Racing:
    """A reader of acts, behind whose back something happens once, right after it has read."""

    def __init__(self, inner: ActReader, then: Callable[[], Awaitable[None]]) -> None:
        self._inner, self._then = inner, then
        self.times = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the reader has
        read = getattr(self._inner, name)

        async def racing(**asked: object) -> object:
            found = await read(**asked)
            self.times += 1
            if self.times == 1:
                await self._then()
            return found

        return racing


def exclude(world: World, signal_id: str, organisation: str) -> None:
    """Bar an organisation from seeing a signal, as a later issue's flow will."""
    if isinstance(world.ledger, MemoryBroker):
        signals = world.ledger.state.signals
        barred = frozenset({Exclusion(organisation=organisation, worker=None)})
        signals[signal_id] = replace(signals[signal_id], exclusions=barred)
    else:
        held_in(world).write("INSERT INTO signal_exclusions VALUES (?, ?, '')", signal_id, organisation)


async def test_a_shield_that_commits_while_acts_are_read_hides_them(world: World) -> None:
    """Who is told after the commit of a shield is not told of the acts of who shields (red line 6)."""
    review = Reviewers(world)
    mine = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    theirs = str((await world.register(world.asker(WIJKTEAM), CHILD)).result["signalId"])
    acts = world.acts
    world.acts = racing = Racing(acts, lambda: shield(world, theirs))
    assert shown(await review.household(GI, mine, role=FG), "extracts") == []
    assert racing.times > 1, "it was read again"


async def test_a_controller_is_not_told_what_was_shielded_while_it_read(world: World) -> None:
    """The same for the acts that were done in one's name by another organisation."""
    names = {**NAMES, GEMEENTE: ("Gemeente", "wijkteam")}
    world.documents = documents(Enrolled(names=names, parents={GI: GEMEENTE}))
    signal_id = str((await world.register(world.asker(GI), CHILD, controller=GEMEENTE)).result["signalId"])
    review = Reviewers(world)
    assert [one["organisation"] for one in await review.acts(GEMEENTE)] == [GI]
    world.acts = Racing(world.acts, lambda: shield(world, signal_id))
    assert [one for one in await review.acts(GEMEENTE) if one["organisation"] == GI] == []


@pytest.mark.parametrize("role", [PF, FG])
async def test_a_household_tells_nothing_of_a_holder_that_one_may_not_see(world: World, role: str) -> None:
    """With a signal that its holder bars from us, and without any, a timeline reads the same (D8)."""
    mine = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    review = Reviewers(world)
    before = (await review.household(GI, mine, role=role)).result["extracts"]
    theirs = str((await world.register(world.asker(WIJKTEAM), CHILD)).result["signalId"])
    exclude(world, theirs, GI)
    assert (await world.check(world.asker(GI, seed="look"), LOOK)).result["outcome"] == "nothing"
    assert (await review.household(GI, mine, role=role)).result["extracts"] == before


async def test_who_was_told_nothing_of_a_signal_is_not_told_of_to_its_holder(world: World) -> None:
    """That somebody looked and saw nothing of it is not the holder's: it is no disclosure of his."""
    mine = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    exclude(world, mine, WIJKTEAM)
    await world.register(world.asker(WIJKTEAM), CHILD)
    assert shown(await Reviewers(world).household(GI, mine, role=FG), "extracts") == []


async def test_what_the_fg_reads_is_for_the_fg_alone(world: World) -> None:
    """Who is supervised does not read what the supervisor looked at; another FG of the organisation does."""
    review = Reviewers(world)
    await review.acts(GI, role=FG)
    await review.acts(GI, role=PF)
    assert [one["role"] for one in await review.acts(GI, role=PF)] == [PF]
    assert [one["role"] for one in await review.acts(GI, role=FG)] == [FG, PF, PF]


def told_to(review: Answered) -> list[str]:
    """Return which organisations an overview says were told."""
    return [one["organisation"] for one in shown(review, "extracts")]


async def test_who_was_told_by_a_match_stands_in_the_overview(world: World) -> None:
    """The wijkteam was there before the GI registered, and is told of it: the GI's FG reads so, with its purpose."""
    theirs = str((await world.register(who(world, WIJKTEAM), CHILD)).result["signalId"])
    mine = str((await world.register(who(world, GI), CHILD)).result["signalId"])
    review = Reviewers(world)
    overview = await review.household(GI, mine, role=FG)
    assert told_to(overview) == [WIJKTEAM]
    (one,) = shown(overview, "extracts")
    assert (one["purpose"], one["grounds"]) == ("proefregio", ["TEST-PROEFREGIO"])
    # The other way round the GI asked, and was shown.
    assert told_to(await review.household(WIJKTEAM, theirs, role=FG)) == [GI]
    assert (await review.household(GI, mine, role=PF)).result["extracts"] is None


async def test_who_opens_a_match_stands_in_the_overview_of_whom_he_sees(world: World) -> None:
    """Opening shows the other team, so it is told once more; listing or stepping on it is no new recipient."""
    await world.register(who(world, WIJKTEAM), CHILD)
    mine = str((await world.register(who(world, GI), CHILD)).result["signalId"])
    (match,) = await matches_of_side(world, WIJKTEAM)
    await opened(world, who(world, WIJKTEAM), match["matchId"])
    await followed_up(world, who(world, WIJKTEAM), match["matchId"], "contact_gehad")
    assert told_to(await Reviewers(world).household(GI, mine, role=FG)) == [WIJKTEAM, WIJKTEAM]


@pytest.mark.parametrize("hides", [shield, lambda world, signal: exclude(world, signal, GI)])
async def test_who_hides_since_stands_in_no_overview(world: World, hides: Callable[[World, str], Any]) -> None:
    """It was told, and hides its own signal from the GI since: the GI's overview is as if it had never been there."""
    theirs = str((await world.register(who(world, WIJKTEAM), CHILD)).result["signalId"])
    mine = str((await world.register(who(world, GI), CHILD)).result["signalId"])
    (match,) = await matches_of_side(world, WIJKTEAM)
    await opened(world, who(world, WIJKTEAM), match["matchId"])
    hidden = hides(world, theirs)
    if hidden is not None:
        await hidden
    assert told_to(await Reviewers(world).household(GI, mine, role=FG)) == []


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_what_is_seen_fits_its_entry_however_much_it_is(world: World) -> None:
    """A match on very many children is told and recorded: as many of them as fit, and no entry is too large."""
    for number in range(30):
        await world.register(who(world, GI), household(subject=f"child {number}", parents=("mother",)))
    await world.register(who(world, WIJKTEAM), CHILD)
    (match,) = await matches_of_side(world, WIJKTEAM)
    told = await opened(world, who(world, WIJKTEAM), match["matchId"])
    (entry,) = await world.entries.opened([await log_size(world) - 1], ("hits",))
    hits: Any = entry.payload("hits")
    assert told.result["outcome"] == "done"
    assert 10 < len({handle for *_, handles in hits["seen"] for handle in handles}) < 30
